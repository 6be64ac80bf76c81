import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createFbank } from './fbank.ts';
import { createFastFbank } from './kernels/fast_fbank.ts';
import { createMfcc, type MfccOptions } from './mfcc.ts';

interface Golden {
  cases: (MfccOptions & { frames: number; every: number; rows: number[][] })[];
}
const { cases }: Golden = JSON.parse(readFileSync('shared/math/testdata/mfcc_golden.json', 'utf8'));
const { speech }: { speech: number[] } = JSON.parse(readFileSync('shared/math/testdata/fbank_golden.json', 'utf8'));
const frameOptions = { frameLengthMs: 25, frameShiftMs: 10, lowFrequencyHz: 20, highFrequencyHz: 0 };

for (const { frames, every, rows, ...given } of cases) {
  const { sampleRateHz, bins, coefficients, cepstralLifter, useEnergy } = given;
  const what = `${coefficients} of ${bins} bins at ${sampleRateHz} Hz, lifter ${cepstralLifter}, energy ${useEnergy}`;
  test(`createMfcc() is Kaldi's: ${what}`, () => {
    const samples = Float32Array.from(
      speech,
      (sample, i) => sample + (sampleRateHz === 8000 ? 0 : 1000 * Math.sign(Math.sin(i / 50))),
    );
    const options = { ...frameOptions, ...given };
    for (const fbank of [createFbank(options), createFastFbank(options)]) {
      const features = createMfcc(options, fbank).compute(samples);
      assert.equal(features.length, frames * coefficients);
      for (const [i, row] of rows.entries()) {
        for (const [k, expected] of row.entries()) {
          const found = features[i * every * coefficients + k]!;
          // sums of 23 to 40 logs, each within 1e-3 where the other's float32 spectrum is no noise, liftered by up to 12
          assert.ok(Math.abs(found - expected) <= 5e-3, `frame ${i * every}, ${k}: ${found}, not ${expected}`);
        }
      }
    }
  });
}

test('createMfcc() refuses more coefficients than bins', () => {
  const options = { ...frameOptions, ...cases[0]!, coefficients: 24 };
  assert.throws(() => createMfcc(options, createFbank(options)), /24 coefficients of 23 bins/);
});
