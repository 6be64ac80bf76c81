import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NormRelu, normReluGradient, normReluInPlace } from './norm_relu.ts';
import { createRandom } from './random.ts';

const [frames, units] = [5, 7];
const random = createRandom('norm relu');
const normals = (size: number): Float32Array => Float32Array.from({ length: size }, random.normal);
const input = {
  z: normals(frames * units),
  bias: normals(units),
  gain: normals(units),
  shift: normals(units),
  kept: Float32Array.from({ length: frames * units }, () => (random.uniform() < 0.3 ? 0 : 1.4)),
  residual: normals(frames * units),
};
type Inputs = keyof typeof input;
const gradient = normals(frames * units);

/** The layer's outputs, and its z as the pass leaves it. */
function forward(changes: Partial<NormRelu> = {}) {
  const outputs = {
    z: input.z.slice(),
    y: new Float32Array(frames * units),
    scale: new Float32Array(frames),
  };
  normReluInPlace({ ...input, ...outputs, ...changes });
  return outputs;
}

/** Σ gradient · y, in float64 from the definition. */
function score({ z, bias, gain, shift, kept, residual }: Record<Inputs, Float64Array>): number {
  let sum = 0;
  for (let frame = 0; frame < frames; frame++) {
    const x = Array.from({ length: units }, (_, unit) => z[frame * units + unit]! + bias[unit]!);
    const mean = x.reduce((a, b) => a + b) / units;
    const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / units;
    for (let unit = 0; unit < units; unit++) {
      const place = frame * units + unit;
      const value = ((x[unit]! - mean) / Math.sqrt(variance + 1e-5)) * gain[unit]! + shift[unit]!;
      sum += gradient[place]! * (Math.max(0, value) * kept[place]! + residual[place]!);
    }
  }
  return sum;
}
const wide = () =>
  Object.fromEntries(Object.entries(input).map(([name, values]) => [name, Float64Array.from(values)])) as Record<
    Inputs,
    Float64Array
  >;

test('normReluInPlace() and its gradient equal the definition and its central differences', () => {
  const { z: normalised, y, scale } = forward();
  const sum = y.reduce((total, value, i) => total + value * gradient[i]!, 0);
  assert.ok(Math.abs(sum - score(wide())) < 1e-4, `${sum} instead of ${score(wide())}`);
  const found = {
    z: new Float32Array(frames * units),
    bias: new Float32Array(units),
    gain: new Float32Array(units),
    shift: new Float32Array(units),
  };
  const { gain, shift, kept } = input;
  const sums = { biasGradient: found.bias, gainGradient: found.gain, shiftGradient: found.shift };
  normReluGradient({ normalised, scale, gain, shift, kept, gradient, z: found.z, ...sums });
  for (const name of ['z', 'bias', 'gain', 'shift'] as const) {
    found[name].forEach((value, i) => {
      const moved = wide();
      const step = 1e-6;
      moved[name][i]! += step;
      const above = score(moved);
      moved[name][i]! -= 2 * step;
      const difference = (above - score(moved)) / (2 * step);
      // float32 values of size 1 to 10, normalised: six digits
      assert.ok(
        Math.abs(value - difference) < 2e-5 * (1 + Math.abs(difference)),
        `${name} ${i}: ${value}, not ${difference}`,
      );
    });
  }
});

test('normReluInPlace() keeps all units and adds nothing unless asked', () => {
  const plain = forward({ kept: undefined, residual: undefined }).y;
  const ones = new Float32Array(frames * units).fill(1);
  assert.deepEqual(forward({ kept: ones, residual: undefined }).y, plain);
  assert.ok(plain.every((value) => value >= 0) && plain.some((value) => value > 0));
});
