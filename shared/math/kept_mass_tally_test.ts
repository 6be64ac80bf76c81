import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeptMassTally } from './kept_mass_tally.ts';
import { createRandom } from './random.ts';

test('a kept mass tally has the mean and the quantiles of all frames, to three digits of what is lost', () => {
  const random = createRandom('tally');
  const lost = Float32Array.from({ length: 2001 }, () => random.uniform() ** 8);
  const tally = createKeptMassTally();
  tally.count(lost.subarray(0, 700));
  tally.count(lost.subarray(700));
  const ascending = lost.slice().sort();
  const { mean, ...quantiles } = tally.summary();
  assert.ok(Math.abs(1 - mean - lost.reduce((sum, value) => sum + value, 0) / 2001) < 1e-12);
  for (const [name, share] of [
    ['p01', 0.01],
    ['p05', 0.05],
    ['p50', 0.5],
  ] as const) {
    const expected = ascending[2001 - Math.ceil(share * 2001)]!;
    assert.ok(Math.abs(1 - quantiles[name] - expected) <= 5e-4 * expected + 1e-9, `${name} ${quantiles[name]}`);
  }
});

test('a kept mass tally of nothing, of nothing lost and of all lost', () => {
  assert.deepEqual(createKeptMassTally().summary(), { mean: 0, p01: 0, p05: 0, p50: 0 });
  for (const [lost, kept] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const tally = createKeptMassTally();
    tally.count(Float32Array.of(lost, lost));
    assert.deepEqual(tally.summary(), { mean: kept, p01: kept, p05: kept, p50: kept });
  }
});
