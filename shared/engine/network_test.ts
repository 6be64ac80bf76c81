import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '../io/errors.ts';
import { keepUnitsInto } from '../math/kept_units.ts';
import { createRandom, randomState } from '../math/random.ts';
import { inputWidth, parameterCount, parameterLayout, type TdnnArchitecture } from './architecture.ts';
import type { Engine, PackedBatch } from './engine.ts';
import { openEngine } from './open_engine.ts';

const architecture: TdnnArchitecture = {
  kind: 'tdnn',
  bins: 3,
  spliceLeft: 1,
  spliceRight: 1,
  stride: 3,
  width: 6,
  dilations: [1, 0, 2],
  tokens: 5,
  dropout: 0.25,
};

const normals = (size: number, ...seeds: (number | string)[]): Float32Array => {
  const random = createRandom(...seeds);
  return Float32Array.from({ length: size }, random.normal);
};
const weights = normals(parameterCount(architecture), 'weights').map((weight) => 0.5 * weight);
function batchOf(lengths: readonly number[], seed: number | string = 'batch'): PackedBatch {
  const frames = lengths.reduce((sum, length) => sum + length, 0);
  const utteranceOffsets = Int32Array.of(
    0,
    ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b, 0)),
  );
  return { features: normals(frames * inputWidth(architecture), seed), frames, utteranceOffsets };
}
const batch = batchOf([4, 1, 7]);
const logitGradient = normals(batch.frames * architecture.tokens, 'gradient');
const dropoutSeed = ['dropout', 7];

/** Undefined where the native engine is not installed, which only a run of CI does not forgive. */
async function engineOrSkip(name: string): Promise<Engine | undefined> {
  try {
    return await openEngine({ engine: name, threads: 1 });
  } catch (error) {
    if (process.env.CI || name !== 'native' || !(error instanceof UsageError)) throw error;
    return undefined;
  }
}

/** Forward and backward pass, in training. */
function passes(
  engine: Engine,
  more: Pick<TdnnArchitecture, 'causal'> = {},
): { logits: Float32Array; gradient: Float32Array } {
  const network = engine.createNetwork({ ...architecture, ...more }, weights);
  const logits = network.forward(batch, { dropoutSeed });
  const gradient = network.backward(logitGradient);
  network.dispose();
  return { logits, gradient };
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / (1 + Math.abs(expected[i]!));
    assert.ok(error <= tolerance, `${what} ${i}: ${actual[i]} instead of ${expected[i]}`);
  }
}

/**
 * The network again, in float64 and with plain loops: the reference for values, and precise enough for finite
 * differences.
 */
function referenceLogits(
  parameters: Float64Array,
  { features, frames, utteranceOffsets }: PackedBatch,
  { causal }: Pick<TdnnArchitecture, 'causal'> = {},
): Float64Array {
  const { width, dilations, dropout } = architecture;
  const part = Object.fromEntries(
    parameterLayout(architecture).map(({ name, offset, size }) => [name, parameters.subarray(offset, offset + size)]),
  );
  const product = (x: Float64Array, inputs: number, matrix: Float64Array, bias: Float64Array): Float64Array => {
    const outputs = bias.length;
    return Float64Array.from({ length: frames * outputs }, (_, place) => {
      const [frame, output] = [Math.floor(place / outputs), place % outputs];
      let sum = bias[output]!;
      for (let i = 0; i < inputs; i++) sum += x[frame * inputs + i]! * matrix[i * outputs + output]!;
      return sum;
    });
  };
  const hidden = (x: Float64Array, inputs: number, name: string, layer: number): Float64Array => {
    const z = product(x, inputs, part[`${name}.matrix`]!, part[`${name}.bias`]!);
    const kept = new Float32Array(frames * width);
    keepUnitsInto({ kept, dropout, state: randomState(...dropoutSeed, layer) });
    for (let frame = 0; frame < frames; frame++) {
      const row = z.subarray(frame * width, (frame + 1) * width);
      const mean = row.reduce((sum, value) => sum + value, 0) / width;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
      for (let unit = 0; unit < width; unit++) {
        const normalised = (row[unit]! - mean) / Math.sqrt(variance + 1e-5);
        row[unit] = Math.max(0, normalised * part[`${name}.norm.gain`]![unit]! + part[`${name}.norm.bias`]![unit]!);
        row[unit]! *= kept[frame * width + unit]!;
      }
    }
    return z;
  };
  let y = hidden(Float64Array.from(features), inputWidth(architecture), 'input', 0);
  dilations.forEach((dilation, i) => {
    const taps = dilation === 0 ? [0] : causal ? [-2, -1, 0] : [-1, 0, 1];
    const unfolded = new Float64Array(frames * taps.length * width);
    for (let utterance = 0; utterance + 1 < utteranceOffsets.length; utterance++) {
      const [first, end] = [utteranceOffsets[utterance]!, utteranceOffsets[utterance + 1]!];
      for (let frame = first; frame < end; frame++) {
        for (const [place, tap] of taps.entries()) {
          const source = frame + tap * dilation;
          if (source < first || source >= end) continue;
          unfolded.set(y.subarray(source * width, (source + 1) * width), (frame * taps.length + place) * width);
        }
      }
    }
    const next = hidden(unfolded, taps.length * width, `layer${i + 1}`, i + 1);
    y = y.map((value, place) => value + next[place]!);
  });
  return product(y, width, part['output.matrix']!, part['output.bias']!);
}

