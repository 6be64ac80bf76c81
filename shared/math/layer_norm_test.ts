import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addLayerNormGradientInto, layerNormInto } from './layer_norm.ts';
import { createRandom } from './random.ts';

const [frames, units] = [4, 5];
const random = createRandom('layer norm');
// float64 behind float32's type: precise enough for differences
const normals = (size: number) => new Float64Array(size).map(random.normal) as unknown as Float32Array;
const input = { x: normals(frames * units), gain: normals(units), shift: normals(units) };
const wanted = normals(frames * units);

function forward(changes: Partial<typeof input> = {}) {
  const [normalised, y] = [normals(frames * units), normals(frames * units)];
  const scale = normals(frames);
  layerNormInto({ ...input, ...changes, normalised, scale, y });
  return { normalised, scale, y };
}
const score = (changes: Partial<typeof input>) => forward(changes).y.reduce((sum, y, i) => sum + y * wanted[i]!, 0);

test('layerNormInto() makes mean 0 and variance 1 of each frame before gain and shift', () => {
  const { normalised, y } = forward();
  for (let frame = 0; frame < frames; frame++) {
    const row = normalised.subarray(frame * units, (frame + 1) * units);
    const mean = row.reduce((a, b) => a + b) / units;
    const square = row.reduce((a, b) => a + b * b, 0) / units;
    assert.ok(Math.abs(mean) < 1e-12 && Math.abs(square - 1) < 1e-3, `${mean}, ${square}`);
  }
  y.forEach((value, i) => {
    const unit = i % units;
    assert.ok(Math.abs(value - (normalised[i]! * input.gain[unit]! + input.shift[unit]!)) < 1e-12);
  });
});

test('addLayerNormGradientInto() equals central differences, added to what was there', () => {
  const { normalised, scale } = forward();
  const before = normals(frames * units);
  const target = before.slice();
  const sums = addLayerNormGradientInto({ gain: input.gain, normalised, scale, gradient: wanted, target });
  const found = { x: target.map((value, i) => value - before[i]!), gain: sums.gain, shift: sums.shift };
  for (const name of ['x', 'gain', 'shift'] as const) {
    found[name].forEach((value, i) => {
      const at = (offset: number) => {
        const moved = input[name].slice();
        moved[i]! += offset;
        return score({ [name]: moved });
      };
      const difference = (at(1e-5) - at(-1e-5)) / 2e-5;
      assert.ok(
        Math.abs(value - difference) < 1e-6 * (1 + Math.abs(difference)),
        `${name} ${i}: ${value}, ${difference}`,
      );
    });
  }
});
