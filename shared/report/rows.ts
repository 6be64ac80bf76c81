import { bootstrapErrorRates } from '../math/bootstrap.ts';
import { type MatchedPairs, matchedPairs } from '../math/matched_pairs.ts';
import { centralInterval } from '../math/quantile.ts';
import { createRandom } from '../math/random.ts';
import { holmAdjusted, signFlipTest } from '../math/sign_flips.ts';
import { type Preferences, signTest } from '../math/sign_test.ts';
import { wordErrorRate } from '../math/word_error_rate.ts';
import { plural } from './format.ts';
import { type Cost, type CurvePoint, MismatchError, type Run } from './runs.ts';
import type { RateName } from './score_tables.ts';
import type { AlignedUtterance } from './scored_utterances.ts';

export interface Interval {
  low: number;
  high: number;
}

/** What is resampled, and flips its sign, as a whole. */
export type Unit = 'utterance' | 'speaker';

/** A paired comparison with another arm; rates are fractions, below 0: fewer errors than the other. */
export interface Comparison extends Interval {
  difference: number;
  /** Two-sided, by sign flips over units. */
  p: number;
  /** After Holm's correction for all comparisons of the report. */
  pHolm: number;
  /** Whether it stands up to both: that p below 0.05, and an interval, over several seeds, that leaves out 0. */
  stands: boolean;
  /** Of the matched-pair sentence-segment test, for each seed by itself. */
  mapsswe: ({ seed: string } & MatchedPairs)[];
  /** Speakers with fewer errors than with the other arm, as many, and more; where they are the unit. */
  speakers?: Preferences;
  /** Two-sided, of the signed paired comparison of speakers; where they are the unit. */
  signTestP?: number;
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
  /** Where they are the unit. */
  speakers?: number;
  words: number;
  wer: Interval & { value: number; over: `seeds and ${Unit}s` | `${Unit}s` };
  /** Errors per seed, on average. */
  errors: { insertions: number; deletions: number; substitutions: number };
  /** Undefined where there is nothing to compare with: the other arm is missing or is this one. */
  toBaseline?: Comparison | Refusal;
  toEnsemble?: Comparison | Refusal;
  parameters?: number;
  modelBytes?: number;
  /** Where it was measured. */
  cost?: Cost;
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
  /** What all rates are of. */
  rate: RateName;
  /** Of intervals and tests. */
  unit: Unit;
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
  /** Of intervals and tests; utterances, unless told. Errors and words of a unit are summed before anything is drawn. */
  unit?: Unit;
  resamples: number;
  /** Of the resampling. */
  seed: number;
}

/** What one model said: one seed of an arm, and of teachers one of them with one seed. */
interface Answer {
  /** For messages and tables. */
  name: string;
  seed: string;
  runs: Run[];
  /** Of all runs, sorted by id. */
  utterances: AlignedUtterance[];
}

/**
 * An arm before statistics: errors of one table, [seeds × units] row-major, units sorted by id. Of teachers an error is
 * the mean over those of the seed, who have one ensemble, and are not drawn one by one.
 */
interface Arm {
  protocol: string;
  size: string;
  arm: string;
  seeds: string[];
  answers: Answer[];
  utterances: number;
  /** The same for arms of the same utterances, which can be paired. */
  utterancesKey: string;
  unit: Unit;
  words: Float64Array;
  errors: Float64Array;
  /** Rates on resamples: those of arms of the same utterances are paired, element by element. */
  resampled: Float64Array;
}

/**
 * One row per protocol, size and arm, with intervals and paired comparisons.
 *
 * Runs of one arm and seed with different utterances (rotations of held-out speakers) are pooled. Runs of size
 * `teacher` share one row, of the mean over the teachers of each seed, and are compared with the ensemble of their seed; a
 * teacher that stands in the place of the ensemble has a row of its own. An ensemble that exists once is paired with
 * every seed.
 *
 * @throws {MismatchError} when the utterances of an arm differ from seed to seed, an utterance is scored twice, or not
 * all scores count the same
 */
