import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './random.ts';

test('createRandom() gives the same stream for the same seeds and another for others', () => {
  const draw = (...seeds: (number | string)[]) => {
    const random = createRandom(...seeds);
    return Array.from({ length: 8 }, () => random.uint32());
  };
  assert.deepEqual(draw(1, 'noise'), draw(1, 'noise'));
  assert.notDeepEqual(draw(1, 'noise'), draw(1, 'babble'));
  assert.notDeepEqual(draw(1, 2), draw(12));
});

test('createRandom() is uniform and normal in mean and variance', () => {
  const random = createRandom('moments');
  const n = 200_000;
  const moments = (next: () => number) => {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const x = next();
      sum += x;
      squares += x * x;
    }
    return { mean: sum / n, variance: squares / n - (sum / n) ** 2 };
  };
  const uniform = moments(random.uniform);
  const normal = moments(random.normal);
  // four standard errors of each estimate
  assert.ok(Math.abs(uniform.mean - 0.5) < 4 * Math.sqrt(1 / 12 / n));
  assert.ok(Math.abs(uniform.variance - 1 / 12) < 4 * Math.sqrt(1 / 180 / n));
  assert.ok(Math.abs(normal.mean) < 4 / Math.sqrt(n));
  assert.ok(Math.abs(normal.variance - 1) < 4 * Math.sqrt(2 / n));
});

test('createRandom() draws each whole number below the bound equally often', () => {
  const random = createRandom('integers');
  const counts = new Array(7).fill(0);
  for (let i = 0; i < 70_000; i++) counts[random.integer(7)]++;
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  assert.ok(chiSquare < 22.5, `chi-square ${chiSquare} exceeds the 0.1 % point for 6 degrees of freedom`);
  assert.throws(() => random.integer(0), /below 0/);
});

test('createRandom() shuffles into a permutation, in place', () => {
  const values = Array.from({ length: 100 }, (_, i) => i);
  const shuffled = createRandom(3).shuffle(values);
  assert.equal(shuffled, values);
  assert.notDeepEqual(
    values,
    [...values].sort((a, b) => a - b),
  );
  assert.deepEqual(
    [...values].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
});
