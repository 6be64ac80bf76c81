import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedFramesOfRow, readSparseHeader, type SparseHeader } from '../shared/io/cached_frames.ts';
import { compressions, openCompression } from '../shared/io/compression.ts';
import { tokensDigest } from '../shared/io/digest.ts';
import { InputError, UsageError } from '../shared/io/errors.ts';
import { essenceColumns, rowOfSparseTargets } from '../shared/io/essence.ts';
import { labelsOfRow } from '../shared/io/frame_labels.ts';
import { withSums } from '../shared/io/parts.ts';
import type { InputFolder } from '../shared/io/report_file.ts';
import { shareOf, tableName } from '../shared/io/shard.ts';
import {
  type Context,
  type OptionsOf,
  type OptionTable,
  runIfMain,
  type Stage,
  toolkitVersion,
} from '../shared/io/stage.ts';
import {
  checkMetadataEqual,
  openUtterances,
  type Row,
  sharedUtterances,
  type UtteranceTable,
} from '../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../shared/io/utterance_writer.ts';
import { type CombineOptions, combinations } from '../shared/math/combine.ts';
import { createFilterTally, type FilterTally } from '../shared/math/filter_tally.ts';
import { fastLogSoftmax } from '../shared/math/kernels/fast_posteriors.ts';
import type { SparseTargets, Tail } from '../shared/math/sparse_targets.ts';
import { tailToLabel } from '../shared/math/tail_to_label.ts';
import { type LabelledFrames, tuneCombination } from '../shared/math/tune_combination.ts';
import { beyondSparse, filterCached } from '../shared/training/filter_cached.ts';
import { checkPosteriors, type DenseUtterance, filterDense, numbersOf } from '../shared/training/filter_dense.ts';
import type { FilteredFrames } from '../shared/training/filter_policy.ts';
import { type ObjectiveName, objectiveOf } from '../shared/training/objective.ts';
import { readTunedTeachers, type TunedTeachers } from '../shared/training/tuned_teachers.ts';