export function reportRows(runs: readonly Run[], options: RowOptions): Rows {
  const { unit = 'utterance', ensemble } = options;
  const [rate = 'wer', ...others] = new Set(runs.map(({ rate }) => rate));
  if (others.length > 0) {
    throw new MismatchError(`Cannot compare ${[rate, ...others].join(' with ')}: score all with the same --unit`);
  }
  const [changed, ...otherwise] = new Set(runs.map(({ normalised }) => normalised || 'no change of words'));
  if (otherwise.length > 0) {
    throw new MismatchError(`Cannot compare ${[changed, ...otherwise].join(' with ')}: score all in the same way`);
  }
  const empty = runs.find(({ utterances }) => !utterances.some(({ words }) => words > 0));
  if (empty) {
    throw new MismatchError(`Cannot report arm ${empty.arm}: its transcripts have no words; score others`);
  }
  const sharesRow = ({ size, arm }: Run) => size === 'teacher' && arm !== ensemble;
  const keyOf = (run: Run) => JSON.stringify([run.protocol, run.size, sharesRow(run) ? '' : run.arm]);
  const arms = [...groupBy(runs, keyOf).values()].map((alike) => armOf(alike, unit, sharesRow(alike[0]!)));
  const pairs = arms.map((arm) => ({
    arm,
    base: arms.find(
      ({ protocol, size, arm: name }) => protocol === arm.protocol && size === arm.size && name === options.baseline,
    ),
    whole: ensembleOf(arm, arms, options),
  }));
  resampleInto(arms, options);
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
    comparisons[i]!.stands &&= pHolm < 0.05;
  });
  return {
    rate,
    unit,
    rows: ordered(rows, options.baseline),
    comparisons: comparisons.length,
    notes: notesOn(rows, comparisons.length, options),
  };
}

/** Whether two arms were compared. */
export const isComparison = (found: Comparison | Refusal | undefined): found is Comparison =>
  found !== undefined && 'p' in found;

