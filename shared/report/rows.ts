import { bootstrapErrorRates } from '../math/bootstrap.ts';
import { centralInterval } from '../math/quantile.ts';
import { createRandom } from '../math/random.ts';
import { holmAdjusted, signFlipTest } from '../math/sign_flips.ts';
import { wordErrorRate } from '../math/word_error_rate.ts';
import { plural } from './format.ts';
import { type CurvePoint, MismatchError, type Run, type ScoredUtterance } from './runs.ts';

export interface Interval {
  low: number;
  high: number;
}

/** A paired comparison with another arm; rates are fractions, below 0: fewer errors than the other. */
export interface Comparison extends Interval {
  difference: number;
  /** Two-sided, by sign flips over utterances. */
  p: number;
  /** After Holm's correction for all comparisons of the report. */
  pHolm: number;
}

/** Why two arms were not compared. */
export interface Refusal {
  refused: string;
}

export interface Row {
  protocol: string;
  size: string;
  arm: string;
  seeds: string[];
  utterances: number;
  words: number;
  wer: Interval & { value: number; over: 'seeds and utterances' | 'utterances' };
  /** Errors per seed, on average. */
  errors: { insertions: number; deletions: number; substitutions: number };
  /** Undefined where there is nothing to compare with: the other arm is missing or is this one. */
  toBaseline?: Comparison | Refusal;
  toEnsemble?: Comparison | Refusal;
  parameters?: number;
  modelBytes?: number;
  frameAccuracy?: number;
  keptMass?: number;
  bytesPerFrame?: number;
  trainingSeconds?: number;
  /** Each seed (of teachers: each teacher) by itself. */
  runs: { arm: string; seed: string; wer: number; ids: Record<string, string>[] }[];
  /** Mean over runs, where all of them have the update. */
  curve: CurvePoint[];
  filter?: Record<string, unknown>;
  warnings: string[];
}

export interface Rows {
  rows: Row[];
  /** Paired tests made, the family of Holm's correction. */
  comparisons: number;
  /** What a reader should know about the table as a whole. */
  notes: string[];
}

export interface RowOptions {
  /** Name of the arm that each size is compared with. */
  baseline: string;
  ensemble: string;
  resamples: number;
  /** Of the resampling. */
  seed: number;
}

/** An arm before statistics: errors of one table, [seeds × utterances] row-major, utterances sorted by id. */
interface Arm {
  protocol: string;
  size: string;
  arm: string;
  seeds: string[];
  runs: Run[];
  perSeed: Run[][];
  names: string[];
  words: Float64Array;
  errors: Float64Array;
  /** Rates on resamples: those of arms of the same utterances are paired, element by element. */
  resampled: Float64Array;
}

/**
 * One row per protocol, size and arm, with intervals and paired comparisons.
 *
 * Runs of one arm and seed with different utterances (rotations of held-out speakers) are pooled. Runs of size
 * `teacher` share one row, each of them in the place of a seed, and are compared with the ensemble of their seed. An
 * ensemble that exists once is paired with every seed.
 *
 * @throws {MismatchError} when the utterances of an arm differ from seed to seed, or an utterance is scored twice
 */
export function reportRows(runs: readonly Run[], options: RowOptions): Rows {
  const keyOf = ({ protocol, size, arm }: Run) => JSON.stringify([protocol, size, size === 'teacher' ? '' : arm]);
  const arms = [...groupBy(runs, keyOf).values()].map(armOf);
  const pairs = arms.map((arm) => ({
    arm,
    base: arms.find(
      ({ protocol, size, arm: name }) => protocol === arm.protocol && size === arm.size && name === options.baseline,
    ),
    whole: ensembleFor(arm, arms, options),
  }));
  resampleInto(new Set(pairs.flatMap(({ arm, whole }) => (whole ? [arm, whole] : [arm]))), options);
  const rows = pairs.map(
    ({ arm, base, whole }): Row => ({
      ...figures(arm),
      toBaseline: compared(arm, base, options),
      toEnsemble: compared(arm, whole, { ...options, acceptSingle: true }),
    }),
  );
  const comparisons = rows.flatMap(({ toBaseline, toEnsemble }) => [toBaseline, toEnsemble]).filter(isComparison);
  holmAdjusted(comparisons.map(({ p }) => p)).forEach((pHolm, i) => {
    comparisons[i]!.pHolm = pHolm;
  });
  return {
    rows: ordered(rows, options.baseline),
    comparisons: comparisons.length,
    notes: notesOn(rows, comparisons.length, options),
  };
}

