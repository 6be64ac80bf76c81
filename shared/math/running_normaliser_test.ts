import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownNormaliser, runningNormaliser } from './running_normaliser.ts';

const usual = { dimensions: 2, normVars: false, warmUpFrames: 0, memoryFrames: 100 };
const frames = Float32Array.of(1, 10, 3, 10, 8, 40);

test('runningNormaliser() takes off the mean of the frames so far, whatever the pieces', () => {
  const expected = [0, 0, 1, 0, 4, 20]; // less 1 and 10, 2 and 10, 4 and 20
  assert.deepEqual([...runningNormaliser(usual).push(frames)], expected);
  const other = runningNormaliser(usual);
  assert.deepEqual(
    [...other.push(frames.subarray(0, 2)), ...other.push(frames.subarray(2)), ...other.finish()],
    expected,
  );
});

test('runningNormaliser() waits for as many frames as it is told, or for the end', () => {
  const waiting = runningNormaliser({ ...usual, warmUpFrames: 2 });
  assert.deepEqual([...waiting.push(frames.subarray(0, 2))], []);
  assert.deepEqual([...waiting.push(frames.subarray(2))], [-1, 0, 1, 0, 4, 20]);
  const short = runningNormaliser({ ...usual, warmUpFrames: 9 });
  assert.deepEqual([...short.push(frames)], []);
  assert.deepEqual([...short.finish()], [-3, -10, -1, -10, 4, 20]);
});

test('runningNormaliser() forgets, and divides by the deviation where asked', () => {
  const forgetful = runningNormaliser({ ...usual, dimensions: 1, memoryFrames: 2 });
  assert.deepEqual([...forgetful.push(Float32Array.of(0, 0, 8, 0))], [0, 0, 4, -2]); // means 0, 0, 4, 2
  const scaled = runningNormaliser({ ...usual, dimensions: 1, normVars: true });
  assert.deepEqual([...scaled.push(Float32Array.of(1, 3))], [0, 1]); // mean 2, deviation 1
});

test('knownNormaliser() takes off what is known', () => {
  const known = { mean: Float64Array.of(1, 10), deviation: Float64Array.of(2, 0) };
  assert.deepEqual([...knownNormaliser(known, { normVars: false }).push(frames)], [0, 0, 2, 0, 7, 30]);
  assert.deepEqual([...knownNormaliser(known, { normVars: true }).push(frames)], [0, 0, 1, 0, 3.5, 30]);
});
