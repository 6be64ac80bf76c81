import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './random.ts';
import { holmAdjusted, signFlipTest } from './sign_flips.ts';

const p = (differences: number[], resamples = 20000) =>
  signFlipTest(Float64Array.from(differences), { resamples, random: createRandom('paired', 1) });

test('signFlipTest() is 1 when nothing differs', () => {
  assert.equal(p([0, 0, 0]), 1);
  assert.equal(p([]), 1);
});

test('signFlipTest() is 2 of 2ⁿ for n equal differences of one sign', () => {
  assert.ok(Math.abs(p([1, 1, 1, 1, 1]) - 2 / 32) < 0.006);
});

test('signFlipTest() agrees with all 16 sign patterns counted by hand', () => {
  // |±3 ± 1 ± 1 ± 1| ≥ 4 in 2·4 of 16 patterns: 3 with at least two of three ones on its side
  assert.ok(Math.abs(p([3, 1, 1, -1]) - 8 / 16) < 0.012);
});

test('signFlipTest() counts ties in spite of rounding', () => {
  assert.equal(
    p(
      [0.1, 0.2, 0.3].map((x) => x / 3),
      1,
    ) === 0,
    false,
  );
  assert.ok(Math.abs(p([0.1, 0.2, 0.3, 0.7]) - 2 / 16) < 0.008);
});

test('signFlipTest() never reaches 0', () => {
  assert.equal(p(new Array(64).fill(1), 999), 1 / 1000);
});

test('signFlipTest() is the same for both directions', () => {
  const random = createRandom('directions');
  const differences = Array.from({ length: 40 }, () => random.integer(5) - 2);
  assert.equal(p(differences), p(differences.map((x) => -x)));
});

test('signFlipTest() rejects as often as its level says when nothing is going on', () => {
  const random = createRandom('level');
  let rejected = 0;
  for (let trial = 0; trial < 1000; trial++) {
    const differences = Float64Array.from({ length: 40 }, () => random.normal());
    if (signFlipTest(differences, { resamples: 199, random }) <= 0.05) rejected++;
  }
  assert.ok(rejected > 28 && rejected < 74, `rejected ${rejected} of 1000`); // 50 ± 3.4 binomial deviations
});

test('signFlipTest() refuses a difference that is not finite', () => {
  assert.throws(() => p([1, Number.NaN]), /NaN/);
});

test('holmAdjusted() multiplies the smallest p by their number, and never falls below a smaller one', () => {
  assert.deepEqual(holmAdjusted([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
});

test('holmAdjusted() stops at 1, keeps a single p, and takes none', () => {
  assert.deepEqual(holmAdjusted([0.6, 0.7]), [1, 1]);
  assert.deepEqual(holmAdjusted([0.04]), [0.04]);
  assert.deepEqual(holmAdjusted([]), []);
});