/** Writes the resampled rates of arms; those on the same utterances are drawn together. */
function resampleInto(arms: readonly Arm[], { resamples, seed }: RowOptions): void {
  for (const alike of groupBy(arms, ({ utterancesKey }) => utterancesKey).values()) {
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
  const differences = pairedDifferences(arm, other);
  const p = signFlipTest(differences, { resamples, random });
  const mapsswe = arm.answers.map(({ name, seed, utterances }) => {
    const against = other.answers.find((answer) => answer.seed === seed) ?? other.answers[0]!;
    return { seed: name, ...matchedPairsOf(utterances, against.utterances) };
  });
  const { low, high } = centralInterval(arm.resampled.map((rate, i) => rate - other.resampled[i]!));
  return {
    difference: rateOf(arm) - rateOf(other),
    ...{ low, high, p, pHolm: p },
    stands: arm.seeds.length > 1 && (low > 0 || high < 0),
    mapsswe,
    ...(arm.unit === 'speaker' ? comparedBySpeaker(differences, arm.words) : {}),
  };
}

const matchedPairsOf = (first: readonly AlignedUtterance[], second: readonly AlignedUtterance[]): MatchedPairs =>
  matchedPairs(first.map(({ operations }, i) => ({ first: operations, second: second[i]!.operations })));

/** Rates that differ by less count as equal, as in sc_stats. */
const equalRates = 0.00005;

function comparedBySpeaker(differences: Float64Array, words: Float64Array) {
  const rates = differences.map((difference, i) => (words[i]! > 0 ? difference / words[i]! : difference));
  const count = (is: (rate: number) => boolean) => rates.filter(is).length;
  const speakers = {
    better: count((rate) => rate < -equalRates),
    equal: count((rate) => Math.abs(rate) <= equalRates),
    worse: count((rate) => rate > equalRates),
  };
  return { speakers, signTestP: signTest(speakers) };
}

function ensembleOf(arm: Arm, arms: readonly Arm[], { ensemble: name }: RowOptions): Arm | undefined {
  const named = arms.filter((other) => other.protocol === arm.protocol && other.arm === name);
  return named.find(({ size }) => size === 'ensemble') ?? named[0];
}

function armOf(runs: Run[], unit: Unit, teachers: boolean): Arm {
  const { protocol, size } = runs[0]!;
  const nameOf = (run: Run): string => (teachers ? `${run.arm} ${run.seed}`.trim() : run.seed);
  const alike = [...groupBy(runs, nameOf)].sort(byName);
  const arm = !teachers ? runs[0]!.arm : alike.length > 1 ? `teachers (mean of ${alike.length})` : runs[0]!.arm;
  const place = `arm "${arm}" (${size}, ${protocol})`;
  const answers = alike.map(([name, ofOne]): Answer => {
    const utterances = poolUtterances(ofOne, `${place}${name && `, seed ${name}`}`);
    return { name, seed: ofOne[0]!.seed, runs: ofOne, utterances };
  });
  const [first] = answers as [Answer];
  for (const answer of answers) checkSameUtterances(answer, first, place);
  const ofSeeds = [...groupBy(answers, ({ seed }) => seed)].sort(byName);
  return {
    protocol,
    size,
    arm,
    seeds: ofSeeds.map(([seed]) => seed),
    answers,
    utterances: first.utterances.length,
    utterancesKey: JSON.stringify([
      protocol,
      first.utterances.map(({ utterance, speaker, words }) => [
        utterance,
        words,
        ...(unit === 'speaker' ? [speaker] : []),
      ]),
    ]),
    unit,
    ...summedByUnit(
      ofSeeds.map(([, ofSeed]) => ofSeed),
      unitsOf(first.utterances, unit),
    ),
    resampled: new Float64Array(0),
  };
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => a.localeCompare(b, 'en', { numeric: true });

/** The place of each utterance's unit among all units in order of their names. */
function unitsOf(utterances: readonly AlignedUtterance[], unit: Unit): number[] {
  if (unit === 'utterance') return utterances.map((_, i) => i);
  const speakers = [...new Set(utterances.map(({ speaker }) => speaker))].sort();
  const placeOf = new Map(speakers.map((speaker, i) => [speaker, i]));
  return utterances.map(({ speaker }) => placeOf.get(speaker)!);
}

/** Words of each unit, and its errors, [seeds × units] row-major; `units` is the unit of each utterance. */
function summedByUnit(seeds: readonly Answer[][], units: readonly number[]): Pick<Arm, 'words' | 'errors'> {
  const count = units.reduce((most, unit) => Math.max(most, unit + 1), 0);
  const words = new Float64Array(count);
  const errors = new Float64Array(seeds.length * count);
  units.forEach((unit, i) => {
    words[unit]! += seeds[0]![0]!.utterances[i]!.words;
    seeds.forEach((answers, seed) => {
      for (const { utterances } of answers) {
        const { insertions, deletions, substitutions } = utterances[i]!;
        errors[seed * count + unit]! += (insertions + deletions + substitutions) / answers.length;
      }
    });
  });
  return { words, errors };
}

function checkSameUtterances(found: Answer, expected: Answer, place: string): void {
  const [here, there] = [found.utterances, expected.utterances];
  const odd = here.findIndex(
    ({ utterance, speaker, words }, i) =>
      utterance !== there[i]?.utterance || speaker !== there[i]?.speaker || words !== there[i]?.words,
  );
  if (odd < 0 && here.length === there.length) return;
  const first = (odd < 0 ? there[here.length] : here[odd])!.utterance;
  throw new MismatchError(
    `Cannot average the seeds of ${place}: seed ${found.name} has ${plural(here.length, 'utterance')}, seed ${expected.name} has ${there.length}, first difference at "${first}"; score all seeds on the same data, or leave the incomplete one out`,
  );
}

function poolUtterances(runs: Run[], place: string): AlignedUtterance[] {
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

function whyNotPaired(arm: Arm, other: Arm, acceptSingle: boolean): string | undefined {
  if (arm.utterancesKey !== other.utterancesKey) {
    return `not the same utterances as "${other.arm}" (${arm.utterances} and ${other.utterances})`;
  }
  if (acceptSingle && other.seeds.length === 1) return undefined;
  if (JSON.stringify(arm.seeds) === JSON.stringify(other.seeds)) return undefined;
  return `not the same seeds as "${other.arm}" (${arm.seeds.join(', ') || 'none'} and ${other.seeds.join(', ') || 'none'})`;
}

/** Errors per unit, averaged over seeds, less those of the other. */
function pairedDifferences(arm: Arm, other: Arm): Float64Array {
  const mean = ({ errors, seeds }: Arm, unit: number) => {
    let sum = 0;
    for (let place = unit; place < errors.length; place += arm.words.length) sum += errors[place]!;
    return sum / seeds.length;
  };
  return arm.words.map((_, unit) => mean(arm, unit) - mean(other, unit));
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

const rateOf = ({ errors, seeds, words }: Arm): number => total(errors) / (seeds.length * total(words));

function figures(arm: Arm): Omit<Row, 'toBaseline' | 'toEnsemble'> {
  const { answers, seeds, unit, words } = arm;
  const runs = runsOf(arm);
  const meanOf = (
    figure: 'parameters' | 'modelBytes' | 'frameAccuracy' | 'keptMass' | 'bytesPerFrame' | 'trainingSeconds',
  ) => mean(runs.map((run) => run[figure]));
  const totalOf = (kind: 'insertions' | 'deletions' | 'substitutions') =>
    runs.reduce((sum, run) => run.utterances.reduce((inner, counts) => inner + counts[kind], sum), 0) / answers.length;
  return {
    protocol: arm.protocol,
    size: arm.size,
    arm: arm.arm,
    seeds,
    utterances: arm.utterances,
    ...(unit === 'speaker' ? { speakers: words.length } : {}),
    words: total(words),
    wer: {
      value: rateOf(arm),
      ...centralInterval(arm.resampled),
      over: seeds.length > 1 ? `seeds and ${unit}s` : `${unit}s`,
    },
    errors: {
      insertions: totalOf('insertions'),
      deletions: totalOf('deletions'),
      substitutions: totalOf('substitutions'),
    },
    parameters: meanOf('parameters'),
    modelBytes: meanOf('modelBytes'),
    cost: meanCost(runs.flatMap(({ cost }) => cost ?? [])),
    frameAccuracy: meanOf('frameAccuracy'),
    keptMass: meanOf('keptMass'),
    bytesPerFrame: meanOf('bytesPerFrame'),
    trainingSeconds: meanOf('trainingSeconds'),
    runs: answers.map(({ seed, runs, utterances }) => ({
      arm: runs[0]!.arm,
      seed,
      wer: wordErrorRate(utterances),
      ids: runs.map(({ ids }) => ids),
    })),
    curve: meanCurve(runs.map(({ curve }) => curve)),
    filter: runs[0]!.filter,
    warnings: warningsOf(arm),
  };
}

const runsOf = ({ answers }: Arm): Run[] => answers.flatMap(({ runs }) => runs);

function warningsOf(arm: Arm): string[] {
  const runs = runsOf(arm);
  const edges = [...new Set(runs.flatMap(({ atEdge }) => atEdge))];
  const warnings: string[] = [];
  if (edges.length > 0) {
    const affected = runs.filter(({ atEdge }) => atEdge.length > 0).length;
    warnings.push(
      `tuned ${edges.join(', ')} at the edge of the grid in ${affected} of ${plural(runs.length, 'run')}: a wider grid might do better`,
    );
  }
  if (arm.seeds.length === 1) warnings.push('one seed only: the interval says nothing about seeds');
  if (arm.unit === 'speaker' && arm.words.length < 6) {
    warnings.push(
      `${plural(arm.words.length, 'speaker')} only: no p can fall below ${2 / 2 ** arm.words.length}, and the interval is too short`,
    );
  }
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

function meanCost(costs: readonly Cost[]): Cost | undefined {
  if (costs.length === 0) return undefined;
  const waits = costs.map(({ lookAheadMs }) => lookAheadMs).filter((ms) => ms !== null);
  return {
    multiplyAddsPerSecond: mean(costs.map((cost) => cost.multiplyAddsPerSecond))!,
    lookAheadMs: waits.length < costs.length ? null : mean(waits)!,
    realTimeFactor: mean(costs.map((cost) => cost.realTimeFactor))!,
    peakMemoryBytes: mean(costs.map((cost) => cost.peakMemoryBytes))!,
  };
}

/** Undefined where there is no value, or one is not known: what some have is not said of all. */
function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return values.length === 0 || known.length < values.length
    ? undefined
    : known.reduce((sum, value) => sum + value, 0) / known.length;
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
