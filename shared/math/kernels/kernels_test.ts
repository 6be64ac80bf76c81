import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAdamState } from '../adamw.ts';
import { attentionWeights } from '../attention.ts';
import { createRandom, randomState } from '../random.ts';
import { type Kernels, plainKernels } from './kernels.ts';
import { openKernels } from './open_kernels.ts';

/** What both kinds of kernels make of the same numbers. */
function both<Result>(
  use: (kernels: Kernels, floats: (values: ArrayLike<number>) => Float32Array) => Result,
): Result[] {
  const simd = openKernels();
  assert.equal(simd.name, 'simd');
  return [simd, plainKernels].map((kernels) => {
    kernels.clear(1e6);
    return use(kernels, (values) => {
      const array = kernels.floats(values.length);
      array.set(values);
      return array;
    });
  });
}
function normals(size: number, ...seeds: (string | number)[]): Float32Array {
  const random = createRandom(...seeds);
  return Float32Array.from({ length: size }, random.normal);
}
/** As exact as float32 sums of so many terms are; NaN and infinity must be in the same places. */
function assertSame(found: Float32Array[], expected: Float32Array[], terms: number, what: string): void {
  expected.forEach((values, k) => {
    assert.equal(found[k]!.length, values.length);
    values.forEach((value, i) => {
      const near = Math.abs(found[k]![i]! - value) <= 2e-7 * Math.sqrt(terms) * (1 + Math.abs(value));
      assert.ok(near || Object.is(found[k]![i], value), `${what}, array ${k}, ${i}: ${found[k]![i]}, not ${value}`);
    });
  });
}

// whole vectors, vectors and a rest, only a rest; one frame and many
for (const [frames, units] of [
  [650, 96],
  [5, 7],
  [1, 3],
  [3, 1],
] as const) {
  test(`layer kernels agree on ${frames} frames of ${units} units`, () => {
    for (const [kind, z] of Object.entries({
      normal: normals(frames * units, 'z'),
      'far from 0': normals(frames * units, 'z').map((value) => 1000 + value),
      constant: new Float32Array(frames * units).fill(3),
      'with NaN and infinity': normals(frames * units, 'z').map((v, i) => (i === 2 ? NaN : i === 5 ? Infinity : v)),
    })) {
      for (const [kept, residual] of [
        [true, true],
        [false, true],
        [true, false],
        [false, false],
      ]) {
        const [found, expected] = both((kernels, floats) => {
          const gain = floats(normals(units, 'gain'));
          const shift = floats(normals(units, 'shift'));
          const own = { z: floats(z), y: kernels.floats(frames * units), scale: kernels.floats(frames) };
          const keep = kept ? floats(normals(frames * units, 'kept').map((v) => (v > 0.5 ? 0 : 1.25))) : undefined;
          kernels.normReluInPlace({
            ...{ ...own, gain, shift, bias: floats(normals(units, 'bias')), kept: keep },
            residual: residual ? floats(normals(frames * units, 'residual')) : undefined,
          });
          return { ...own, gain, shift, keep };
        });
        // normalised values of 1000 ± 1 have lost three digits
        const terms = kind === 'far from 0' ? 1e6 * units : 10 * units;
        const outputs = ({ z, y, scale }: NonNullable<typeof found>) => [z, y, scale];
        assertSame(outputs(found!), outputs(expected!), terms, kind);
        // the gradient of the same forward pass: a unit at the edge of its ReLU must not decide
        const [gradients, expectedGradients] = both((kernels, floats) => {
          const { z: normalised, scale, gain, shift, keep } = expected!;
          const sums = [0, 1, 2].map(() => floats(new Float32Array(units).fill(7)));
          const result = kernels.floats(frames * units);
          kernels.normReluGradient({
            ...{ normalised: floats(normalised), scale: floats(scale), gain: floats(gain), shift: floats(shift) },
            ...{ kept: keep && floats(keep), gradient: floats(normals(frames * units, 'gradient')), z: result },
            ...{ biasGradient: sums[0]!, gainGradient: sums[1]!, shiftGradient: sums[2]! },
          });
          return [result, ...sums];
        });
        assertSame(gradients!, expectedGradients!, 100 * units * frames, `gradient, ${kind}`);
      }
    }
  });
}

test('kernels that move numbers agree to the bit', () => {
  for (const units of [1, 4, 7, 96]) {
    for (const [dilation, back] of [
      [1, 1],
      [3, 2],
      [40, 1],
    ] as const) {
      const unfolding = { units, dilation, back, utteranceOffsets: Int32Array.of(0, 1, 6, 6, 45) };
      const [found, expected] = both((kernels, floats) => {
        const rows = floats(new Float32Array(45 * 3 * units).fill(NaN));
        kernels.unfoldInto(rows, floats(normals(45 * units, 'x')), unfolding);
        const target = floats(normals(45 * units, 'target'));
        kernels.addFoldInto(target, floats(normals(45 * 3 * units, 'rows')), unfolding);
        const sum = floats(normals(45 * units, 'sum'));
        kernels.addInto(sum, target);
        return [rows.slice(), target.slice(), sum.slice()];
      });
      assert.deepEqual(found, expected, `${units} units, dilation ${dilation}`);
    }
  }
  for (const [size, dropout] of [
    [1003, 0.2],
    [4, 0],
    [1, 0.999],
  ] as const) {
    const [found, expected] = both((kernels) => {
      const kept = kernels.floats(size);
      kernels.keepUnitsInto({ kept, dropout, state: randomState('kept', size) });
      return kept.slice();
    });
    assert.deepEqual(found, expected, `${size} units, dropout ${dropout}`);
  }
});

