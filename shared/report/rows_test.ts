import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Comparison, type Row, reportRows } from './rows.ts';
import { MismatchError, type Run } from './runs.ts';
import { alignedUtterance } from './testdata/aligned_utterance.ts';
import { syntheticRuns } from './testdata/synthetic_runs.ts';

const settings = { baseline: 'hard', ensemble: 'ensemble', resamples: 400, seed: 0 };

/** A run with those substitutions, utterance by utterance, 2 words each. */
const run = (arm: string, seed: string, substitutions: number[], more: Partial<Run> = {}): Run => ({
  protocol: 'seen',
  size: 'small',
  arm,
  seed,
  ids: { score: `${arm}-${seed}` },
  rate: 'wer',
  normalised: '',
  utterances: substitutions.map((count, i) =>
    alignedUtterance({ utterance: `u${i}`, words: 2, insertions: 0, deletions: 0, substitutions: count }),
  ),
  curve: [],
  atEdge: [],
  ...more,
});
const row = (rows: Row[], arm: string): Row => rows.find((found) => found.arm === arm)!;
const compared = (comparison: Row['toBaseline']): Comparison => {
  assert.ok(comparison && 'p' in comparison, JSON.stringify(comparison));
  return comparison;
};

test('reportRows() compares an arm with the baseline of its size, utterance by utterance', () => {
  const { rows, comparisons } = reportRows(
    [
      run('hard', '0', [1, 1, 0, 1]),
      run('hard', '1', [1, 0, 0, 1]),
      run('top3', '0', [0, 0, 0, 1]),
      run('top3', '1', [0, 0, 0, 0]),
    ],
    settings,
  );
  const top3 = row(rows, 'top3');
  assert.equal(top3.wer.value, 1 / 16);
  assert.equal(top3.wer.over, 'seeds and utterances');
  const { difference, low, high, p } = compared(top3.toBaseline);
  assert.equal(difference, 1 / 16 - 5 / 16);
  assert.ok(low <= difference && difference <= high && p > 0 && p <= 1);
  assert.equal(row(rows, 'hard').toBaseline, undefined);
  assert.equal(comparisons, 1);
  assert.deepEqual(
    rows.map(({ arm }) => arm),
    ['hard', 'top3'],
  );
});

test('reportRows() says that a difference stands where test and interval agree, over several seeds', () => {
  const [none, all] = [new Array<number>(20).fill(0), new Array<number>(20).fill(1)];
  const standing = (seeds: readonly string[]) => {
    const runs = seeds.flatMap((seed) => [run('hard', seed, all), run('top3', seed, none), run('same', seed, all)]);
    const { rows } = reportRows(runs, settings);
    return ['top3', 'same'].map((arm) => compared(row(rows, arm).toBaseline).stands);
  };
  assert.deepEqual(standing(['0', '1']), [true, false]);
  assert.deepEqual(standing(['0']), [false, false]);
});

test('reportRows() averages errors over seeds', () => {
  const { rows } = reportRows([run('hard', '0', [2, 1]), run('hard', '1', [0, 0])], settings);
  assert.deepEqual(rows[0]!.errors, { insertions: 0, deletions: 0, substitutions: 1.5 });
  assert.deepEqual(
    rows[0]!.runs.map(({ seed, wer }) => [seed, wer]),
    [
      ['0', 0.75],
      ['1', 0],
    ],
  );
});

test('reportRows() says when there is one seed only', () => {
  const { rows } = reportRows([run('hard', '0', [1, 0, 1])], settings);
  assert.equal(rows[0]!.wer.over, 'utterances');
  assert.match(rows[0]!.warnings.join(), /one seed only/);
});

test('reportRows() says that an interval without errors is too good', () => {
  const { rows } = reportRows([run('hard', '0', [0, 0, 0]), run('hard', '1', [0, 0, 0])], settings);
  assert.deepEqual([rows[0]!.wer.low, rows[0]!.wer.high], [0, 0]);
  assert.match(rows[0]!.warnings.join(), /no error seen: .* 50\.00 %/);
});

