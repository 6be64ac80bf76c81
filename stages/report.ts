import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { InputError } from '../shared/io/errors.ts';
import { type InputFolder, readReport, type StageReport } from '../shared/io/report_file.ts';
import { type Context, type OptionsOf, type OptionTable, runIfMain, type Stage } from '../shared/io/stage.ts';
import { markdownTables } from '../shared/report/markdown_table.ts';
import { reportPage } from '../shared/report/page.ts';
import { type Rows, reportRows } from '../shared/report/rows.ts';
import { type Chain, MismatchError, runOf, selectedTeachers } from '../shared/report/runs.ts';
import { type AlignedUtterance, parseScoredUtterances } from '../shared/report/scored_utterances.ts';

/** Compare arms: one row per arm with its error rate, intervals and paired tests, as JSON, page and table. */
export const options = {
  scores: { type: 'string', array: true, role: 'input', demandOption: true, describe: 'folders of score' },
  measures: {
    type: 'string',
    array: true,
    role: 'input',
    describe: 'folders of measure_model: what the models behind the scores cost',
  },
  title: { type: 'string', default: 'Error rates', describe: 'title of the page' },
  baseline: { type: 'string', default: 'hard', describe: 'arm that the others of its size are compared with' },
  ensemble: { type: 'string', default: 'ensemble', describe: 'arm that all are compared with; a teacher will do' },
  attribution: { type: 'string', describe: 'who made the corpus, under which licence: a line for the page' },
  unit: {
    type: 'string',
    default: 'utterance',
    choices: ['utterance', 'speaker'],
    describe: 'what is resampled and tested as a whole; speaker where there are many',
  },
  resamples: {
    type: 'number',
    default: 10000,
    integer: true,
    min: 100,
    max: 1000000,
    describe: 'resamples of bootstrap and test',
  },
  seed: { type: 'number', default: 0, integer: true, describe: 'seed of the resampling' },
} as const satisfies OptionTable;

export async function run(settings: OptionsOf<typeof options>, context: Context) {
  const { title, baseline, ensemble, attribution, unit, resamples, seed } = settings;
  const scores = context.inputs.scores!;
  const measures = measuresByModels(context.inputs.measures ?? []);
  const read = createReader();
  const report = mismatchAsInputError(() => {
    const runs = scores.map(({ path, report }) => runOf(chainOf({ path, report }, { read, measures })));
    context.progress.start(`resampling ${runs.length} scores`);
    return reportRows(runs, { baseline, ensemble, unit, resamples, seed });
  });
  const command = commandOf({
    scores: scores.map(({ path }) => path),
    measures: context.inputs.measures?.map(({ path }) => path),
    title,
    baseline,
    ensemble,
    attribution,
    unit,
    resamples,
    seed,
  });
  context.out.writeText(
    'report.html',
    reportPage(report, { title, baseline, ensemble, attribution, resamples, command }),
  );
  context.out.writeText('report.md', markdownTables(report, { baseline, ensemble }));
  return { ...report };
}

type Made = { path: string; report: StageReport };
type Reader = (from: Made | undefined, option: string) => Made[];

/** Follows a report to the folders it was made from, and checks that these still hold what they held then. */
function createReader(): Reader {
  const known = new Map<string, StageReport | undefined>();
  const reportOf = (path: string): StageReport | undefined => {
    if (!known.has(path)) known.set(path, readReport(path));
    return known.get(path);
  };
  return (from, option) =>
    (from?.report.inputs[option] ?? []).flatMap((input) => {
      const places = placesOf(input.path, from!.path);
      for (const path of places) {
        const report = reportOf(path);
        if (report?.id === input.id) return [{ path, report }];
      }
      if (places.some(isFile)) return []; // a file that no stage made tells no more
      const report = reportOf(input.path);
      const found = report ? `now holds ${report.stage} ${report.id}` : 'is gone or unfinished';
      throw new InputError(
        `Cannot trace ${from!.path}: it was made from ${input.path} with id ${input.id}, which ${found}; run ${from!.report.stage} again`,
      );
    });
}