for (const [kind, gatesPerUnit] of [
  ['lstm', 4],
  ['gru', 3],
] as const) {
  test(`kernels of ${kind} layers agree, with and without a step before, for utterances that end`, () => {
    for (const units of [4, 64]) {
      for (const [count, first, before] of [
        [5, 0, -1],
        [3, 5, 0],
        [1, 8, 5],
      ] as const) {
        const frames = 12;
        const columns = gatesPerUnit * units;
        const [found, expected] = both((kernels, floats) => {
          const places = kernels.integers(frames);
          places.set(Array.from({ length: frames }, (_, i) => (5 * i) % frames));
          const gates = floats(normals(frames * columns, 'gates', units).map((value) => 3 * value));
          const recurrent = floats(normals(5 * columns, 'recurrent'));
          const bias = floats(normals(4 * units, 'bias'));
          const inner = floats(normals(frames * units, 'inner'));
          const hidden = floats(normals(frames * units, 'hidden'));
          const step = { units, count, first, before, places, gates, inner, hidden };
          kernels[`${kind}Step`]({ ...step, recurrent, bias });
          const forward = [gates.slice(), inner.slice(), hidden.slice()];
          const carried = floats(normals(5 * units, 'carried'));
          const gateGradient = floats(new Float32Array(frames * columns));
          const recurrentGradient = floats(new Float32Array(frames * columns));
          kernels[`${kind}StepGradient`]({
            ...{ ...step, carried, gateGradient, recurrentGradient, columns: 2 * units, column: units },
            ...{ gradient: floats(normals(frames * 2 * units, 'gradient')), following: count - 1 },
            fromAfter: floats(normals(5 * units, 'from after')),
          });
          const scattered = floats(new Float32Array(frames * 2 * units));
          kernels.scatterRows(scattered, hidden, { places, columns: 2 * units, column: units });
          kernels.multiplyInto(scattered, floats(normals(frames * 2 * units, 'factors')));
          return [...forward, carried, gateGradient, recurrentGradient, scattered];
        });
        assertSame(found!, expected!, 10, `${units} units, ${count} utterances`);
      }
    }
  });
}

test('kernels of attention agree, for utterances of any length and distances beyond the reach', () => {
  for (const [units, heads, reach] of [
    [8, 2, 3],
    [96, 4, 16],
    [4, 1, 0],
  ] as const) {
    const utteranceOffsets = Int32Array.of(0, 1, 6, 6, 45);
    const frames = 45;
    const [found, expected] = both((kernels, floats) => {
      const shape = { units, heads, reach, utteranceOffsets };
      const qkv = floats(normals(frames * 3 * units, 'qkv', units));
      const positions = floats(normals(heads * (2 * reach + 1), 'positions'));
      const weights = kernels.floats(attentionWeights(shape));
      const y = floats(new Float32Array(frames * units).fill(7));
      kernels.attentionInto({ ...shape, qkv, positions, weights, y });
      const qkvGradient = floats(new Float32Array(frames * 3 * units).fill(7));
      const positionGradient = floats(new Float32Array(positions.length).fill(7));
      const gradient = floats(normals(frames * units, 'gradient'));
      const scratch = kernels.floats(frames);
      kernels.attentionGradient({ ...shape, qkv, weights, gradient, qkvGradient, positionGradient, scratch });
      return [weights, y, qkvGradient, positionGradient];
    });
    assertSame(found!, expected!, 1000, `${units} units, ${heads} heads`);
  }
});

test('optimisers agree, also on parameters that do not fill a vector', () => {
  for (const count of [1, 6, 1001]) {
    const [found, expected] = both((kernels, floats) => {
      const weights = floats(normals(count, 'weights'));
      const decay = kernels.bytes(count);
      decay.set(weights.map((_, i) => i % 2));
      const state = createAdamState(kernels.floats(count), kernels.floats(count));
      const norms: number[] = [];
      for (let update = 0; update < 20; update++) {
        const gradients = floats(normals(count, 'gradients', update));
        norms.push(kernels.clipByGlobalNormInto(gradients, update % 2 ? 0.5 : 1e6));
        kernels.adamWInto(weights, gradients, state, { learningRate: 0.1, weightDecay: 0.1, decay });
      }
      return [weights, state.mean, state.square, Float32Array.from(norms)];
    });
    assertSame(found!, expected!, 400, `${count} parameters`);
  }
});

test('SIMD kernels refuse arrays that are not theirs, and more memory than they cleared', () => {
  const kernels = openKernels();
  kernels.clear(10);
  assert.throws(() => kernels.clipByGlobalNormInto(new Float32Array(4), 1), /another memory/);
  assert.throws(() => kernels.floats(1e8), /more memory than was cleared/);
  kernels.clear(3e7);
  assert.equal(kernels.floats(3e7).length, 3e7);
});