/** Whether two arms were compared. */
export const isComparison = (found: Comparison | Refusal | undefined): found is Comparison =>
  found !== undefined && 'p' in found;

/** Writes the resampled rates of arms; those on the same utterances are drawn together. */
function resampleInto(arms: Iterable<Arm>, { resamples, seed }: RowOptions): void {
  for (const alike of groupBy([...arms], utterancesKey).values()) {
    const { words, protocol } = alike[0]!;
    const random = createRandom(seed, 'bootstrap', protocol);
    bootstrapErrorRates({ words, tables: alike, resamples, random }).forEach((rates, i) => {
      alike[i]!.resampled = rates;
    });
  }
}

function compared(
  arm: Arm,
  other: Arm | undefined,
  { resamples, seed, acceptSingle = false }: RowOptions & { acceptSingle?: boolean },
): Comparison | Refusal | undefined {
  if (!other || other === arm) return undefined;
  const refused = whyNotPaired(arm, other, acceptSingle);
  if (refused) return { refused };
  const random = createRandom(seed, 'sign flips', arm.protocol, arm.size, arm.arm, other.arm);
  const p = signFlipTest(pairedDifferences(arm, other), { resamples, random });
  return {
    difference: rateOf(arm) - rateOf(other),
    ...centralInterval(arm.resampled.map((rate, i) => rate - other.resampled[i]!)),
    p,
    pHolm: p,
  };
}

/** The ensemble an arm is compared with: to teachers it comes once for each, with the teacher's seed. */
function ensembleFor(arm: Arm, arms: readonly Arm[], { ensemble: name }: RowOptions): Arm | undefined {
  const named = arms.filter((other) => other.protocol === arm.protocol && other.arm === name);
  const ensemble = named.find(({ size }) => size === 'ensemble') ?? named[0];
  if (!ensemble || arm.size !== 'teacher') return ensemble;
  const rows = arm.perSeed.map(([teacher]) => ensemble.seeds.indexOf(teacher!.seed));
  if (rows.includes(-1)) return ensemble;
  const utterances = ensemble.names.length;
  const errors = rows.flatMap((row) => [...ensemble.errors.subarray(row * utterances, (row + 1) * utterances)]);
  return { ...ensemble, seeds: arm.seeds, errors: Float64Array.from(errors) };
}

