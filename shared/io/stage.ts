import { existsSync, readFileSync, realpathSync, utimesSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { dataDirectoryId } from './data_directory.ts';
import { fileSha256, keyOf, textsId } from './digest.ts';
import { checkDiskHolds, freeBytes } from './disk_space.ts';
import { describeSystemError, exitCodeOf, InputError, UsageError } from './errors.ts';
import { camel, checkOptions, type OptionTable, parseArguments } from './options.ts';
import { createOutputFolder, type OutputFolder } from './output_folder.ts';
import { followPace } from './pace.ts';
import {
  commitPart,
  divisionOf,
  joinTexts,
  partOptions,
  readPart,
  readParts,
  type Skipped,
  skippedOf,
} from './parts.ts';
import { createProgress, type Progress, quiet } from './progress.ts';
import {
  checkIsThere,
  type InputFolder,
  isFresh,
  openInputFolder,
  readReport,
  type StageReport,
} from './report_file.ts';
import { partReportName, type Shard, whole } from './shard.ts';
import { createStopwatch, type Timing, totalTiming } from './stopwatch.ts';
import { estimateRun } from './trial.ts';
import { verifyOutput } from './verify.ts';

export type { OptionsOf, OptionTable } from './options.ts';
export type { Skipped } from './parts.ts';

/** An engine as far as the runner cares: what of it changes results, and what to tell people. */
export interface EngineIdentity {
  identity: string;
  describe(): Record<string, unknown>;
}
export interface EngineOptions {
  engine: string;
  threads: number;
}

export type Skip = (utterances: readonly string[], why: InputError) => void;

/** What a stage is given beside its options. */
export interface Context<E extends EngineIdentity | undefined = undefined> {
  /** Key of the output, for its metadata. */
  id: string;
  out: OutputFolder;
  /** The part of the utterances that this run is about; of a stage that can be computed in parts, otherwise all. */
  shard: Shard;
  /** Folders of other stages, by option (camel-cased). */
  inputs: Record<string, InputFolder[]>;
  progress: Progress;
  /** The engine of a stage that declares one. */
  engine: E;
  /**
   * Leaves utterances out, named in the report, as far as `--allow-missing` goes.
   *
   * @throws {InputError} `why`, when that makes too many
   */
  skip: Skip;
  /** Lets timers and signals through when the last time was a while ago; await it in long loops. */
  breathe(): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: a stage of any options, as the runner holds it
type AnyRun = (options: any, context: Context<any>) => Promise<Record<string, unknown>>;

export interface Stage {
  name: string;
  /** Raised when the same options and inputs give other results. */
  version: number;
  summary: string;
  examples: readonly string[];
  options: OptionTable;
  /** The stage itself: same options, files and seed, same result. Returns its counts and figures. */
  run: AnyRun;
  /**
   * Figures of the whole, from what `run` returned for each part, in their order: of a stage that can be computed in
   * parts, and has --shards, --shard and --finish therefore.
   *
   * @throws {InputError} when the parts do not belong together
   */
  // biome-ignore lint/suspicious/noExplicitAny: what the stage counts, and its options, as the runner holds them
  figures?: (parts: any[], options: any) => Record<string, unknown>;
  /** Flags with which it needs all utterances at once, and cannot be computed in parts. */
  needsAll?: readonly string[];
  /** Opens the engine; left out by stages that need none. */
  engine?: (options: EngineOptions) => Promise<EngineIdentity>;
  /** Whether these options need the engine; by default all do. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  needsEngine?: (options: any) => boolean;
  /** Whether it can leave utterances out: it has `--allow-missing` then. */
  skips?: true;
  /** What goes to stdout instead of the JSON report. */
  render?: (report: StageReport) => string;
}

export interface Streams {
  stdout: { write(text: string): unknown };
  stderr: NodeJS.WritableStream & { isTTY?: boolean };
}

const schemaVersion = 1;

const commonOptions = {
  out: {
    type: 'string',
    demandOption: true,
    describe: 'folder to write',
    role: 'execution',
  },
  quiet: {
    type: 'boolean',
    default: false,
    describe: 'no progress on stderr',
    role: 'execution',
  },
  'dry-run': {
    type: 'boolean',
    default: false,
    describe: 'say which time and disk it takes, by trying a few seconds of it in a temporary folder',
    role: 'execution',
  },
  verify: {
    type: 'boolean',
    default: false,
    describe:
      'check what is there: digests of all files, and, of tables, a few utterances made again; what fails goes into quarantine/',
    role: 'execution',
  },
} as const satisfies OptionTable;

/** Options of programs that run a network. */
export const engineOptions = {
  engine: {
    type: 'string',
    default: 'auto',
    choices: ['auto', 'native', 'wasm', 'cpu'],
    describe: 'back end; auto takes the best there is',
    role: 'execution',
  },
  threads: {
    type: 'number',
    default: 1,
    integer: true,
    min: 1,
    describe: "the engine's threads; results may differ in the last digits",
    role: 'execution',
  },
} as const satisfies OptionTable;

const skipOptions = {
  'allow-missing': {
    type: 'number',
    default: 0,
    integer: true,
    min: 0,
    describe: 'utterances that may be left out for their faults; the report names them',
  },
} as const satisfies OptionTable;

const allOptions = (stage: Stage): OptionTable => ({
  ...stage.options,
  ...(stage.skips ? skipOptions : {}),
  ...(stage.engine ? engineOptions : {}),
  ...(stage.figures ? partOptions : {}),
  ...commonOptions,
});

/** Where the code of a stage comes from, for its key: the digest of its bundle, or "source" while developing. */
let codeDigest = 'source';

interface Work {
  options: Record<string, unknown>;
  inputs: Record<string, InputFolder[]>;
  engine: EngineIdentity | undefined;
  id: string;
  skipped: Skipped[];
}

/** Everything that decides what a call computes. */
async function planWork(stage: Stage, options: Record<string, unknown>): Promise<Work> {
  const inputs: Record<string, InputFolder[]> = {};
  const parts: Record<string, unknown> = {};
  for (const [flag, spec] of Object.entries({ ...stage.options, ...(stage.skips ? skipOptions : {}) } as OptionTable)) {
    const name = camel(flag);
    const value = options[name];
    if (value === undefined || spec.role === 'execution') continue;
    if (spec.role === undefined || spec.role === 'setting') {
      parts[name] = value;
      continue;
    }
    const paths = [value as string | string[]].flat();
    for (const path of paths) checkIsThere(path, flag);
    if (spec.role === 'input') {
      inputs[name] = paths.map(spec.open ?? openInputFolder);
      parts[name] = inputs[name].map(({ id }) => id);
    } else {
      const idOf = spec.role === 'texts' ? textsId : dataDirectoryId;
      parts[name] = paths.map((path) => readReport(path)?.id ?? idOf(path));
    }
  }
  const needsEngine = stage.engine && (stage.needsEngine?.(options) ?? true);
  const engine = needsEngine ? await stage.engine!(options as unknown as EngineOptions) : undefined;
  const id = keyOf({
    schemaVersion,
    stage: stage.name,
    version: stage.version,
    parts,
    engine: engine?.identity,
    code: codeDigest,
  });
  return { options, inputs, engine, id, skipped: [] };
}

/** @throws {UsageError} where the output would take the place of what it is made from, or of another stage's */
function checkPlace(stage: Stage, options: Record<string, unknown>): void {
  const out = options.out as string;
  const maker = readReport(out)?.stage;
  if (maker !== undefined && maker !== stage.name) {
    throw new UsageError(`--out ${out} holds what ${maker} made: give another folder, or remove it`);
  }
  for (const [flag, { role }] of Object.entries(stage.options as OptionTable)) {
    if (role === undefined || !['input', 'corpus', 'texts'].includes(role)) continue;
    const read = [options[camel(flag)]].flat().filter((path) => typeof path === 'string');
    if (read.some((path) => resolve(path) === resolve(out))) {
      throw new UsageError(`--out ${out} is what --${flag} reads: give another folder`);
    }
  }
}

interface Surroundings {
  out: OutputFolder;
  progress: Progress;
  shard: Shard;
  /** Called now and then; may throw to leave the work. */
  watch: () => void;
}

function createContext(work: Work, { watch, ...surroundings }: Surroundings): Context<EngineIdentity> {
  let last = Date.now();
  return {
    id: work.id,
    ...surroundings,
    inputs: work.inputs,
    get engine() {
      if (!work.engine) throw new Error('This stage was started without an engine');
      return work.engine;
    },
    skip: createSkip(work),
    async breathe() {
      watch();
      if (Date.now() - last < 50) return;
      await new Promise((resolve) => setImmediate(resolve));
      last = Date.now();
    },
  };
}

function createSkip({ options, skipped }: Work): Skip {
  const allowed = (options.allowMissing as number | undefined) ?? 0;
  return (utterances, why) => {
    skipped.push(...utterances.map((utterance) => ({ utterance, why: why.message })));
    if (skipped.length <= allowed) return;
    const many = allowed > 0 ? ` (--allow-missing ${allowed}, and that makes ${skipped.length})` : '';
    throw new InputError(`${why.message}${many}`);
  };
}

/** Folders that this process is writing, for the clean-up after a signal. */
const unfinished = new Set<OutputFolder>();

/** Writes into a folder; what is not committed goes. */
async function writingInto<Result>(
  path: string,
  write: (out: OutputFolder) => Promise<Result> | Result,
): Promise<Result> {
  const out = createOutputFolder(path);
  unfinished.add(out);
  try {
    return await write(out);
  } finally {
    out.discard();
    unfinished.delete(out);
  }
}

/**
 * Runs a stage in this process: the same way as its command line does.
 *
 * @param given options by camel-cased name
 */
export async function runStage(
  stage: Stage,
  given: Record<string, unknown>,
  progress: Progress = quiet,
): Promise<StageReport> {
  const lap = createStopwatch();
  const options = checkOptions(allOptions(stage), given);
  const { all, compute, completes } = divisionOf(options);
  const wholeFlag = stage.needsAll?.find((flag) => options[camel(flag)]);
  if (wholeFlag && all.length > 1) {
    throw new UsageError(`--${wholeFlag} needs all utterances at once: leave out --shards and --shard`);
  }
  const path = options.out as string;
  checkPlace(stage, options);
  const work = await planWork(stage, options);
  const header = headerOf(stage, work);
  const nothing = { files: {}, timing: { seconds: 0, cpuSeconds: 0 } };
  const tryOut = (given: Pick<Surroundings, 'out' | 'shard'> & Partial<Surroundings>) =>
    stage.run(options, createContext({ ...work, skipped: [] }, { progress: quiet, watch: () => {}, ...given }));
  if (options.verify) {
    const remake =
      stage.figures && !wholeFlag ? (shard: Shard, out: OutputFolder) => tryOut({ shard, out }) : undefined;
    return { ...header, ...nothing, verified: await verifyOutput(path, work.id, remake) };
  }
  if (isFresh(path, work.id)) return touched(path, 'report.json');
  if (options.dryRun) {
    const shard = completes ? whole : compute[0]!;
    const estimate = await estimateRun((trial) => tryOut({ ...trial, shard }));
    return { ...header, ...nothing, dryRun: true, ...estimate, freeBytes: freeBytes(existingFolder(path)) };
  }
  if (work.engine && compute.length > 0) progress.note(`engine ${JSON.stringify(work.engine.describe())}`);
  try {
    let report: StageReport | undefined;
    const missing = compute.filter((shard) => !readPart(path, work.id, shard));
    for (const shard of compute) {
      const partsToCome = missing.filter(({ index }) => index > shard.index).length;
      report = await computePart(stage, { work, header, progress, partsToCome, lap }, shard);
    }
    return completes && all.length > 1 ? await finish(stage, { work, header }, all) : report!;
  } finally {
    progress.stop();
  }
}

type Header = Pick<StageReport, 'schemaVersion' | 'stage' | 'id' | 'options' | 'inputs'>;

const headerOf = (stage: Stage, { id, options, inputs, engine }: Work): Header => ({
  schemaVersion,
  stage: stage.name,
  id,
  options: Object.fromEntries(Object.keys(stage.options).map((flag) => [camel(flag), options[camel(flag)]])),
  inputs: Object.fromEntries(
    Object.entries(inputs).map(([name, folders]) => [name, folders.map(({ path, id }) => ({ path, id }))]),
  ),
  ...(engine ? { engine: engine.describe() } : {}),
});

/** A report that stands, as new for whoever goes by time. */
function touched(path: string, name: string): StageReport {
  const now = new Date();
  utimesSync(join(path, name), now, now);
  return { ...readReport(path, name)!, fresh: true };
}

const existingFolder = (path: string): string => (existsSync(path) ? path : existingFolder(dirname(path)));

interface Running {
  work: Work;
  header: Header;
  progress: Progress;
  partsToCome: number;
  lap: () => StageReport['timing'];
}

/** Computes one part and writes it, or all of a stage that has only one. */
async function computePart(
  stage: Stage,
  { work, header, progress, partsToCome, lap }: Running,
  shard: Shard,
): Promise<StageReport> {
  const path = work.options.out as string;
  if (shard.count > 1 && readPart(path, work.id, shard)) return touched(path, partReportName(shard));
  return await writingInto(path, async (out) => {
    const skipped: Skipped[] = [];
    const { pace, progress: followed } = followPace(out, progress);
    const surroundings = { out, shard, progress: followed, watch: () => checkDiskHolds(out, pace, { partsToCome }) };
    const { earlier, ...counted } = await stage.run(work.options, createContext({ ...work, skipped }, surroundings));
    if (skipped.length > 0) {
      progress.note(`left out ${skipped.length} of --allow-missing ${work.options.allowMissing}: ${skipped[0]!.why}`);
    }
    const timing = {
      ...totalTiming([lap(), ...(earlier ? [earlier as Timing] : [])]),
      ...(counted.timing as object | undefined),
    };
    const rest = { ...(skipped.length > 0 ? { skipped } : {}), files: { ...out.files }, timing };
    if (shard.count > 1) return commitPart(out, { ...header, counted, ...rest }, shard);
    const report: StageReport = { ...header, ...(stage.figures?.([counted], work.options) ?? counted), ...rest };
    out.commit(report);
    return report;
  });
}

/** Puts the parts together: their figures, text files and what they left out. */
async function finish(
  stage: Stage,
  { work, header }: Pick<Running, 'work' | 'header'>,
  all: readonly Shard[],
): Promise<StageReport> {
  const path = work.options.out as string;
  if (isFresh(path, work.id)) return touched(path, 'report.json'); // another run was first, maybe with other parts
  const parts = readParts(path, work.id, all);
  const skipped = skippedOf(parts);
  const allowed = (work.options.allowMissing as number | undefined) ?? 0;
  if (skipped.length > allowed) {
    throw new InputError(
      `Cannot finish ${path}: its parts leave out ${skipped.length} utterances, and --allow-missing is ${allowed}; first: ${skipped[0]!.why}`,
    );
  }
  const figures = stage.figures!(
    parts.map(({ counted }) => counted),
    work.options,
  );
  return await writingInto(path, (out) => {
    const staying = joinTexts(out, parts);
    const report: StageReport = {
      ...header,
      ...figures,
      ...(skipped.length > 0 ? { skipped } : {}),
      shards: all.length,
      files: { ...staying, ...out.files },
      timing: totalTiming(parts.map(({ timing }) => timing)),
    };
    out.commit(report, all.map(partReportName));
    return report;
  });
}

/**
 * The command line of a stage, in process.
 *
 * @returns the exit code: 0 done, 1 our fault, 2 wrong command line, 3 wrong data, 4 training diverged
 */
export async function main(stage: Stage, argv: readonly string[], { stdout, stderr }: Streams): Promise<number> {
  try {
    const parsed = await parseArguments(stage, allOptions(stage), argv);
    if ('help' in parsed) {
      stdout.write(`${parsed.help}\n`);
      return 0;
    }
    const { given } = parsed;
    const progress = given.quiet ? quiet : await createProgress(stage.name, stderr);
    const report = await runStage(stage, given, progress);
    stdout.write(stage.render ? stage.render(report) : `${JSON.stringify(report, null, 1)}\n`);
    return 0;
  } catch (error) {
    return tellFault(stage.name, error, stderr);
  }
}

/** Says what is wrong in one line, or with its stack where it is our fault. @returns the exit code it stands for */
export function tellFault(program: string, error: unknown, stderr: Pick<NodeJS.WritableStream, 'write'>): number {
  const system = describeSystemError(error);
  const code = system ? 3 : exitCodeOf(error);
  const message = code === 1 ? ((error as Error)?.stack ?? error) : (system ?? (error as Error).message);
  stderr.write(`${program}: ${message}\n`);
  return code;
}

/** Whether a file is the program that was called, and not a part of another. */
export function isProgram(meta: ImportMeta): boolean {
  const program = process.argv[1];
  return isMainThread && !!program && existsSync(program) && realpathSync(program) === fileURLToPath(meta.url);
}

/** Runs the stage when its file is the program, and chooses the exit code. */
export async function runIfMain(meta: ImportMeta, stage: Stage): Promise<void> {
  if (!isProgram(meta)) return;
  const file = fileURLToPath(meta.url);
  if (file.endsWith('.js')) codeDigest = fileSha256(file);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      for (const out of unfinished) out.discard();
      process.stderr.write(
        `${stage.name}: interrupted; what is finished stands, the same command goes on from there\n`,
      );
      process.exit(130);
    });
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  process.exitCode = await main(stage, process.argv.slice(2), process);
}

/** The toolkit's version, for metadata. */
export function toolkitVersion(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    if (folder === dirname(folder)) throw new Error('Cannot find package.json above the toolkit; keep them together');
    folder = dirname(folder);
  }
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}