export const options = {
  logits: { type: 'string', role: 'input', demandOption: true, describe: 'folder of cache_logits' },
  cache: { type: 'string', describe: 'which of several sparse caches in that folder, by its name' },
  alignment: {
    type: 'string',
    role: 'input',
    describe:
      'folder of align_labels for the same utterances: for --tune, --gate correct, --tail to-label, and figures',
  },
  teachers: {
    type: 'numbers',
    integer: true,
    min: 0,
    describe: 'which teachers of the cache, counted from 0; all unless given',
  },
  combine: {
    type: 'string',
    choices: [...combinations, 'weighted'],
    describe:
      'mean of posteriors, normalised mean of log-posteriors, the surest teacher of each utterance, or the mean with the weights of --tune; linear unless given. A sparse cache was combined when it was made',
  },
  weights: { type: 'numbers', min: 0, describe: 'weights of the teachers in the mean; equal unless given' },
  tune: {
    type: 'boolean',
    default: false,
    describe:
      "find each teacher's own temperature, and weights, on this data (use dev data), and filter with them (the weights: --combine weighted)",
  },
  combination: {
    type: 'string',
    role: 'input',
    describe: "folder of filter_targets --tune, to take the teachers' own temperatures (and weights) from",
  },
  temperature: {
    type: 'number',
    default: 1,
    above: 0,
    describe: "T of the distillation, the same for all, before they are combined: times a teacher's own",
  },
  select: {
    type: 'string',
    default: 'top-k',
    choices: ['top-k', 'top-p', 'threshold', 'sample', 'all'],
    describe: 'which tokens of a frame stay',
  },
  k: { type: 'number', integer: true, min: 1, max: 65536, describe: 'top-k: tokens a frame; 3 unless given' },
  p: { type: 'number', above: 0, max: 1, describe: 'top-p: mass a frame keeps at least; 0.95 unless given' },
  threshold: { type: 'number', above: 0, max: 1, describe: 'threshold: lowest posterior; 0.01 unless given' },
  samples: { type: 'number', integer: true, min: 1, max: 65536, describe: 'sample: draws a frame; 50 unless given' },
  gate: {
    type: 'string',
    default: 'none',
    choices: ['none', 'correct', 'confidence', 'entropy', 'agreement', 'blank'],
    describe:
      'trust in a frame: best token = hard label; its posterior; 1 − entropy / log tokens; share of teachers with that best token; 1 − posterior of the blank (objective ctc)',
  },
  'gate-threshold': {
    type: 'number',
    min: 0,
    max: 1,
    describe:
      'trust from which on a frame counts fully, below it not at all; of blank: the posterior of the blank from which on it does not; without it, trust is the weight',
  },
  tail: {
    type: 'string',
    choices: ['renormalise', 'ghost', 'to-label', 'uniform'],
    describe:
      'what the mass not kept means: nothing, "anything else", the hard label, an equal share for each other token; ghost unless given',
  },
  seed: { type: 'number', default: 0, integer: true, min: 0, describe: 'of the draws of --select sample' },
  compress: {
    type: 'string',
    choices: compressions,
    describe: 'columns of the Arrow file; not compressed unless given',
  },
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options>;

/** The option that says how much a selection keeps, and its value where it is not given. */
const amounts = {
  'top-k': { flag: 'k', usual: 3 },
  'top-p': { flag: 'p', usual: 0.95 },
  threshold: { flag: 'threshold', usual: 0.01 },
  sample: { flag: 'samples', usual: 50 },
  all: undefined,
} as const;

type Asked = Options & {
  chosen: readonly number[];
  objective: ObjectiveName;
  /** Of a sparse cache. */
  sparse: SparseHeader | undefined;
};

/** Options that combine teachers. */
const combining = ['teachers', 'combine', 'weights', 'tune', 'combination'] as const;

/** Combinations that mean nothing, and why. */
export const meaningless: readonly { when: (asked: Asked) => boolean; why: string }[] = [
  {
    when: (asked) => asked.sparse !== undefined && combining.some((flag) => asked[flag]),
    why: '--teachers, --combine, --weights, --tune and --combination are for dense caches, and a sparse one was combined when it was made: leave them out, or cache again with --combine',
  },
  {
    when: ({ select, tail }) => select === 'all' && tail !== undefined && tail !== 'renormalise',
    why: '--select all leaves no mass over: leave out --tail',
  },
  {
    when: ({ select, tail }) => select === 'sample' && tail !== undefined && tail !== 'renormalise',
    why: '--select sample gives all mass to the tokens drawn, which is what makes it unbiased: leave out --tail',
  },
  {
    when: ({ tail, alignment }) => tail === 'to-label' && !alignment,
    why: '--tail to-label gives mass to the hard label: name it with --alignment',
  },
  {
    when: ({ gate, alignment }) => gate === 'correct' && !alignment,
    why: '--gate correct compares with the hard label: name it with --alignment',
  },
  {
    when: ({ gate, chosen }) => gate === 'agreement' && chosen.length < 2,
    why: '--gate agreement needs two teachers or more: a single one agrees with itself',
  },
  {
    when: ({ gate, gateThreshold }) => (gate === 'none' || gate === 'correct') && gateThreshold !== undefined,
    why: '--gate-threshold belongs to --gate confidence, entropy, agreement or blank: the others are open or shut as they are',
  },
  {
    when: ({ gate, objective }) => gate === 'blank' && objective === 'frame',
    why: '--gate blank belongs to teachers of --objective ctc, and these are of frames: they have no blank',
  },
  {
    when: ({ alignment, objective }) => alignment !== undefined && objective === 'ctc',
    why: '--alignment gives the hard label of each frame, and teachers of --objective ctc have none: leave it out',
  },
  {
    when: ({ tune, combination }) => tune && combination !== undefined,
    why: '--tune finds what --combination takes over: leave out one of them',
  },
  {
    when: ({ tune, alignment }) => tune && !alignment,
    why: '--tune compares with the hard label: name it with --alignment',
  },
  {
    when: ({ combine, tune, combination }) => combine === 'weighted' && !tune && combination === undefined,
    why: '--combine weighted takes its weights from --tune or --combination: give one of them, or --weights and --combine linear',
  },
  {
    when: ({ combine, weights }) => combine === 'weighted' && weights !== undefined,
    why: '--combine weighted has weights of its own: leave out --weights, or take --combine linear',
  },
  {
    when: ({ combine, weights }) => combine === 'best' && weights !== undefined,
    why: '--combine best takes one teacher as it is: leave out --weights',
  },
  {
    when: ({ weights, chosen }) => weights !== undefined && weights.length !== chosen.length,
    why: '--weights needs one number for each teacher',
  },
  {
    when: ({ weights }) => weights?.every((weight) => weight === 0) ?? false,
    why: '--weights are all 0: give one teacher some weight',
  },
];

/** Options with everything that was left open decided. */
interface Settings extends Omit<Asked, 'tail' | 'combine'> {
  combine: NonNullable<Options['combine']>;
  tail: Tail;
  amount: number;
  vocabularySize: number;
  /** Tokens of each frame, where it is the same number for all. */
  fixedK: number | undefined;
}

export async function run(given: Options, { id, inputs, out, shard, progress, skip, breathe }: Context) {
  const logits = await openLogits(given, inputs.logits![0]!);
  const settings = checkSettings(given, logits);
  const { tail, temperature, fixedK, vocabularySize } = settings;
  const teachers = teachersOf(inputs.logits![0]!, settings);
  const tokensText = readFileSync(join(given.logits, 'tokens.txt'), 'utf8');
  if (tokensDigest(tokensText) !== logits.metadata['kd.tokens']) {
    throw new InputError(`Cannot use ${given.logits}: its tokens.txt is not the one it was made with; cache again`);
  }
  const alignment = given.alignment ? await openUtterances(given.alignment, { format: 'alignment' }) : undefined;
  let used: readonly string[] = logits.utterances;
  if (alignment) {
    checkMetadataEqual(logits, alignment, ['kd.tokens']);
    used = sharedUtterances(logits, alignment, 'hard labels', skip);
  }

  const source = { logits, alignment };
  const tuned = given.tune ? await tune(source, { settings, teachers, out, progress, breathe }) : undefined;
  const combination =
    tuned ??
    (given.combination
      ? readTunedTeachers(
          inputs.combination![0]!,
          teachers.map(({ id }) => id),
        )
      : undefined);
  const combineBy = combineOptions(settings, combination);
  const weightsOfCache = logits.metadata['kd.weights'];
  const weights = combineBy.weights ?? (weightsOfCache ? (JSON.parse(weightsOfCache) as number[]) : undefined);
  const labelsOfCache = logits.metadata['kd.alignment'] === inputs.alignment?.[0]?.id;
  if (given.compress) await openCompression();
  const name = tableName(shard);
  const writer = createUtteranceWriter(out.createFile(name), {
    columns: essenceColumns(fixedK),
    metadata: { ...metadataOf(settings, logits, teachers), ...temperaturesOf(combination), 'kd.id': id },
    compression: given.compress,
  });
  const tally = createFilterTally(vocabularySize);
  progress.start('filtering', shareOf(used, shard).length);
  for await (const row of logits.rows(shard)) {
    if (alignment && !alignment.has(row.utterance)) continue;
    const labels = await labelsOf(row, source, settings);
    const filtered = settings.sparse
      ? cached(row, labels, settings.sparse, { settings, labelsOfCache })
      : filterDense(denseUtterance(row, labels, settings), combineBy, settings);
    writer.append(rowOfSparseTargets(row.utterance, finish(filtered, labels, { settings, tally })));
    progress.advance();
    await breathe();
  }
  writer.close();
  out.writeText('tokens.txt', tokensText);
  await Promise.all([logits.close(), alignment?.close()]);
  return {
    counts: tally.counts(),
    bytes: out.files[name]!.bytes,
    known: {
      utterances: used.length,
      vocabularySize,
      selection: {
        select: settings.select,
        ...(amounts[settings.select] && { [amounts[settings.select]!.flag]: settings.amount }),
      },
      tail,
      temperature,
      klCounting: settings.sparse
        ? 'KL(cache ‖ kept) in nats over open frames, the tail spread evenly over the tokens not kept; what the cache lost, in its own report, adds to it; null for samples'
        : 'KL(ensemble ‖ kept) in nats over open frames, the tail spread evenly over the tokens not kept; null for samples',
      outputFrameShiftMs: Number(logits.metadata['kd.frameShiftMs']),
      firstFrameCentreMs: Number(logits.metadata['kd.firstFrameCentreMs']),
      tokensDigest: tokensDigest(tokensText),
      // what decoding divides by comes from the teachers' training data, not from the data that is decoded; it is that of a
      // mean of posteriors, and near enough to that of any other rule
      prior: meanOf(
        teachers.map(({ prior }) => prior),
        weights,
      ),
      ...(settings.objective === 'frame' && {
        selfLoop: meanOf(
          teachers.map(({ selfLoop }) => selfLoop!),
          weights,
        ),
      }),
      teachers: teachers.map(({ name, id }, i) => ({
        ...{ name, id },
        ...(combination ? { temperature: combination.teacherTemperatures[i] } : {}),
        ...(given.combine === 'weighted' ? { weight: combination!.weights[i] } : {}),
      })),
      atEdge: combination?.atEdge,
    },
  };
}

/** The figures of all parts: of what each counted, and of what was known before. */
function figures(parts: Awaited<ReturnType<typeof run>>[], { alignment, select }: Options) {
  const { bytes, known } = withSums(
    parts.map(({ bytes, known }) => ({ bytes, known })),
    ['bytes'],
  );
  const { utterances, vocabularySize, ...settled } = known;
  const tally = createFilterTally(vocabularySize);
  for (const { counts } of parts) tally.add(counts);
  const { frames, ofLabels, ...figures } = tally.summary();
  return {
    utterances,
    frames,
    vocabularySize,
    ...figures,
    bytesPerFrame: frames > 0 ? bytes / frames : 0,
    denseFloat16BytesPerFrame: 2 * vocabularySize,
    kl: select === 'sample' ? null : figures.kl,
    labelKept: alignment ? figures.labelKept : undefined,
    ...(alignment ? { ...ofLabels, frameAccuracy: 1 - ofLabels.frameError } : {}),
    ...settled,
  };
}

/**
 * The cache of a folder; of a folder of sparse caches, the one asked for.
 *
 * @throws {UsageError} when it is not said which one, or there is none of that name
 */
async function openLogits({ logits: path, cache }: Options, { report }: InputFolder): Promise<UtteranceTable> {
  const names = Object.keys((report.caches as Record<string, unknown> | undefined) ?? {});
  if (names.length === 0) {
    if (cache)
      throw new UsageError(`--cache ${cache} names one of several sparse caches, and ${path} is dense: leave it out`);
    return openUtterances(path, { format: 'logits', asBits: true });
  }
  const name = cache ?? (names.length === 1 ? names[0]! : '');
  if (!names.includes(name)) {
    throw new UsageError(
      `--cache ${cache ?? 'is not given, and'} has to be one of those in ${path}: ${names.join(', ')}`,
    );
  }
  return openUtterances(join(path, name), { format: 'sparse-logits' });
}

function checkSettings(given: Options, { path, metadata, columns }: UtteranceTable): Settings {
  const sparse = metadata['kd.format'] === 'sparse-logits' ? readSparseHeader({ path, metadata, columns }) : undefined;
  const count = sparse
    ? teacherCount(metadata)
    : Object.keys(columns).filter((column) => column.startsWith('logPosteriors_')).length;
  const vocabularySize = Number(metadata['kd.vocabularySize']);
  if (!(count > 0 && vocabularySize > 0)) {
    throw new InputError(`Cannot read ${path}: it has no teacher, or does not say how many tokens it has; cache again`);
  }
  const chosen = given.teachers ?? Array.from({ length: count }, (_, i) => i);
  const wrong = chosen.find((teacher, i) => teacher >= count || chosen.indexOf(teacher) !== i);
  if (wrong !== undefined || chosen.length === 0) {
    throw new UsageError(`--teachers ${chosen} does not fit ${path}: name each once, from 0 to ${count - 1}`);
  }
  const asked = { ...given, chosen, objective: objectiveOf(metadata), sparse };
  for (const { when, why } of meaningless) if (when(asked)) throw new UsageError(why);
  for (const [select, amount] of Object.entries(amounts)) {
    if (amount && select !== given.select && given[amount.flag] !== undefined) {
      throw new UsageError(`--${amount.flag} belongs to --select ${select}, not to ${given.select}: leave it out`);
    }
  }
  const rule = amounts[given.select];
  const amount = rule ? (given[rule.flag] ?? rule.usual) : vocabularySize;
  if (given.select === 'top-k' && amount > vocabularySize) {
    throw new UsageError(`--k ${amount} is more than the ${vocabularySize} tokens there are`);
  }
  const wrongOfSparse = sparse && beyondSparse.find(({ when }) => when({ ...asked, amount }, sparse));
  if (wrongOfSparse) throw new UsageError(wrongOfSparse.why(sparse));
  const tail = given.tail ?? (given.select === 'all' || given.select === 'sample' ? 'renormalise' : 'ghost');
  const isEven = (given.select === 'top-k' || given.select === 'all') && given.gate === 'none' && tail !== 'to-label';
  return {
    ...{ ...asked, tail, amount, vocabularySize, fixedK: isEven ? amount : undefined },
    combine: given.combine ?? 'linear',
  };
}

function teacherCount(metadata: Record<string, string>): number {
  try {
    return (JSON.parse(metadata['kd.teachers'] ?? '[]') as unknown[]).length;
  } catch {
    return 0;
  }
}

/** The logits to filter, and hard labels where there are any. */
interface Source {
  logits: UtteranceTable;
  alignment: UtteranceTable | undefined;
}

interface TuneSurroundings extends Pick<Context, 'out' | 'progress' | 'breathe'> {
  settings: Settings;
  teachers: Teacher[];
}

/** Finds what combines the teachers best on these data, and writes it with what each way to combine them gives. */
async function tune(source: Source, { settings, teachers, out, progress, breathe }: TuneSurroundings) {
  const { vocabularySize } = settings;
  async function* utterances(): AsyncGenerator<LabelledFrames> {
    progress.start('tuning', source.logits.utterances.length);
    for await (const row of source.logits.rows()) {
      if (!source.alignment!.has(row.utterance)) continue;
      const said = denseUtterance(row, await labelsOf(row, source, settings), settings);
      const members = said.members.map(numbersOf);
      for (const member of members) checkPosteriors(fastLogSoftmax(member, vocabularySize), said, vocabularySize);
      yield { members, labels: said.labels! };
      progress.advance();
      await breathe();
    }
  }
  const { table, ...tuned } = await tuneCombination(utterances, { vocabularySize, teachers: teachers.length });
  const atEdge = tuned.atEdge.map((i) => teachers[i]!.name);
  if (atEdge.length > 0) {
    progress.note(
      `warning: the temperature of ${atEdge.join(', ')} lies at its limit; tune on data it was not trained on`,
    );
  }
  const found: TunedTeachers = { ...tuned, teachers: teachers.map(({ id }) => id), atEdge };
  const named = table.map(({ teacher, ...row }) => ({
    ...(teacher === undefined ? {} : { teacher: teachers[teacher]!.name }),
    ...row,
  }));
  out.writeJson('combination.json', { ...found, table: named });
  return found;
}

function combineOptions(settings: Settings, combination: TunedTeachers | undefined): CombineOptions {
  const { vocabularySize, combine, temperature, weights } = settings;
  const common = { vocabularySize, temperature, teacherTemperatures: combination?.teacherTemperatures };
  if (combine === 'weighted') return { ...common, rule: 'linear', weights: combination!.weights };
  return { ...common, rule: combine, weights };
}

const temperaturesOf = (combination: TunedTeachers | undefined): Record<string, string> =>
  combination ? { 'kd.teacherTemperatures': JSON.stringify(combination.teacherTemperatures) } : {};

/** What each teacher and the labels say of an utterance. */
const denseUtterance = (row: Row, labels: Uint16Array | undefined, settings: Settings): DenseUtterance => ({
  ...{ utterance: row.utterance, frames: row.frames, labels, path: settings.logits },
  members: settings.chosen.map((teacher) => posteriorsOf(row, teacher, settings)),
});

/** What the labels say of it, where there are any. */
const labelsOf = async ({ utterance, frames }: Row, { alignment, logits }: Source, { vocabularySize }: Settings) =>
  alignment &&
  labelsOfRow(await alignment.read(utterance), {
    ...{ utterance, frames, vocabularySize, what: 'filter', alignment: alignment.path, other: logits.path },
  });

interface Teacher {
  name: string;
  id: string;
  prior: number[];
  /** Of frames. */
  selfLoop?: number[];
}

function teachersOf({ path, report }: InputFolder, { chosen, objective }: Settings): Teacher[] {
  const teachers = report.teachers as Teacher[] | undefined;
  return chosen.map((i) => {
    const teacher = teachers?.[i];
    if (!Array.isArray(teacher?.prior) || (objective === 'frame' && !Array.isArray(teacher.selfLoop))) {
      throw new InputError(`Cannot read ${path}: its report.json does not describe teacher ${i}; cache again`);
    }
    return teacher;
  });
}

const metadataOf = (settings: Settings, { metadata }: UtteranceTable, teachers: Teacher[]): Record<string, string> => ({
  'kd.format': 'essence',
  'kd.version': '1',
  'kd.objective': settings.objective,
  ...Object.fromEntries(
    ['kd.tokens', 'kd.vocabularySize', 'kd.frameShiftMs', 'kd.firstFrameCentreMs', 'kd.sampleRateHz'].map((key) => [
      key,
      metadata[key] ?? '',
    ]),
  ),
  'kd.teachers': JSON.stringify(teachers.map(({ id }) => id)),
  'kd.combine': metadata['kd.combine'] ?? settings.combine,
  'kd.temperature': String(settings.temperature),
  'kd.select': settings.select === 'all' ? 'all' : `${settings.select} ${settings.amount}`,
  'kd.gate': settings.gate,
  'kd.tail': settings.tail,
  ...(settings.fixedK === undefined ? {} : { 'kd.k': String(settings.fixedK) }),
  'kd.toolkit': toolkitVersion(),
});

function posteriorsOf({ utterance, frames, ...row }: Row, teacher: number, { logits, vocabularySize }: Settings) {
  const values = row[`logPosteriors_${teacher}`] as Float32Array | Uint16Array;
  if (values.length === frames * vocabularySize) return values;
  throw new InputError(
    `Cannot filter utterance "${utterance}": teacher ${teacher} in ${logits} has ${values.length} values, ${frames} frames of ${vocabularySize} tokens need ${frames * vocabularySize}; cache again`,
  );
}

/** What an utterance comes to: the tail goes where it belongs, and all of it is counted. */
function finish(
  { combined, best, weight, kept, drawn }: FilteredFrames,
  labels: Uint16Array | undefined,
  { settings, tally }: { settings: Settings; tally: FilterTally },
): SparseTargets {
  const { offsets, tokens, logPosteriors, logTail } =
    drawn ?? (settings.tail === 'to-label' ? tailToLabel(kept, labels!) : kept);
  tally.count({ combined, best, weight, labels, kept, stored: tokens.length });
  return { offsets, tokens, logPosteriors, logTail, weight };
}

/** @param labelsOfCache whether the labels are those whose posteriors the cache keeps */
function cached(
  row: Row,
  labels: Uint16Array | undefined,
  header: SparseHeader,
  { settings, labelsOfCache }: { settings: Settings; labelsOfCache: boolean },
): FilteredFrames {
  const { ofLabel, ...frames } = cachedFramesOfRow(row, header);
  const said = { ...frames, ...(labelsOfCache && { ofLabel }) };
  return filterCached({ utterance: row.utterance, frames: said, labels, path: settings.logits }, settings);
}

function meanOf(lists: number[][], weights: readonly number[] = lists.map(() => 1)): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return lists[0]!.map((_, i) => lists.reduce((sum, list, teacher) => sum + weights[teacher]! * list[i]!, 0) / total);
}

export const stage = {
  name: 'filter_targets',
  version: 1,
  summary: 'keep, in each frame, the tokens that carry the teachers; the mass of the others is counted, not stored',
  examples: [
    '$0 --logits exp/logits/train --alignment exp/align/train --select top-k --k 3 --tail ghost --out exp/essence/top3',
    '$0 --logits exp/logits/test --select all --out exp/essence/full',
    '$0 --logits exp/logits/dev --alignment exp/align/dev --tune --select all --out exp/essence/dev',
    '$0 --logits exp/logits/train --combination exp/essence/dev --combine weighted --out exp/essence/calibrated',
  ],
  options,
  run,
  figures,
  needsAll: ['tune'],
  skips: true,
} satisfies Stage;

await runIfMain(import.meta, stage);
