import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { adamWInto, clipByGlobalNormInto, createAdamState } from './adamw.ts';

const stateOf = (count: number) => createAdamState(new Float32Array(count), new Float32Array(count));

test('adamWInto() takes the steps PyTorch takes, with and without decay', () => {
  const { adamw } = JSON.parse(readFileSync('shared/math/testdata/distillation.json', 'utf8'));
  const { start, gradients, decayed, kept, learningRate, weightDecay } = adamw;
  const weights = Float32Array.from([...start, ...start]);
  const decay = Uint8Array.from(weights, (_, i) => (i < start.length ? 1 : 0));
  const state = stateOf(weights.length);
  for (const gradient of gradients) {
    adamWInto(weights, Float32Array.from([...gradient, ...gradient]), state, { learningRate, weightDecay, decay });
  }
  const expected = [...decayed, ...kept];
  weights.forEach((value, i) => void assert.ok(Math.abs(value - expected[i]) < 1e-6, `${i}: ${value}, ${expected[i]}`)); // float32
});

test('adamWInto() moves nothing but what decays where the gradient is 0, and refuses other lengths', () => {
  const weights = Float32Array.of(1, 1);
  const decay = Uint8Array.of(1, 0);
  adamWInto(weights, new Float32Array(2), stateOf(2), { learningRate: 0.5, weightDecay: 0.5, decay });
  assert.deepEqual([...weights], [0.75, 1]);
  const settings = { learningRate: 1, weightDecay: 0, decay };
  assert.throws(() => adamWInto(weights, new Float32Array(3), stateOf(2), settings), /2 weights with 3 gradients/);
});

test('clipByGlobalNormInto() shortens a long gradient, leaves a short one, and says the norm it had', () => {
  const gradients = Float32Array.of(3, -4);
  assert.equal(clipByGlobalNormInto(gradients, 10), 5);
  assert.deepEqual([...gradients], [3, -4]);
  assert.equal(clipByGlobalNormInto(gradients, 2.5), 5);
  assert.deepEqual([...gradients], [1.5, -2]);
  assert.equal(clipByGlobalNormInto(new Float32Array(2), 1), 0);
});
