import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPowerSpectrum } from './fft.ts';
import { createRandom } from './random.ts';

/** |X(k)|² by the definition. */
function naivePower(signal: Float64Array): Float64Array {
  const size = signal.length;
  return Float64Array.from({ length: size / 2 + 1 }, (_, k) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < size; n++) {
      re += signal[n]! * Math.cos((2 * Math.PI * k * n) / size);
      im -= signal[n]! * Math.sin((2 * Math.PI * k * n) / size);
    }
    return re * re + im * im;
  });
}

for (const size of [4, 8, 32, 256, 512]) {
  test(`createPowerSpectrum() of ${size} samples is what the definition says`, () => {
    const random = createRandom('fft', size);
    const signal = Float64Array.from({ length: size }, () => random.normal());
    const power = new Float64Array(size / 2 + 1);
    const spectrum = createPowerSpectrum(size);
    for (let twice = 0; twice < 2; twice++) spectrum.into(power, Float64Array.from(signal)); // its buffers are reused
    const expected = naivePower(signal);
    for (const [k, value] of expected.entries()) {
      assert.ok(Math.abs(power[k]! - value) <= 1e-10 * size, `line ${k}: ${power[k]} instead of ${value}`);
    }
  });
}

for (const size of [0, 2, 12, -8, 8.5, Number.NaN]) {
  test(`createPowerSpectrum() refuses ${size} samples`, () =>
    assert.throws(() => createPowerSpectrum(size), new RegExp(`FFT of ${size} samples`)));
}