for (const name of ['cpu', 'wasm', 'native'] as const) {
  test(`the ${name} network equals plain loops in float64`, async (t) => {
    const engine = await engineOrSkip(name);
    if (!engine) return t.skip(`the ${name} engine is not installed`);
    const { logits } = passes(engine);
    // float32 keeps 7 digits; sums of up to 18 terms of size 1 and two normalisations leave about 5
    assertNear(logits, referenceLogits(Float64Array.from(weights), batch), 2e-5, 'logit');
    assert.ok(logits.length === batch.frames * architecture.tokens);
  });

  for (const causal of [false, true])
    test(`the gradient of the ${name} network, causal: ${causal}, equals central differences`, async (t) => {
      const engine = await engineOrSkip(name);
      if (!engine) return t.skip(`the ${name} engine is not installed`);
      const { logits, gradient } = passes(engine, { causal });
      assertNear(logits, referenceLogits(Float64Array.from(weights), batch, { causal }), 2e-5, 'logit');
      const score = (parameters: Float64Array): number =>
        referenceLogits(parameters, batch, { causal }).reduce((sum, logit, i) => sum + logit * logitGradient[i]!, 0);
      const parameters = Float64Array.from(weights);
      const step = 1e-6; // in float64: rounding 1e-10, curvature 1e-12
      const differences = parameters.map((value, i) => {
        const moved = parameters.slice();
        moved[i] = value + step;
        const above = score(moved);
        moved[i] = value - step;
        return (above - score(moved)) / (2 * step);
      });
      assertNear(gradient, differences, 1e-4, 'gradient');
      assert.ok(
        differences.filter((value) => Math.abs(value) > 1e-3).length > 0.8 * differences.length,
        'most parameters matter',
      );
    });

  test(`the ${name} network equals one that JAX differentiates`, async (t) => {
    const engine = await engineOrSkip(name);
    if (!engine) return t.skip(`the ${name} engine is not installed`);
    const golden = JSON.parse(readFileSync('shared/engine/testdata/network.json', 'utf8'));
    const network = engine.createNetwork(golden.architecture, Float32Array.from(golden.weights));
    const logits = network.forward(
      {
        features: Float32Array.from(golden.features),
        frames: golden.utteranceOffsets.at(-1),
        utteranceOffsets: Int32Array.from(golden.utteranceOffsets),
      },
      { dropoutSeed: [] },
    );
    // the golden is float64; float32 was at most 4e-7 and 2e-6 away on any engine
    assertNear(logits, golden.logits, 2e-6, 'logit');
    assertNear(network.backward(Float32Array.from(golden.logitGradient)), golden.gradient, 1e-5, 'gradient');
    network.dispose();
  });

  test(`the ${name} network does not care how utterances are packed`, async (t) => {
    const engine = await engineOrSkip(name);
    if (!engine) return t.skip(`the ${name} engine is not installed`);
    const network = engine.createNetwork(architecture, weights);
    const together = network.forward(batch);
    const { features, utteranceOffsets } = batch;
    const inputs = inputWidth(architecture);
    for (let i = 0; i < 3; i++) {
      const [first, end] = [utteranceOffsets[i]!, utteranceOffsets[i + 1]!];
      const alone = network.forward({
        features: features.slice(first * inputs, end * inputs),
        frames: end - first,
        utteranceOffsets: Int32Array.of(0, end - first),
      });
      // sums of the same terms, though perhaps in another order
      assertNear(alone, together.subarray(first * 5, end * 5), 1e-6, `utterance ${i}, logit`);
    }
    network.dispose();
  });

  test(`the ${name} network leaves no tensor behind`, async (t) => {
    const engine = await engineOrSkip(name);
    if (!engine) return t.skip(`the ${name} engine is not installed`);
    const before = engine.tensorCount();
    const network = engine.createNetwork(architecture, weights);
    const own = engine.tensorCount();
    for (let i = 0; i < 10; i++) {
      network.forward(batch, { dropoutSeed: [i] });
      network.backward(logitGradient);
      network.setWeights(weights);
      network.forward(batch);
    }
    assert.equal(engine.tensorCount(), own);
    network.forward(batch, { dropoutSeed });
    network.dispose();
    assert.equal(engine.tensorCount(), before);
  });
}

