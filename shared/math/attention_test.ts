import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attentionInto, attentionWeights } from './attention.ts';

const attend = (given: { qkv: number[]; positions: number[]; reach: number; utteranceOffsets: number[] }) => {
  const utteranceOffsets = Int32Array.from(given.utteranceOffsets);
  const shape = { units: 1, heads: 1, reach: given.reach, utteranceOffsets };
  const [qkv, positions] = [Float32Array.from(given.qkv), Float32Array.from(given.positions)];
  const weights = new Float32Array(attentionWeights(shape));
  const y = new Float32Array(utteranceOffsets.at(-1)!);
  attentionInto({ ...shape, qkv, positions, weights, y });
  return { weights: [...weights], y: [...y] };
};
const near = (found: number[], expected: number[]): void => {
  assert.equal(found.length, expected.length);
  found.forEach((value, i) => void assert.ok(Math.abs(value - expected[i]!) < 1e-6, `${found}, not ${expected}`));
};

test('attentionInto() of equal scores is the mean of the values of the utterance, and of no other', () => {
  const qkv = [0, 0, 1, 0, 0, 3, 0, 0, 10];
  const { weights, y } = attend({ qkv, positions: [0], reach: 0, utteranceOffsets: [0, 2, 3] });
  near(weights, [0.5, 0.5, 0.5, 0.5, 1]);
  near(y, [2, 2, 10]);
});

test('attentionInto() weighs by e to query times key', () => {
  const qkv = [1, Math.log(3), 4, 2, 0, 8];
  const { y } = attend({ qkv, positions: [0], reach: 0, utteranceOffsets: [0, 2] });
  near(y, [(3 * 4 + 8) / 4, (9 * 4 + 8) / 10]);
});

test('attentionInto() tells distances apart up to the reach, and gives those beyond the last bias', () => {
  const far = Math.log(2);
  const { weights } = attend({
    qkv: new Array(9).fill(0),
    positions: [0, -Infinity, far],
    reach: 1,
    utteranceOffsets: [0, 3],
  });
  // no frame sees itself; to those before and after, however far, weights 1 and 2
  near(weights, [0, 0.5, 0.5, 1 / 3, 0, 2 / 3, 0.5, 0.5, 0]);
});