function armOf(runs: Run[]): Arm {
  const { protocol, size } = runs[0]!;
  const teachers = size === 'teacher';
  const bySeed = [...groupBy(runs, (run) => (teachers ? `${run.arm} ${run.seed}`.trim() : run.seed))].sort(([a], [b]) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const arm = !teachers ? runs[0]!.arm : bySeed.length > 1 ? `teachers (mean of ${bySeed.length})` : runs[0]!.arm;
  const place = `arm "${arm}" (${size}, ${protocol})`;
  const pooled = bySeed.map(([seed, ofSeed]) => poolUtterances(ofSeed, `${place}${seed && `, seed ${seed}`}`));
  const [first] = pooled as [ScoredUtterance[]];
  pooled.forEach((utterances, i) => {
    checkSameUtterances(utterances, first, { place, seeds: [bySeed[i]![0], bySeed[0]![0]] });
  });
  return {
    protocol,
    size,
    arm,
    runs,
    seeds: bySeed.map(([seed]) => seed),
    perSeed: bySeed.map(([, ofSeed]) => ofSeed),
    names: first.map(({ utterance }) => utterance),
    words: Float64Array.from(first, ({ words }) => words),
    errors: Float64Array.from(
      pooled.flat(),
      ({ insertions, deletions, substitutions }) => insertions + deletions + substitutions,
    ),
    resampled: new Float64Array(0),
  };
}

function checkSameUtterances(
  found: readonly ScoredUtterance[],
  expected: readonly ScoredUtterance[],
  { place, seeds }: { place: string; seeds: readonly [found: string, expected: string] },
): void {
  const odd = found.findIndex(
    ({ utterance, words }, i) => utterance !== expected[i]?.utterance || words !== expected[i]?.words,
  );
  if (odd < 0 && found.length === expected.length) return;
  const first = (odd < 0 ? expected[found.length] : found[odd])!.utterance;
  throw new MismatchError(
    `Cannot average the seeds of ${place}: seed ${seeds[0]} has ${plural(found.length, 'utterance')}, seed ${seeds[1]} has ${expected.length}, first difference at "${first}"; score all seeds on the same data, or leave the incomplete one out`,
  );
}

function poolUtterances(runs: Run[], place: string): ScoredUtterance[] {
  const pooled = runs
    .flatMap(({ utterances }) => utterances)
    .sort((a, b) => (a.utterance < b.utterance ? -1 : a.utterance > b.utterance ? 1 : 0));
  const twice = pooled.find(({ utterance }, i) => utterance === pooled[i + 1]?.utterance);
  if (twice) {
    throw new MismatchError(
      `Cannot pool the scores of ${place}: utterance "${twice.utterance}" is scored twice; give each score once, and other arms other names`,
    );
  }
  return pooled;
}

const utterancesKey = ({ protocol, names, words }: Arm): string => JSON.stringify([protocol, names, [...words]]);

function whyNotPaired(arm: Arm, other: Arm, acceptSingle: boolean): string | undefined {
  if (utterancesKey(arm) !== utterancesKey(other)) {
    return `not the same utterances as "${other.arm}" (${arm.names.length} and ${other.names.length})`;
  }
  if (acceptSingle && other.seeds.length === 1) return undefined;
  if (JSON.stringify(arm.seeds) === JSON.stringify(other.seeds)) return undefined;
  return `not the same seeds as "${other.arm}" (${arm.seeds.join(', ') || 'none'} and ${other.seeds.join(', ') || 'none'})`;
}

/** Errors per utterance, averaged over seeds, less those of the other. */
function pairedDifferences(arm: Arm, other: Arm): Float64Array {
  const mean = ({ errors, seeds }: Arm, utterance: number) => {
    let sum = 0;
    for (let place = utterance; place < errors.length; place += arm.names.length) sum += errors[place]!;
    return sum / seeds.length;
  };
  return Float64Array.from(arm.names, (_, utterance) => mean(arm, utterance) - mean(other, utterance));
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

const rateOf = ({ errors, seeds, words }: Arm): number => total(errors) / (seeds.length * total(words));

function figures(arm: Arm): Omit<Row, 'toBaseline' | 'toEnsemble'> {
  const { runs, seeds, perSeed, words } = arm;
  const meanOf = (
    figure: 'parameters' | 'modelBytes' | 'frameAccuracy' | 'keptMass' | 'bytesPerFrame' | 'trainingSeconds',
  ) => mean(runs.map((run) => run[figure]));
  const totalOf = (kind: 'insertions' | 'deletions' | 'substitutions') =>
    runs.reduce((sum, run) => run.utterances.reduce((inner, counts) => inner + counts[kind], sum), 0) / seeds.length;
  return {
    protocol: arm.protocol,
    size: arm.size,
    arm: arm.arm,
    seeds,
    utterances: arm.names.length,
    words: total(words),
    wer: {
      value: rateOf(arm),
      ...centralInterval(arm.resampled),
      over: seeds.length > 1 ? 'seeds and utterances' : 'utterances',
    },
    errors: {
      insertions: totalOf('insertions'),
      deletions: totalOf('deletions'),
      substitutions: totalOf('substitutions'),
    },
    parameters: meanOf('parameters'),
    modelBytes: meanOf('modelBytes'),
    frameAccuracy: meanOf('frameAccuracy'),
    keptMass: meanOf('keptMass'),
    bytesPerFrame: meanOf('bytesPerFrame'),
    trainingSeconds: meanOf('trainingSeconds'),
    runs: perSeed.map((ofSeed) => ({
      arm: ofSeed[0]!.arm,
      seed: ofSeed[0]!.seed,
      wer: wordErrorRate(ofSeed.flatMap(({ utterances }) => utterances)),
      ids: ofSeed.map(({ ids }) => ids),
    })),
    curve: meanCurve(runs.map(({ curve }) => curve)),
    filter: runs[0]!.filter,
    warnings: warningsOf(arm),
  };
}

function warningsOf(arm: Arm): string[] {
  const edges = [...new Set(arm.runs.flatMap(({ atEdge }) => atEdge))];
  const warnings: string[] = [];
  if (edges.length > 0) {
    const affected = arm.runs.filter(({ atEdge }) => atEdge.length > 0).length;
    warnings.push(
      `tuned ${edges.join(', ')} at the edge of the grid in ${affected} of ${plural(arm.runs.length, 'run')}: a wider grid might do better`,
    );
  }
  if (arm.seeds.length === 1) warnings.push('one seed only: the interval says nothing about seeds');
  if (arm.errors.every((count) => count === 0)) {
    warnings.push(
      `no error seen: resampling cannot say more, but rates up to ${(300 / total(arm.words)).toFixed(2)} % (3 ÷ words) remain likely`,
    );
  }
  return warnings;
}

function meanCurve(curves: readonly (readonly CurvePoint[])[]): CurvePoint[] {
  const known = curves.filter((curve) => curve.length > 0);
  const points = [...groupBy(known.flat(), ({ update }) => String(update)).values()].filter(
    (alike) => alike.length === known.length,
  );
  return points
    .map((alike) => ({
      update: alike[0]!.update,
      devCrossEntropy: mean(alike.map((point) => point.devCrossEntropy))!,
      devFrameAccuracy: mean(alike.map((point) => point.devFrameAccuracy))!,
    }))
    .sort((a, b) => a.update - b.update);
}

/** Mean of the values that are known, undefined where none is. */
function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}

const sizeOrder = ['ensemble', 'teacher', 'large', 'small'];
const rankOf = (size: string): number => (sizeOrder.indexOf(size) + sizeOrder.length + 1) % (sizeOrder.length + 1);

/** By protocol, then size; within a size the baseline first, the others from few errors to many. */
function ordered(rows: Row[], baseline: string): Row[] {
  return rows.toSorted(
    (a, b) =>
      a.protocol.localeCompare(b.protocol, 'en') ||
      rankOf(a.size) - rankOf(b.size) ||
      a.size.localeCompare(b.size, 'en') ||
      Number(b.arm === baseline) - Number(a.arm === baseline) ||
      a.wer.value - b.wer.value ||
      a.arm.localeCompare(b.arm, 'en'),
  );
}

function notesOn(rows: readonly Row[], comparisons: number, { baseline, ensemble, resamples }: RowOptions): string[] {
  const notes: string[] = [];
  if (comparisons / (resamples + 1) > 0.05) {
    notes.push(
      `${plural(comparisons, 'comparison')} with ${resamples} resamples: no corrected p can fall below 0.05; raise --resamples.`,
    );
  }
  for (const [protocol, peers] of groupBy(rows, (row) => row.protocol)) {
    if (!peers.some(({ arm }) => arm === ensemble))
      notes.push(`No arm "${ensemble}" under ${protocol}: nothing is compared with the ensemble.`);
    for (const [size, alike] of groupBy(peers, (row) => row.size)) {
      if (size !== 'ensemble' && size !== 'teacher' && !alike.some(({ arm }) => arm === baseline)) {
        notes.push(`No arm "${baseline}" of size ${size} under ${protocol}: that size is compared with no baseline.`);
      }
    }
  }
  return notes;
}

function groupBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}