test('reportRows() refuses to pair other seeds or other utterances, and says why', () => {
  const { rows, comparisons } = reportRows(
    [
      run('hard', '0', [1, 0, 1]),
      run('hard', '1', [1, 0, 1]),
      run('fewer-seeds', '0', [1, 0, 1]),
      run('fewer-utterances', '0', [1, 0]),
      run('fewer-utterances', '1', [1, 0]),
    ],
    settings,
  );
  assert.match(JSON.stringify(row(rows, 'fewer-seeds').toBaseline), /not the same seeds as \\"hard\\" \(0 and 0, 1\)/);
  assert.match(
    JSON.stringify(row(rows, 'fewer-utterances').toBaseline),
    /not the same utterances as \\"hard\\" \(2 and 3\)/,
  );
  assert.equal(comparisons, 0);
});

test('reportRows() pairs one ensemble with every seed, and several with their own', () => {
  const ensemble = (seed: string, errors: number[]) => run('ensemble', seed, errors, { size: 'ensemble' });
  const students = [run('hard', '0', [1, 0, 1]), run('hard', '1', [1, 1, 1])];
  for (const ensembles of [[ensemble('0', [0, 0, 1])], [ensemble('0', [0, 0, 1]), ensemble('1', [0, 0, 1])]]) {
    const { rows } = reportRows([...students, ...ensembles], settings);
    assert.ok(Math.abs(compared(row(rows, 'hard').toEnsemble).difference - (5 / 12 - 1 / 6)) < 1e-12);
    assert.deepEqual(
      rows.map(({ size }) => size),
      ['ensemble', 'small'],
    );
  }
});

test('reportRows() puts teachers into one row and keeps each of them', () => {
  const teacher = (arm: string, errors: number[]) => run(arm, '0', errors, { size: 'teacher' });
  const { rows } = reportRows([teacher('t0', [1, 0]), teacher('t1', [0, 0]), teacher('t2', [1, 1])], settings);
  assert.equal(rows.length, 1);
  assert.equal(rows[0]!.arm, 'teachers (mean of 3)');
  assert.deepEqual(
    rows[0]!.runs.map(({ arm, wer }) => [arm, wer]),
    [
      ['t0', 0.25],
      ['t1', 0],
      ['t2', 0.5],
    ],
  );
});

test('reportRows() compares students with one teacher in the place of the ensemble', () => {
  const of = (size: string, arm: string, seed: string, errors: number[]) => run(arm, seed, errors, { size });
  const { rows } = reportRows(
    [
      of('teacher', 't1', '0', [1, 0]),
      of('teacher', 't1', '1', [0, 0]),
      of('teacher', 't2', '0', [1, 1]),
      of('teacher', 't2', '1', [1, 1]),
      of('large', 'hard', '0', [1, 1]),
      of('large', 'hard', '1', [1, 0]),
    ],
    { ...settings, ensemble: 't1' },
  );
  assert.deepEqual(
    rows.map(({ arm }) => arm),
    ['t1', 'teachers (mean of 2)', 'hard'],
  );
  assert.equal(row(rows, 't1').toEnsemble, undefined);
  const words = row(rows, 'hard').words;
  assert.equal(compared(row(rows, 'hard').toEnsemble).difference, 1 / words); // 2 and 1 errors, 1 and 0 of the teacher
  assert.equal(compared(row(rows, 'teachers (mean of 2)').toEnsemble).difference, 1.5 / words);
});

