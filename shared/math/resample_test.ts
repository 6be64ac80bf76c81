import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './random.ts';
import { createResampler } from './resample.ts';

const sine = (hertz: number, rate: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / rate));

const pairs = [
  [48000, 16000],
  [44100, 16000],
  [16000, 8000],
  [8000, 16000],
  [22050, 16000],
] as const;

for (const [from, to] of pairs) {
  const resample = createResampler(from, to);
  const nyquist = Math.min(from, to) / 2;

  test(`createResampler(${from}, ${to}) gives a sine in the pass band where it is, without delay`, () => {
    for (const share of [0.01, 0.3, 0.7, 0.87]) {
      const out = resample(sine(share * nyquist, from, from / 5));
      const expected = sine(share * nyquist, to, out.length);
      const edge = Math.ceil((41 * to) / Math.min(from, to) / 0.94); // where the ends are felt
      for (let n = edge; n < out.length - edge; n++) {
        assert.ok(Math.abs(out[n]! - expected[n]!) < 3e-4, `${share} at ${n}: ${out[n]}, not ${expected[n]}`);
      }
    }
  });

  test(`createResampler(${from}, ${to}) keeps a constant, its length, and silence`, () => {
    const out = resample(new Float32Array(2000).fill(1000));
    assert.equal(out.length, Math.ceil((2000 * to) / from));
    assert.ok(Math.abs(out[out.length >> 1]! - 1000) < 1e-3);
    assert.deepEqual(resample(new Float32Array(10)), new Float32Array(Math.ceil((10 * to) / from)));
    assert.equal(resample(new Float32Array(0)).length, 0);
  });
}

test('createResampler() stops what the lower rate cannot hold', () => {
  for (const hertz of [8000, 9000, 12000, 20000]) {
    const out = createResampler(48000, 16000)(sine(hertz, 48000, 48000));
    const loudest = out.subarray(200, -200).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(loudest < 2e-4, `${hertz} Hz: ${loudest}`);
  }
});

test('createResampler() is linear and turns with its input: reversed in, reversed out', () => {
  const random = createRandom(1, 'resample');
  const samples = Float32Array.from({ length: 3001 }, () => random.normal()); // 3 · 1000 + 1: ends fall on output samples
  const resample = createResampler(48000, 16000);
  const there = resample(samples);
  const back = resample(samples.slice().reverse()).reverse();
  there.forEach((value, i) => {
    assert.ok(Math.abs(value - back[i]!) < 1e-6);
  });
});

test('createResampler() between equal rates changes nothing, and refuses rates that are none', () => {
  const samples = new Float32Array([1, 2, 3]);
  assert.equal(createResampler(16000, 16000)(samples), samples);
  assert.throws(() => createResampler(0, 16000), RangeError);
  assert.throws(() => createResampler(48000, 0.5), RangeError);
});
