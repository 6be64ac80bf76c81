import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { UsageError } from '../io/errors.ts';
import { plainKernels } from '../math/kernels/kernels.ts';
import { createRandom } from '../math/random.ts';
import { inputWidth, parameterCount, type RecurrentArchitecture } from './architecture.ts';
import type { Engine, PackedBatch } from './engine.ts';
import { createNetwork } from './network.ts';
import { openEngine } from './open_engine.ts';
import { exactProducts } from './testdata/exact.ts';

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

const kinds = ['lstm', 'gru'] as const;

for (const kind of kinds) {
  const golden = JSON.parse(readFileSync(`shared/engine/testdata/${kind}.json`, 'utf8'));
  const goldenBatch: PackedBatch = {
    features: Float32Array.from(golden.features),
    frames: golden.utteranceOffsets.at(-1),
    utteranceOffsets: Int32Array.from(golden.utteranceOffsets),
  };
  for (const name of ['cpu', 'wasm', 'native'] as const) {
    test(`the ${name} ${kind} network equals PyTorch's, forward and backward`, async (t) => {
      const engine = await engineOrSkip(name);
      if (!engine) return t.skip(`the ${name} engine is not installed`);
      const tensors = engine.tensorCount();
      const network = engine.createNetwork(golden.architecture, Float32Array.from(golden.weights));
      for (let round = 0; round < 3; round++) {
        assertNear(network.forward(goldenBatch, { dropoutSeed: [] }), golden.logits, 2e-6, 'logit');
        assertNear(network.backward(Float32Array.from(golden.logitGradient)), golden.gradient, 1e-5, 'gradient');
        assertNear(network.forward(goldenBatch), golden.logits, 2e-6, 'logit');
      }
      network.dispose();
      assert.equal(engine.tensorCount(), tensors, 'tensors left behind');
    });
  }
}

const architectureOf = (kind: RecurrentArchitecture['kind']): RecurrentArchitecture => ({
  ...{ kind, bins: 3, spliceLeft: 1, spliceRight: 0, stride: 3, width: 4, layers: 2, tokens: 3 },
  ...{ bidirectional: true, dropout: 0.25 },
});
const normals = (size: number, seed: string): Float32Array => {
  const random = createRandom(seed);
  return Float32Array.from({ length: size }, random.normal);
};
const weightsOf = (architecture: RecurrentArchitecture): Float32Array =>
  normals(parameterCount(architecture), 'weights').map((weight) => 0.5 * weight);
const inputs = inputWidth(architectureOf('lstm'));
const batchOf = (lengths: readonly number[]): PackedBatch => {
  const utteranceOffsets = Int32Array.of(0, ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b)));
  const frames = utteranceOffsets.at(-1)!;
  return { features: normals(frames * inputs, 'features'), frames, utteranceOffsets };
};

for (const kind of kinds) {
  const architecture = architectureOf(kind);
  const weights = weightsOf(architecture);
  test(`the ${kind} network's gradient equals central differences, with dropout`, () => {
    const batch = batchOf([4, 1, 6]);
    const wanted = normals(batch.frames * architecture.tokens, 'gradient');
    const dropoutSeed = ['dropout', 1];
    const network = createNetwork(exactProducts, architecture, weights, plainKernels);
    const score = (values: Float32Array): number => {
      network.setWeights(values);
      return network.forward(batch, { dropoutSeed }).reduce((sum, logit, i) => sum + logit * wanted[i]!, 0);
    };
    score(weights);
    const gradient = network.backward(wanted);
    const step = 2 ** -6; // the values between are float32: rounding 1e-5 of the difference, curvature 2e-4
    const differences = weights.map((value, i) => {
      const moved = weights.slice();
      moved[i] = value + step;
      const above = score(moved);
      moved[i] = value - step;
      return (above - score(moved)) / (2 * step);
    });
    assertNear(gradient, differences, 2e-3, 'gradient');
    assert.ok(
      differences.filter((value) => Math.abs(value) > 1e-3).length > 0.6 * differences.length,
      'parameters matter',
    );
  });

  test(`a ${kind} network does not care how utterances are packed`, async () => {
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
}