test('reportRows() compares teachers with the ensemble of their seed', () => {
  const of = (size: string, arm: string, seed: string, errors: number[]) => run(arm, seed, errors, { size });
  const { rows } = reportRows(
    [
      of('ensemble', 'ensemble', '0', [0, 0]),
      of('ensemble', 'ensemble', '1', [0, 1]),
      of('teacher', 't1', '0', [1, 0]),
      of('teacher', 't1', '1', [1, 1]),
      of('teacher', 't2', '0', [1, 0]),
      of('teacher', 't2', '1', [1, 1]),
    ],
    settings,
  );
  const { difference, low, high } = compared(row(rows, 'teachers (mean of 4)').toEnsemble);
  assert.equal(difference, 3 / 8 - 1 / 8);
  assert.ok(low === 0 && high === 0.5); // each teacher errs once more than its ensemble, always on the first utterance
  assert.equal(rows.length, 2);
});

test('reportRows() draws seeds, not the teachers of a seed, who share one ensemble', () => {
  const errors = [0, 1, 2, 1].map((more) => Array.from({ length: 20 }, (_, i) => (i < 5 + 3 * more ? 1 : 0)));
  const none = new Array<number>(20).fill(0);
  const { rows } = reportRows(
    errors.flatMap((wrong, i) => [
      run('ensemble', `${i}`, wrong, { size: 'ensemble' }),
      run('hard', `${i}`, none),
      ...['t1', 't2', 't3'].map((teacher) => run(teacher, `${i}`, none, { size: 'teacher' })),
    ]),
    settings,
  );
  const [student, teachers] = ['hard', 'teachers (mean of 12)'].map((arm) => compared(row(rows, arm).toEnsemble));
  assert.deepEqual([teachers!.low, teachers!.high], [student!.low, student!.high]);
  assert.equal(row(rows, 'teachers (mean of 12)').runs.length, 12);
});

test('reportRows() pools rotations with different utterances, seed by seed', () => {
  const rotation = (seed: string, speaker: string, errors: number[]) => {
    const made = run('hard', seed, errors);
    return {
      ...made,
      utterances: made.utterances.map((counts) => ({ ...counts, utterance: `${speaker}-${counts.utterance}` })),
    };
  };
  const { rows } = reportRows(
    [rotation('0', 'a', [1]), rotation('0', 'b', [0, 0]), rotation('1', 'a', [0]), rotation('1', 'b', [1, 1])],
    settings,
  );
  assert.deepEqual([rows[0]!.utterances, rows[0]!.words, rows[0]!.seeds], [3, 6, ['0', '1']]);
  assert.deepEqual(
    rows[0]!.runs.map(({ wer, ids }) => [wer, ids.length]),
    [
      [1 / 6, 2],
      [2 / 6, 2],
    ],
  );
});

test('reportRows() refuses an arm whose seeds were scored on other utterances', () => {
  assert.throws(
    () => reportRows([run('hard', '0', [1, 0]), run('hard', '1', [1])], settings),
    (error) =>
      error instanceof MismatchError &&
      /arm "hard" \(small, seen\): seed 1 has 1 utterance, seed 0 has 2/.test(error.message),
  );
});

test('reportRows() refuses the same score twice', () => {
  assert.throws(() => reportRows([run('hard', '0', [1]), run('hard', '0', [1])], settings), /"u0" is scored twice/);
});

test('reportRows() notes an arm that all should be compared with and that is missing', () => {
  const { rows, notes } = reportRows([run('top3', '0', [1, 0])], settings);
  assert.match(notes.join('\n'), /No arm "ensemble" under seen[\s\S]*No arm "hard" of size small/);
  assert.equal(rows[0]!.toEnsemble, undefined);
});

test('reportRows() marks decoding settings at the edge of their grid', () => {
  const { rows } = reportRows([run('hard', '0', [1], { atEdge: ['priorScale'] }), run('hard', '1', [1])], settings);
  assert.match(rows[0]!.warnings.join(), /tuned priorScale at the edge of the grid in 1 of 2 runs/);
});

