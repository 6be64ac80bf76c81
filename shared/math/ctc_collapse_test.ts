import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collapse, fewestCtcFrames } from './ctc_collapse.ts';
import { createRandom } from './random.ts';

const said = (path: number[], blank?: number) => collapse(path, blank).map(({ token }) => token);

test('collapse() merges repeats, then leaves blanks out', () => {
  assert.deepEqual(said([]), []);
  assert.deepEqual(said([0, 0]), []);
  assert.deepEqual(said([1, 1, 0, 1, 2, 2]), [1, 1, 2]);
  assert.deepEqual(said([1, 0, 0, 2], 2), [1, 0]);
});

test('collapse() says where each label is', () => {
  assert.deepEqual(collapse([0, 3, 3, 0, 3, 1]), [
    { token: 3, start: 1, end: 3 },
    { token: 3, start: 4, end: 5 },
    { token: 1, start: 5, end: 6 },
  ]);
});

test('fewestCtcFrames() is the length of the shortest path that says the labels', () => {
  const random = createRandom('shortest paths');
  for (let round = 0; round < 30; round++) {
    const labels = Array.from({ length: random.integer(4) }, () => 1 + random.integer(2));
    const paths = (frames: number): number[][] =>
      frames === 0 ? [[]] : paths(frames - 1).flatMap((path) => [0, 1, 2].map((token) => [...path, token]));
    const says = (frames: number) => paths(frames).some((path) => said(path).join() === labels.join());
    let frames = 0;
    while (!says(frames)) frames++;
    assert.equal(fewestCtcFrames(labels), frames, labels.join());
  }
});
