import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createFbank, type FbankOptions } from './fbank.ts';
import { createFastFbank } from './kernels/fast_fbank.ts';

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

const makers = { createFbank, createFastFbank };
for (const [name, create] of Object.entries(makers)) {
  let [differences, compared, total] = [0, 0, 0];
  for (const { sampleRateHz, bins, snipEdges, frames, every, rows } of cases) {
    test(`${name}() is Kaldi's: ${bins} bins at ${sampleRateHz} Hz, snip-edges ${snipEdges}`, () => {
      const samples = signalAt(sampleRateHz);
      const features = create({ ...kaldi, sampleRateHz, bins, snipEdges }).compute(samples);
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

  test(`${name}() differs from Kaldi's by no more than 1e-5 on average`, () => {
    assert.ok(compared > 0.9 * total, `${compared} of ${total} values were compared`);
    assert.ok(differences / compared <= 1e-5, `${differences / compared}`);
  });

  for (const [snipEdges, sampleRateHz, centre] of [
    [false, 8000, 5],
    [false, 16000, 5],
    [true, 8000, 12.5],
  ] as const) {
    test(`${name}() centres its first frame at ${centre} ms: ${sampleRateHz} Hz, snip-edges ${snipEdges}`, () =>
      assert.equal(create({ ...kaldi, snipEdges, sampleRateHz }).firstFrameCentreMs, centre));
  }

  for (const [samples, snipped, all] of [
    [0, 0, 0],
    [1, 0, 0],
    [39, 0, 0],
    [40, 0, 1],
    [199, 0, 2],
    [200, 1, 3],
    [280, 2, 4],
  ] as const) {
    test(`${name}() makes ${snipped} or ${all} frames of ${samples} samples`, () => {
      const signal = Float32Array.from({ length: samples }, (_, i) => Math.sin(i));
      for (const [snipEdges, frames] of [
        [true, snipped],
        [false, all],
      ] as const) {
        const fbank = create({ ...kaldi, snipEdges });
        assert.equal(fbank.frameCount(samples), frames);
        assert.equal(fbank.compute(signal).length, 40 * frames);
      }
    });
  }

  test(`${name}() leaves the signal alone, and no trace of one in the next`, () => {
    const fbank = create(kaldi);
    const samples = signalAt(8000);
    const first = fbank.compute(samples);
    fbank.compute(new Float32Array(3000).fill(7));
    assert.deepEqual(samples, signalAt(8000));
    assert.deepEqual(fbank.compute(samples), first);
  });

  test(`${name}() floors silence where Kaldi does, at any level`, () => {
    for (const level of [0, 7, 32767]) {
      const features = create(kaldi).compute(new Float32Array(810).fill(level));
      assert.ok(features.every((value) => Math.abs(value - Math.log(2 ** -23)) < 1e-6));
    }
  });

  test(`${name}() shows samples that are no numbers in the frames that hold them, and only there`, () => {
    for (const wrong of [NaN, Infinity]) {
      const samples = signalAt(8000).slice(0, 4000);
      samples[2020] = wrong; // of frames 24 to 26, which start at 20 + 80 · i − 100
      const features = create(kaldi).compute(samples);
      const finite = Array.from({ length: 50 }, (_, i) =>
        features.subarray(i * 40, (i + 1) * 40).every(Number.isFinite),
      );
      assert.deepEqual(
        finite.flatMap((fine, i) => (fine ? [] : [i])),
        [24, 25, 26],
      );
    }
  });

  test(`${name}() refuses a shift shorter than a sample`, () =>
    assert.throws(() => create({ ...kaldi, frameShiftMs: 0.01 }), /0.01 ms is shorter than a sample/));
}

test('createFastFbank() equals createFbank(): loud, soft, short, at any rate, with a rest of one to three frames', () => {
  const signals: Record<string, (i: number) => number> = {
    'a square wave at full scale': (i) => (i % 37 < 18 ? 32767 : -32768),
    'a click': (i) => (i === 100 ? 32767 : 0),
    'a whisper': (i) => Math.sin(i) / 1000,
    'speech with an offset': (i) => speech[i % speech.length]! + 5000,
  };
  for (const [name, signal] of Object.entries(signals)) {
    for (const [sampleRateHz, bins, frameLengthMs] of [
      [8000, 40, 25],
      [11025, 23, 32],
      [16000, 80, 25],
      [48000, 64, 20],
    ] as const) {
      for (const length of [60, 400, 555, 1600, 5000]) {
        const options = { ...kaldi, sampleRateHz, bins, frameLengthMs };
        const samples = Float32Array.from({ length }, (_, i) => signal(i));
        const expected = createFbank(options).compute(samples);
        const found = createFastFbank(options).compute(samples);
        assert.equal(found.length, expected.length);
        for (let frame = 0; frame < expected.length; frame += bins) {
          const peak = Math.max(...expected.subarray(frame, frame + bins));
          for (let i = frame; i < frame + bins; i++) {
            if (expected[i]! < peak + Math.log(1e-7)) continue; // below, float32 leaves rounding noise
            const far = Math.abs(found[i]! - expected[i]!);
            assert.ok(far <= 1e-3, `${name}, ${sampleRateHz} Hz, ${length} samples: ${found[i]}, not ${expected[i]}`);
          }
        }
      }
    }
  }
});