/** Where a folder may be that a stage was given by a relative path: as seen from here, or from a folder above its output. */
function placesOf(path: string, output: string): string[] {
  const places = [path];
  if (isAbsolute(path)) return places;
  for (let folder = resolve(output); folder !== dirname(folder); folder = dirname(folder)) {
    places.push(join(dirname(folder), path));
  }
  return places;
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** Ids of models that run together, as a key. */
const modelsKey = (ids: readonly string[]): string => JSON.stringify(ids.toSorted());

function measuresByModels(measures: readonly InputFolder[]): Map<string, StageReport> {
  return new Map(
    measures.map(({ path, report }) => {
      if (report.stage === 'measure_model') return [modelsKey(report.inputs.model!.map(({ id }) => id)), report];
      throw new InputError(
        `Cannot use ${path} as --measures: it is a folder of ${report.stage}; give folders of measure_model`,
      );
    }),
  );
}

interface Traced {
  read: Reader;
  /** By `modelsKey`. */
  measures: ReadonlyMap<string, StageReport>;
}

function chainOf(score: { path: string; report: StageReport }, { read, measures }: Traced): Chain {
  if (score.report.stage !== 'score') {
    throw new InputError(`Cannot report ${score.path}: it is a folder of ${score.report.stage}; give folders of score`);
  }
  const [decode] = read(score, 'hypotheses');
  const [model] = read(decode, 'model');
  const essences = model
    ? [...read(model, 'targets'), ...read(model, 'untranscribedTargets')]
    : read(decode, 'posteriors');
  const [essence] = essences;
  const [logits] = read(essence, 'logits');
  return {
    score: score.report,
    utterances: readScoredUtterances(join(score.path, 'utterances.tsv')),
    decode: decode?.report,
    model: model?.report,
    essences: essences.map(({ report }) => report),
    logits: logits?.report,
    measure: measures.get(modelsKey(model ? [model.report.id] : membersOf(logits?.report, essence?.report))),
  };
}

/** Ids of the models whose posteriors an ensemble combines, those of each fold among them. */
const membersOf = (logits: StageReport | undefined, essence: StageReport | undefined): string[] =>
  selectedTeachers(logits, essence).flatMap((teacher) => {
    const { id, crossFit } = teacher as { id: string; crossFit?: { members: { id: string }[] } };
    return crossFit ? crossFit.members.map((member) => member.id) : [id];
  });

function readScoredUtterances(file: string): AlignedUtterance[] {
  try {
    return parseScoredUtterances(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`Cannot read scores: ${error.message}; score again`);
  }
}

function mismatchAsInputError<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    throw error instanceof MismatchError ? new InputError(error.message) : error;
  }
}

/** What to type for these settings; defaults are left out. */
function commandOf(given: Record<string, string | number | string[] | undefined>): string {
  const words = Object.entries(given).flatMap(([flag, value]) =>
    value === undefined || value === (options as OptionTable)[flag]?.default
      ? []
      : [`--${flag}`, ...[value].flat().map(quoted)],
  );
  return ['report', ...words, '--out DIR'].join(' ');
}

const quoted = (value: string | number): string =>
  /^[\w./:=@%+-]+$/.test(String(value)) ? String(value) : `'${String(value).replaceAll("'", `'\\''`)}'`;

export const stage = {
  name: 'report',
  version: 1,
  summary: 'compare arms: intervals, paired tests, a page and a table',
  examples: ['$0 --scores exp/digits/seen/score/*/s*/test --title Digits --out exp/digits/seen/report'],
  options,
  run,
  render: (report) =>
    markdownTables(report as unknown as Rows, {
      baseline: String(report.options.baseline),
      ensemble: String(report.options.ensemble),
    }),
} satisfies Stage;

await runIfMain(import.meta, stage);
