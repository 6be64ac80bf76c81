import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMoments } from './moments.ts';

test('createMoments() knows mean and deviation of each column, also far from 0 and in pieces', () => {
  const moments = createMoments(2);
  moments.add(Float32Array.of(100_001, 5, 100_003, 5));
  moments.add(Float32Array.of(100_005, 5));
  const { mean, deviation } = moments.summary();
  assert.deepEqual([...mean], [100_003, 5]);
  assert.ok(Math.abs(deviation[0]! - Math.sqrt(8 / 3)) < 1e-9);
  assert.equal(deviation[1], 0);
});
