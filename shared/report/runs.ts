import type { RateName } from './score_tables.ts';
import type { AlignedUtterance } from './scored_utterances.ts';

/** A report.json as far as it is read here. */
export interface ReportJson {
  id: string;
  stage: string;
  options: Record<string, unknown>;
  [figure: string]: unknown;
}

/** The reports behind one score, each found through the inputs of the one before; not every score has all. */
export interface Chain {
  score: ReportJson;
  utterances: AlignedUtterance[];
  /** Undefined where hypotheses came from elsewhere. */
  decode?: ReportJson;
  model?: ReportJson;
  /** Soft targets: of all audio that a student learns from, or of what is decoded. */
  essences?: ReportJson[];
  logits?: ReportJson;
  /** Of measure_model, where it was run on the model or the members of the ensemble. */
  measure?: ReportJson;
}

export interface CurvePoint {
  update: number;
  devCrossEntropy: number;
  devFrameAccuracy: number;
}

/** What a model takes, from features to log-posteriors. */
export interface Cost {
  multiplyAddsPerSecond: number;
  /** Null where an output frame waits for the whole utterance. */
  lookAheadMs: number | null;
  realTimeFactor: number;
  peakMemoryBytes: number;
}

/** One score and what led to it. Figures that no report gives are undefined. */
export interface Run {
  /** Scores of one protocol, arm, size and seed are pooled: those of rotations, say. */
  protocol: string;
  size: string;
  arm: string;
  seed: string;
  /** Ids along the chain, by stage. */
  ids: Record<string, string>;
  /** What is counted. */
  rate: RateName;
  /** How words were changed on both sides before they were counted, as on the command line; empty where they were not. */
  normalised: string;
  utterances: AlignedUtterance[];
  parameters?: number;
  modelBytes?: number;
  cost?: Cost;
  frameAccuracy?: number;
  /** Fraction of the teacher's mass that the targets keep, over all frames that are learnt from. */
  keptMass?: number;
  bytesPerFrame?: number;
  trainingSeconds?: number;
  curve: CurvePoint[];
  /** Tuned decoding settings that ended at the edge of their grid. */
  atEdge: string[];
  /** Options of the essence, for the list of settings. */
  filter?: Record<string, unknown>;
}

/** Scores that cannot be put into one table. */
export class MismatchError extends Error {
  override name = 'MismatchError';
}

/** What the table needs to know of one score. */
export function runOf({ score, utterances, decode, model, essences = [], logits, measure }: Chain): Run {
  const [essence] = essences;
  const text = (name: string, fallback: string) => String(score.options[name] ?? fallback);
  const teachers = selectedTeachers(logits, essence);
  const total = (figure: string) =>
    model ? numberAt(model, figure) : sum(teachers.map((teacher) => numberAt(teacher, figure)));
  return {
    protocol: text('protocol', 'test'),
    size: text('size', 'model'),
    arm: text('arm', 'unnamed'),
    seed: text('seed', ''),
    ids: Object.fromEntries(
      [score, decode, model, essence, logits].flatMap((report) => (report ? [[report.stage, report.id]] : [])),
    ),
    rate: (score.rate as RateName | undefined) ?? 'wer',
    normalised: ['normalise', 'map']
      .flatMap((name) => (score.options[name] ? [`--${name} ${[score.options[name]].flat().join(' ')}`] : []))
      .join(' '),
    utterances,
    parameters: total('parameters'),
    modelBytes: total('modelBytes'),
    ...(measure ? { cost: costOf(measure) } : {}),
    frameAccuracy: numberAt(decode, 'frameAccuracy'),
    keptMass: overFrames(
      essences,
      openFrames,
      (report) => numberAt(report, 'keptMass', 'mean') ?? numberAt(report, 'keptMass'),
    ),
    bytesPerFrame: overFrames(essences, allFrames, (report) => numberAt(report, 'bytesPerFrame')),
    trainingSeconds: numberAt(model, 'timing', 'seconds'),
    curve: curveOf(model),
    atEdge: [decode?.atEdge].flat().filter((name) => typeof name === 'string'),
    filter: essence?.options,
  };
}

const costOf = (measure: ReportJson): Cost => ({
  multiplyAddsPerSecond: numberAt(measure, 'multiplyAddsPerSecond')!,
  lookAheadMs: numberAt(measure, 'lookAheadMs') ?? null,
  realTimeFactor: numberAt(measure, 'timing', 'realTimeFactor')!,
  peakMemoryBytes: numberAt(measure, 'timing', 'peakMemoryBytes')!,
});

/** What the cache says of the teachers that an essence is made of. */
export function selectedTeachers(
  logits: ReportJson | undefined,
  essence: ReportJson | undefined,
): Record<string, unknown>[] {
  if (!Array.isArray(logits?.teachers)) return [];
  const chosen = essence?.options.teachers;
  return Array.isArray(chosen) && chosen.length > 0
    ? logits.teachers.filter((_, i) => chosen.includes(i))
    : logits.teachers;
}

function curveOf(model: ReportJson | undefined): CurvePoint[] {
  const curves = Array.isArray(model?.curves) ? (model.curves as Record<string, unknown>[]) : [];
  return curves.flatMap(({ update, devCrossEntropy, devFrameAccuracy }) =>
    [update, devCrossEntropy, devFrameAccuracy].every((value) => typeof value === 'number')
      ? [{ update, devCrossEntropy, devFrameAccuracy } as CurvePoint]
      : [],
  );
}

function numberAt(report: Record<string, unknown> | undefined, ...path: string[]): number | undefined {
  let value: unknown = report;
  for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'number' ? value : undefined;
}

const allFrames = (report: ReportJson) => numberAt(report, 'frames');

/** Those that no gate shuts, of which the mass kept is a mean. */
const openFrames = (report: ReportJson) => sum([numberAt(report, 'frames'), -(numberAt(report, 'gatedFrames') ?? 0)]);

/** The mean over the frames of all reports, or undefined where there is nothing or one does not tell. */
function overFrames(
  reports: readonly ReportJson[],
  framesOf: (report: ReportJson) => number | undefined,
  figureOf: (report: ReportJson) => number | undefined,
) {
  const frames = reports.map((report) => (reports.length > 1 ? framesOf(report) : 1));
  const total = sum(
    reports.map((report, i) => {
      const figure = figureOf(report);
      return figure === undefined || frames[i] === undefined ? undefined : figure * frames[i];
    }),
  );
  return total === undefined ? undefined : total / sum(frames)!;
}

/** The sum, or undefined where there is nothing or something unknown to add. */
function sum(values: (number | undefined)[]): number | undefined {
  return values.length === 0
    ? undefined
    : values.reduce((total, value) => (total === undefined || value === undefined ? undefined : total + value));
}