test('reportRows() corrects all p values of the report together', () => {
  const { rows, comparisons } = reportRows(syntheticRuns({ utterances: 60, seeds: 2 }), settings);
  const tests = rows
    .flatMap(({ toBaseline, toEnsemble }) => [toBaseline, toEnsemble])
    .filter((made): made is Comparison => made !== undefined && 'p' in made);
  assert.equal(tests.length, comparisons);
  const least = Math.min(...tests.map(({ p }) => p));
  assert.ok(tests.every(({ p, pHolm }) => pHolm >= p && pHolm <= 1));
  assert.ok(Math.abs(Math.min(...tests.map(({ pHolm }) => pHolm)) - Math.min(1, least * comparisons)) < 1e-12);
});

test('reportRows() averages curves where all seeds have the update', () => {
  const at = (update: number, devFrameAccuracy: number) => ({ update, devCrossEntropy: 1, devFrameAccuracy });
  const { rows } = reportRows(
    [
      run('hard', '0', [1], { curve: [at(0, 0.25), at(50, 0.5), at(100, 1)] }),
      run('hard', '1', [1], { curve: [at(50, 1), at(0, 0.75)] }),
    ],
    settings,
  );
  assert.deepEqual(
    rows[0]!.curve.map(({ update, devFrameAccuracy }) => [update, devFrameAccuracy]),
    [
      [0, 0.5],
      [50, 0.75],
    ],
  );
});

test('reportRows() is the same for the same seed', () => {
  const runs = syntheticRuns({ utterances: 30, seeds: 2 });
  assert.deepEqual(reportRows(runs, settings), reportRows(runs, settings));
});

test('reportRows() says when there are too few resamples for so many comparisons', () => {
  const runs = syntheticRuns({ utterances: 20, seeds: 1 });
  assert.match(reportRows(runs, { ...settings, resamples: 100 }).notes.join(), /raise --resamples/);
  assert.deepEqual(reportRows(runs, { ...settings, resamples: 1000 }).notes, []);
});

/** Speakers that come in the order of their utterances, one each or several. */
const bySpeakerOf = (runs: readonly Run[], speakerOf: (utterance: string) => string): Run[] =>
  runs.map((run) => ({
    ...run,
    utterances: run.utterances.map((counts) => ({ ...counts, speaker: speakerOf(counts.utterance) })),
  }));

test('reportRows() by speaker, each with one utterance, is that by utterance', () => {
  const runs = bySpeakerOf(syntheticRuns({ utterances: 30, seeds: 2 }), (utterance) => `speaker-${utterance}`);
  const byUtterance = reportRows(runs, settings);
  const bySpeaker = reportRows(runs, { ...settings, unit: 'speaker' });
  assert.deepEqual([byUtterance.unit, bySpeaker.unit], ['utterance', 'speaker']);
  const figures = ({ rows }: typeof bySpeaker) =>
    rows.map(({ wer: { value, low, high }, toBaseline, toEnsemble }) => [
      [value, low, high],
      ...[toBaseline, toEnsemble].map(
        (made) => made && 'p' in made && [made.difference, made.low, made.high, made.pHolm],
      ),
    ]);
  assert.deepEqual(figures(bySpeaker), figures(byUtterance));
  assert.deepEqual([bySpeaker.rows[0]!.speakers, byUtterance.rows[0]!.speakers], [30, undefined]);
  assert.equal(bySpeaker.rows.at(-1)!.wer.over, 'seeds and speakers');
});

