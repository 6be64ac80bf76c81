import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatenateTargets, noTargets, type SparseTargets } from './sparse_targets.ts';

const two: SparseTargets = {
  offsets: Int32Array.of(0, 2, 3),
  tokens: Uint16Array.of(4, 1, 0),
  logPosteriors: Float32Array.of(-0.5, -1.5, -0.25),
  logTail: Float32Array.of(-3, -2),
  weight: Float32Array.of(1, 0.5),
};

test('concatenateTargets() puts frames one after another, those without targets among them', () => {
  const all = concatenateTargets([two, noTargets(1), two]);
  assert.deepEqual([...all.offsets], [0, 2, 3, 3, 5, 6]);
  assert.deepEqual([...all.tokens], [4, 1, 0, 4, 1, 0]);
  assert.deepEqual([...all.logPosteriors], [-0.5, -1.5, -0.25, -0.5, -1.5, -0.25]);
  assert.deepEqual([...all.logTail], [-3, -2, 0, -3, -2]);
  assert.deepEqual([...all.weight], [1, 0.5, 1, 1, 0.5]);
  assert.deepEqual(concatenateTargets([two]), two);
  assert.deepEqual(concatenateTargets([]), noTargets(0));
});
