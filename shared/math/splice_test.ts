import assert from 'node:assert/strict';
import { test } from 'node:test';
import { centreFrame, outputFrameCount, spliceInto } from './splice.ts';

const splicing = { bins: 2, spliceLeft: 1, spliceRight: 1, stride: 3 };

test('spliceInto() takes windows around each centre and repeats the edges', () => {
  const features = Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5); // frames 0–3
  const target = new Float32Array(3 * 6).fill(-1);
  spliceInto(target, 1, features, splicing);
  assert.deepEqual([...target.subarray(0, 6)], [-1, -1, -1, -1, -1, -1]);
  assert.deepEqual([...target.subarray(6, 12)], [0, 0.5, 1, 1.5, 2, 2.5]); // centre 1
  assert.deepEqual([...target.subarray(12)], [2, 2.5, 3, 3.5, 3, 3.5]); // centre min(4, 3)
});

test('spliceInto() leaves its input alone and copes with a single frame', () => {
  const features = Float32Array.of(7, 8);
  const target = new Float32Array(6);
  spliceInto(target, 0, features, splicing);
  assert.deepEqual([...target], [7, 8, 7, 8, 7, 8]);
  assert.deepEqual([...features], [7, 8]);
});

test('outputFrameCount() and centreFrame() cover every frame once', () => {
  for (let frames = 1; frames < 20; frames++) {
    const centres = Array.from({ length: outputFrameCount(frames, 3) }, (_, j) => centreFrame(j, frames, 3));
    assert.ok(centres.every((centre, j) => centre < frames && centre >= 3 * j && centre < 3 * j + 3));
    assert.ok(frames - 1 - centres.at(-1)! <= 1);
  }
});
