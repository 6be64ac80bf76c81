import assert from 'node:assert/strict';
import { test } from 'node:test';
import { centralInterval, quantile, quantileSorted } from './quantile.ts';

const cases = [
  { name: 'is the minimum at 0', values: [10, 3, 6, 20], share: 0, expected: 3 },
  { name: 'is the maximum at 1', values: [10, 3, 6, 20], share: 1, expected: 20 },
  { name: 'is the middle of an odd number of values at 0.5', values: [9, 3, 6], share: 0.5, expected: 6 },
  {
    name: 'is half-way between the two middle values of an even number',
    values: [3, 6, 10, 20],
    share: 0.5,
    expected: 8,
  },
  {
    name: 'interpolates as R does by default: quantile(c(3,6,10,20), 0.4)',
    values: [3, 6, 10, 20],
    share: 0.4,
    expected: 6.8,
  },
  { name: 'is the only value at any share', values: [7], share: 0.3, expected: 7 },
  { name: 'reaches an infinite maximum without NaN', values: [1, Infinity], share: 1, expected: Infinity },
];
for (const { name, values, share, expected } of cases) {
  test(`quantile() ${name}`, () =>
    assert.ok(Object.is(quantile(values, share), expected) || Math.abs(quantile(values, share) - expected) < 1e-12));
}

test('quantile() leaves its input as it was', () => {
  const values = [3, 1, 2];
  quantile(values, 0.5);
  assert.deepEqual(values, [3, 1, 2]);
});

test('quantile() refuses what has no answer', () => {
  assert.throws(() => quantile([], 0.5), /no values/);
  assert.throws(() => quantile([1, Number.NaN], 0.5), /NaN/);
  for (const share of [-0.1, 1.1, Number.NaN]) assert.throws(() => quantileSorted([1], share), /\[0, 1\]/);
});

test('centralInterval() leaves equal shares outside on both sides', () => {
  const { low, high } = centralInterval(Array.from({ length: 1001 }, (_, i) => i));
  assert.ok(Math.abs(low - 25) < 1e-9 && Math.abs(high - 975) < 1e-9);
});
