import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { UsageError } from '../io/errors.ts';
import { createRandom } from '../math/random.ts';
import { type AttentionArchitecture, inputWidth, parameterCount, parameterLayout } from './architecture.ts';
import type { Engine, PackedBatch } from './engine.ts';
import { createNetwork } from './network.ts';
import { openEngine } from './open_engine.ts';
import { exactKernels, exactProducts } from './testdata/exact.ts';

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / (1 + Math.abs(expected[i]!));
    assert.ok(error <= tolerance, `${what} ${i}: ${actual[i]} instead of ${expected[i]}`);
  }
}

/** Undefined where the native engine is not installed, which only a run of CI does not forgive. */
async function engineOrSkip(name: string): Promise<Engine | undefined> {
  try {
    return await openEngine({ engine: name, threads: 1 });
  } catch (error) {
    if (process.env.CI || name !== 'native' || !(error instanceof UsageError)) throw error;
    return undefined;
  }
}

const golden = JSON.parse(readFileSync('shared/engine/testdata/attention.json', 'utf8'));
const goldenBatch: PackedBatch = {
  features: Float32Array.from(golden.features),
  frames: golden.utteranceOffsets.at(-1),
  utteranceOffsets: Int32Array.from(golden.utteranceOffsets),
};
for (const name of ['cpu', 'wasm', 'native'] as const) {
  test(`the ${name} attention network equals PyTorch's, forward and backward`, async (t) => {
    const engine = await engineOrSkip(name);
    if (!engine) return t.skip(`the ${name} engine is not installed`);
    const tensors = engine.tensorCount();
    const network = engine.createNetwork(golden.architecture, Float32Array.from(golden.weights));
    for (let round = 0; round < 3; round++) {
      assertNear(network.forward(goldenBatch, { dropoutSeed: [] }), golden.logits, 4e-6, 'logit');
      assertNear(network.backward(Float32Array.from(golden.logitGradient)), golden.gradient, 1e-5, 'gradient');
      assertNear(network.forward(goldenBatch), golden.logits, 4e-6, 'logit');
    }
    network.dispose();
    assert.equal(engine.tensorCount(), tensors, 'tensors left behind');
  });
}

const architecture: AttentionArchitecture = {
  ...{ kind: 'attention', bins: 3, spliceLeft: 1, spliceRight: 0, stride: 3, width: 8, layers: 2, tokens: 3 },
  ...{ heads: 2, reach: 2, dropout: 0.25 },
};
const normals = (size: number, seed: string): Float32Array => {
  const random = createRandom(seed);
  return Float32Array.from({ length: size }, random.normal);
};
const weights = normals(parameterCount(architecture), 'weights').map((weight) => 0.5 * weight);
const inputs = inputWidth(architecture);
const batchOf = (lengths: readonly number[]): PackedBatch => {
  const utteranceOffsets = Int32Array.of(0, ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b)));
  const frames = utteranceOffsets.at(-1)!;
  return { features: normals(frames * inputs, 'features'), frames, utteranceOffsets };
};

test("the attention network's gradient equals central differences, with dropout", () => {
  const batch = batchOf([4, 1, 6]);
  const wanted = normals(batch.frames * architecture.tokens, 'gradient');
  const dropoutSeed = ['dropout', 1];
  const wide = Float64Array.from(weights);
  const network = createNetwork(exactProducts, architecture, wide as unknown as Float32Array, exactKernels);
  const score = (values: Float64Array): number => {
    network.setWeights(values as unknown as Float32Array);
    return network.forward(batch, { dropoutSeed }).reduce((sum, logit, i) => sum + logit * wanted[i]!, 0);
  };
  score(wide);
  const gradient = network.backward(wanted).slice();
  const step = 1e-5;
  const differences = wide.map((value, i) => {
    const moved = wide.slice();
    moved[i] = value + step;
    const above = score(moved);
    moved[i] = value - step;
    return (above - score(moved)) / (2 * step);
  });
  // the gradient is handed out in float32
  assertNear(gradient, differences, 1e-6, 'gradient');
  for (const { name, offset, size } of parameterLayout(architecture)) {
    const matters = differences.subarray(offset, offset + size).some((value) => Math.abs(value) > 1e-3);
    assert.ok(matters, `${name} has no gradient to check`);
  }
});

test('an attention network does not care how utterances are packed, nor who is beside them', async () => {
  const engine = await openEngine({ engine: 'cpu', threads: 1 });
  const network = engine.createNetwork(architecture, weights);
  const batch = batchOf([4, 1, 7, 4]);
  const together = network.forward(batch).slice();
  for (let i = 0; i < 4; i++) {
    const [first, end] = [batch.utteranceOffsets[i]!, batch.utteranceOffsets[i + 1]!];
    const alone = network.forward({
      features: batch.features.slice(first * inputs, end * inputs),
      frames: end - first,
      utteranceOffsets: Int32Array.of(0, end - first),
    });
    assertNear(alone, together.subarray(first * 3, end * 3), 1e-6, `utterance ${i}, logit`);
  }
  network.dispose();
});
