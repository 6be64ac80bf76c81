import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatenate } from './concatenate.ts';

test('concatenate() keeps order and values, and makes a copy', () => {
  const part = Float32Array.of(1, 2);
  const all = concatenate(Float32Array, [part, new Float32Array(0), Float32Array.of(NaN, -0)]);
  assert.deepEqual(all, Float32Array.of(1, 2, NaN, -0));
  part[0] = 9;
  assert.equal(all[0], 1);
  assert.deepEqual(concatenate(Int32Array, []), new Int32Array(0));
});