test('reportRows() by speaker agrees with numpy', () => {
  const golden = JSON.parse(readFileSync('shared/report/testdata/by_speaker.json', 'utf8'));
  const utterances = golden.utterances as { speaker: string; words: number; hard: number[]; top3: number[] }[];
  const runs = (['hard', 'top3'] as const).flatMap((arm) =>
    [0, 1, 2].map((seed) => ({
      ...run(arm, String(seed), []),
      utterances: utterances.map(({ speaker, words, ...errors }, i) =>
        alignedUtterance({
          ...{ utterance: `u${i}`, speaker, words },
          ...{ insertions: 0, deletions: 0, substitutions: errors[arm][seed]! },
        }),
      ),
    })),
  );
  const { rows } = reportRows(runs, { ...settings, unit: 'speaker', resamples: 40000 });
  const { wer, toBaseline } = row(rows, 'top3');
  const { difference, low, high, p, speakers } = compared(toBaseline);
  const near = (found: number, expected: number, tolerance: number) =>
    assert.ok(Math.abs(found - expected) < tolerance, `${found} is not near ${expected}`);
  near(wer.value, golden.wer, 1e-12);
  near(difference, golden.difference, 1e-12);
  // ends of intervals of 40,000 draws differ by up to 0.0008 from generator to generator; p by 4 binomial deviations
  const ends = [wer.low, wer.high, low, high];
  const expected = [...golden.interval, ...golden.differenceInterval] as number[];
  for (const [i, end] of ends.entries()) near(end, expected[i]!, 0.002);
  near(p, golden.p, 4 * Math.sqrt((golden.p * (1 - golden.p)) / 40000));
  assert.deepEqual(speakers, golden.speakers);
});

test('reportRows() refuses other speakers from seed to seed', () => {
  const runs = [run('hard', '0', [1, 0, 1]), run('hard', '1', [1, 0, 1])];
  const [one, other] = [bySpeakerOf([runs[0]!], () => 'a'), bySpeakerOf([runs[1]!], () => 'b')];
  assert.throws(() => reportRows([...one, ...other], settings), /first difference at "u0"/);
});

test('reportRows() tests segments seed by seed, and signs of speakers where they are the unit', () => {
  const runs = [
    run('hard', '0', [1, 1, 0, 1]),
    run('hard', '1', [1, 0, 0, 1]),
    run('top3', '0', [0, 0, 0, 1]),
    run('top3', '1', [0, 0, 0, 0]),
  ];
  const speakers = bySpeakerOf(runs, (utterance) => utterance);
  const { mapsswe, signTestP } = compared(
    row(reportRows(speakers, { ...settings, unit: 'speaker' }).rows, 'top3').toBaseline,
  );
  // segments with an error: of seed 0 three, differences −1, −1, 0; of seed 1 two, both −1
  assert.deepEqual(
    mapsswe.map(({ seed, segments, meanDifference, z }) => [seed, segments, meanDifference, z.toFixed(3)]),
    [
      ['0', 3, -2 / 3, '-2.000'],
      ['1', 2, -1, '0.000'],
    ],
  );
  assert.equal(signTestP, 5 / 8); // three of four better, the one alike against: 2 × (1 + 4) / 16
});

test('reportRows() refuses to compare words with characters', () => {
  const runs = [run('hard', '0', [1]), run('top3', '0', [0], { rate: 'cer' })];
  assert.throws(() => reportRows(runs, settings), /Cannot compare wer with cer: score all with the same --unit/);
});

test('reportRows() refuses to compare words that were changed with such that were not, and transcripts without words', () => {
  const runs = [run('hard', '0', [1]), run('top3', '0', [0], { normalised: '--normalise case' })];
  assert.throws(() => reportRows(runs, settings), /Cannot compare no change of words with --normalise case: score all/);
  const [silent] = [run('hard', '0', [0])];
  const utterances = silent!.utterances.map((one) => ({ ...one, words: 0 }));
  assert.throws(() => reportRows([{ ...silent!, utterances }], settings), /arm hard: its transcripts have no words/);
});

test('reportRows() by speaker says that a few are too few', () => {
  const runs = bySpeakerOf([run('hard', '0', [1, 0, 1, 1])], (utterance) => (utterance === 'u0' ? 'a' : 'b'));
  const { rows } = reportRows(runs, { ...settings, unit: 'speaker' });
  assert.match(rows[0]!.warnings.join(), /2 speakers only: no p can fall below 0\.5/);
});