test('the native network survives signals in the middle of a product', async (t) => {
  if (!(await engineOrSkip('native'))) return t.skip('the native engine is not installed');
  // frames and width as in training, so that TensorFlow takes the kernels it takes there
  const steps = `
    import { createHash } from 'node:crypto';
    import { parameterCount } from './shared/engine/architecture.ts';
    import { openEngine } from './shared/engine/open_engine.ts';
    const architecture = { kind: 'tdnn', bins: 40, spliceLeft: 4, spliceRight: 4, stride: 3, width: 96, dilations: [1, 2, 3], tokens: 41, dropout: 0 };
    const waves = (size) => Float32Array.from({ length: size }, (_, i) => 0.1 * Math.sin(i));
    const network = (await openEngine({ engine: 'native', threads: 1 })).createNetwork(architecture, waves(parameterCount(architecture)));
    const batch = { features: waves(600 * 360), frames: 600, utteranceOffsets: Int32Array.of(0, 300, 600) };
    const digest = createHash('sha256');
    for (let i = 0; i < 40; i++) {
      digest.update(network.forward(batch, { dropoutSeed: [i] }));
      digest.update(network.backward(waves(600 * 41)));
    }
    console.log(digest.digest('hex'));`;
  const folder = mkdtempSync(join(tmpdir(), 'profile-'));
  const run = (...flags: string[]) =>
    spawnSync(process.execPath, [...flags, '--import', 'tsx', '--input-type=module', '-e', steps], {
      encoding: 'utf8',
    });
  const calm = run();
  // the profiler sends a signal every 0.1 ms
  const interrupted = run('--cpu-prof', '--cpu-prof-interval', '100', '--cpu-prof-dir', folder);
  rmSync(folder, { recursive: true, force: true });
  assert.equal(calm.status, 0, calm.stderr);
  assert.deepEqual([interrupted.status, interrupted.signal], [0, null], interrupted.stderr);
  assert.equal(interrupted.stdout, calm.stdout);
});

test('a network refuses weights of another number, and to go backward first', async () => {
  const engine = await openEngine({ engine: 'cpu', threads: 1 });
  assert.throws(
    () => engine.createNetwork(architecture, weights.subarray(1)),
    /Cannot use \d+ weights: the network has \d+/,
  );
  assert.throws(
    () => engine.createNetwork(architecture, weights).backward(logitGradient),
    /no forward pass in training/,
  );
});

test('openEngine() refuses an engine that is not there, or does not load, and says what to do', async () => {
  const refusal = (root: string, reason: RegExp) =>
    assert.rejects(openEngine({ engine: 'native', threads: 1, root }), (error: Error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, reason);
      assert.match(error.message, /install_engine\.sh.*--engine wasm/);
      return true;
    });
  await refusal('/nowhere', /Cannot use the native engine: it is not installed/);
  const root = mkdtempSync(join(tmpdir(), 'broken-engine-'));
  mkdirSync(join(root, '.engine/node_modules/@tensorflow/tfjs-node-gpu'), { recursive: true });
  writeFileSync(join(root, '.engine/status.json'), '{ "how": "native" }');
  await refusal(root, /Cannot use the native engine: it does not load \(Error: Cannot find module/);
  assert.notEqual((await openEngine({ engine: 'auto', threads: 1, root })).name, 'native');
  rmSync(root, { recursive: true });
});
