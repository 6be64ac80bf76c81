import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochOrder } from './batches.ts';

test('epochOrder() is a permutation, the same for the same seed and epoch, another for others', () => {
  const order = epochOrder(100, 1, 0);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.deepEqual(epochOrder(100, 1, 0), order);
  assert.notDeepEqual(epochOrder(100, 1, 1), order);
  assert.notDeepEqual(epochOrder(100, 2, 0), order);
});

test('epochOrder() of a large corpus is a permutation that keeps neighbours within a window', () => {
  const count = 10_000;
  const order = epochOrder(count, 3, 0);
  assert.equal(new Set(order).size, count);
  const window = (place: number) => Math.floor(order[place]! / 4096);
  let changes = 0;
  for (let i = 1; i < count; i++) if (window(i) !== window(i - 1)) changes++;
  assert.equal(changes, 2, 'three windows, read one after another');
});
