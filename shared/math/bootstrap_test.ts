import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrapErrorRates } from './bootstrap.ts';
import { centralInterval } from './quantile.ts';
import { createRandom } from './random.ts';

const names = (count: number) => Array.from({ length: count }, (_, i) => `s${i}`);
const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: Float64Array) => {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
};

test('bootstrapErrorRates() of constant errors does not vary', () => {
  const words = Float64Array.of(2, 2, 2);
  const [rates] = bootstrapErrorRates({
    words,
    tables: [{ seeds: ['a', 'b'], errors: new Float64Array(6).fill(1) }],
    resamples: 50,
    random: createRandom(1),
  });
  assert.ok(rates!.every((rate) => rate === 0.5));
});

test('bootstrapErrorRates() of one seed has the spread of the plain bootstrap: √(p(1−p)/n)', () => {
  const errors = Float64Array.from({ length: 100 }, (_, i) => (i < 20 ? 1 : 0));
  const [rates] = bootstrapErrorRates({
    words: new Float64Array(100).fill(1),
    tables: [{ seeds: ['0'], errors }],
    resamples: 20000,
    random: createRandom(2),
  });
  assert.ok(Math.abs(mean(rates!) - 0.2) < 0.002);
  assert.ok(Math.abs(deviation(rates!) - 0.04) < 0.002);
});

test('bootstrapErrorRates() of seeds that differ on all utterances alike has the spread of their mean', () => {
  const errors = Float64Array.from({ length: 4 * 10 }, (_, i) => Math.floor(i / 10)); // seeds 0, 1, 2, 3: variance 5/3
  const [rates] = bootstrapErrorRates({
    words: new Float64Array(10).fill(1),
    tables: [{ seeds: names(4), errors }],
    resamples: 20000,
    random: createRandom(3),
  });
  assert.ok(Math.abs(deviation(rates!) - Math.sqrt(5 / 3 / 4)) < 0.01);
});

test('bootstrapErrorRates() pairs tables: a constant gap stays constant in every resample', () => {
  const random = createRandom(4);
  const words = new Float64Array(30).fill(1);
  const errors = Float64Array.from({ length: 90 }, () => random.integer(3));
  const worse = errors.map((count) => count + 1);
  const tables = [
    { seeds: names(3), errors },
    { seeds: names(3), errors: worse },
  ];
  const [a, b] = bootstrapErrorRates({ words, tables, resamples: 200, random });
  assert.ok(a!.every((rate, i) => Math.abs(b![i]! - rate - 1) < 1e-9));
});

test('bootstrapErrorRates() is the same for the same seed of the generator', () => {
  const draw = () =>
    bootstrapErrorRates({
      words: new Float64Array(4).fill(1),
      tables: [{ seeds: ['0'], errors: Float64Array.of(0, 1, 0, 2) }],
      resamples: 20,
      random: createRandom('x', 5),
    });
  assert.deepEqual(draw(), draw());
});

test('bootstrapErrorRates() counts utterances by their words, and draws again where none were drawn', () => {
  const [rates] = bootstrapErrorRates({
    words: Float64Array.of(0, 4),
    tables: [{ seeds: ['0'], errors: Float64Array.of(0, 1) }],
    resamples: 100,
    random: createRandom(6),
  });
  assert.ok(rates!.every((rate) => rate === 0.25));
});

test('bootstrapErrorRates() refuses tables of another shape', () => {
  const random = createRandom(7);
  assert.throws(
    () =>
      bootstrapErrorRates({
        words: Float64Array.of(1, 1),
        tables: [{ seeds: ['0'], errors: new Float64Array(3) }],
        resamples: 1,
        random,
      }),
    /3 error counts as 1 seeds × 2 utterances/,
  );
  assert.throws(
    () => bootstrapErrorRates({ words: new Float64Array(2), tables: [], resamples: 1, random }),
    /without words/,
  );
});

test('bootstrapErrorRates() intervals cover the true rate where seeds and utterances both vary', () => {
  const random = createRandom('coverage');
  const [trials, seeds, utterances] = [400, 8, 60];
  let covered = 0;
  for (let trial = 0; trial < trials; trial++) {
    const ofSeed = Float64Array.from({ length: seeds }, () => 0.3 * random.normal());
    const ofUtterance = Float64Array.from({ length: utterances }, () => 0.5 * random.normal());
    const errors = Float64Array.from(
      { length: seeds * utterances },
      (_, i) => 3 + ofSeed[Math.floor(i / utterances)]! + ofUtterance[i % utterances]! + 0.5 * random.normal(),
    );
    const [rates] = bootstrapErrorRates({
      words: new Float64Array(utterances).fill(1),
      tables: [{ seeds: names(seeds), errors }],
      resamples: 400,
      random,
    });
    const { low, high } = centralInterval(rates!);
    if (low <= 3 && 3 <= high) covered++;
  }
  assert.ok(covered / trials > 0.9 && covered / trials <= 0.99, `covered ${covered} of ${trials}`);
});
