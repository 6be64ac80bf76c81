import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createFbank, type FbankOptions } from './fbank.ts';

interface Golden {
  speech: number[];
  cases: { sampleRateHz: number; bins: number; snipEdges: boolean; frames: number; every: number; rows: number[][] }[];
}
const { speech, cases }: Golden = JSON.parse(readFileSync('shared/math/testdata/fbank_golden.json', 'utf8'));

const kaldi: FbankOptions = {
  sampleRateHz: 8000,
  bins: 40,
  frameLengthMs: 25,
  frameShiftMs: 10,
  snipEdges: false,
  lowFrequencyHz: 20,
  highFrequencyHz: 0,
};

/** What make_fbank_golden.py gave the other implementation. */
const signalAt = (sampleRateHz: number): Float32Array =>
  Float32Array.from(speech, (sample, i) => sample + (sampleRateHz === 8000 ? 0 : 1000 * Math.sign(Math.sin(i / 50))));

let [differences, compared, total] = [0, 0, 0];
for (const { sampleRateHz, bins, snipEdges, frames, every, rows } of cases) {
  test(`createFbank() is Kaldi's: ${bins} bins at ${sampleRateHz} Hz, snip-edges ${snipEdges}`, () => {
    const samples = signalAt(sampleRateHz);
    const features = createFbank({ ...kaldi, sampleRateHz, bins, snipEdges }).compute(samples);
    assert.equal(features.length, frames * bins);
    for (const [i, row] of rows.entries()) {
      const peak = Math.max(...row);
      total += bins;
      for (const [bin, expected] of row.entries()) {
        if (expected < peak + Math.log(1e-7)) continue; // below, the other's float32 spectrum is rounding noise
        const found = features[i * every * bins + bin]!;
        assert.ok(
          Math.abs(found - expected) <= 1e-3,
          `frame ${i * every}, bin ${bin}: ${found} instead of ${expected}`,
        );
        differences += Math.abs(found - expected);
        compared++;
      }
    }
  });
}

test("createFbank() differs from Kaldi's by no more than 1e-5 on average", () => {
  assert.ok(compared > 0.9 * total, `${compared} of ${total} values were compared`);
  assert.ok(differences / compared <= 1e-5, `${differences / compared}`);
});

for (const [snipEdges, sampleRateHz, centre] of [
  [false, 8000, 5],
  [false, 16000, 5],
  [true, 8000, 12.5],
] as const) {
  test(`createFbank() centres its first frame at ${centre} ms: ${sampleRateHz} Hz, snip-edges ${snipEdges}`, () =>
    assert.equal(createFbank({ ...kaldi, snipEdges, sampleRateHz }).firstFrameCentreMs, centre));
}

for (const [samples, snipped, all] of [
  [0, 0, 0],
  [39, 0, 0],
  [40, 0, 1],
  [199, 0, 2],
  [200, 1, 3],
  [280, 2, 4],
] as const) {
  test(`createFbank() makes ${snipped} or ${all} frames of ${samples} samples`, () => {
    const signal = Float32Array.from({ length: samples }, (_, i) => Math.sin(i));
    for (const [snipEdges, frames] of [
      [true, snipped],
      [false, all],
    ] as const) {
      const fbank = createFbank({ ...kaldi, snipEdges });
      assert.equal(fbank.frameCount(samples), frames);
      assert.equal(fbank.compute(signal).length, 40 * frames);
    }
  });
}

test('createFbank() leaves the signal alone, and no trace of one in the next', () => {
  const fbank = createFbank(kaldi);
  const samples = signalAt(8000);
  const first = fbank.compute(samples);
  fbank.compute(new Float32Array(3000).fill(7));
  assert.deepEqual(samples, signalAt(8000));
  assert.deepEqual(fbank.compute(samples), first);
});

test('createFbank() floors silence where Kaldi does', () =>
  assert.ok(
    createFbank(kaldi)
      .compute(new Float32Array(800))
      .every((value) => value === Math.fround(Math.log(2 ** -23))),
  ));

test('createFbank() refuses a shift shorter than a sample', () =>
  assert.throws(() => createFbank({ ...kaldi, frameShiftMs: 0.01 }), /0.01 ms is shorter than a sample/));
