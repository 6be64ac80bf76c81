import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSteps, decodeTokens, encodeSteps, encodeTokens } from './frame_codes.ts';
import { fromHalf, toHalf } from './half.ts';
import { createRandom } from './random.ts';

test('encodeTokens() names places in the frame before, without those taken, and other tokens behind them', () => {
  const tokens = Uint16Array.of(9, 4, 7, /**/ 4, 9, 5, /**/ 5, 9, 4);
  assert.deepEqual([...encodeTokens(tokens, 3)], [12, 7, 10, /**/ 1, 0, 8, /**/ 2, 1, 0]);
});

test('tokens and log-posteriors coded and decoded are the same', () => {
  for (const [frames, k, vocabularySize] of [
    [0, 3, 10],
    [1, 1, 1],
    [50, 1, 4],
    [60, 16, 40],
    [20, 40, 40],
    [30, 64, 65472],
  ] as const) {
    const random = createRandom('codes', frames, k, vocabularySize);
    const all = Array.from({ length: vocabularySize }, (_, token) => token);
    const tokens = Uint16Array.from(Array.from({ length: frames }, () => random.shuffle([...all]).slice(0, k)).flat());
    assert.deepEqual(decodeTokens(encodeTokens(tokens, k), k), tokens);
    const values = Float32Array.from({ length: frames * k }, () => 8 * random.normal());
    if (values.length > 2) values.set([0, -Infinity, -0]);
    const rounded = fromHalf(toHalf(values));
    assert.deepEqual(decodeSteps(encodeSteps(rounded, k), k), rounded);
  }
});

test('decodeTokens() refuses places that are not there', () => {
  assert.throws(() => decodeTokens(Uint16Array.of(5, 0), 2), /token 1 of frame 0: no place 0/);
  assert.throws(() => decodeTokens(Uint16Array.of(5, 6, 1, 1), 2), /token 1 of frame 1: no place 1/);
});
