import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFeatureStream } from './feature_stream.ts';
import { createFeatureExtractor, type FeatureOptions } from './kernels/feature_extractor.ts';
import { createRandom } from './random.ts';
import { createResampler, createStreamingResampler } from './resample.ts';

const usual: FeatureOptions = {
  ...{ kind: 'fbank', sampleRateHz: 8000, bins: 23, frameLengthMs: 25, frameShiftMs: 10, snipEdges: false },
  ...{ lowFrequencyHz: 20, highFrequencyHz: 0, coefficients: 13, cepstralLifter: 22, useEnergy: true },
};

/** Pieces of random lengths, empty ones among them. */
function* piecesOf(samples: Float32Array, seed: number): Generator<Float32Array> {
  const random = createRandom('pieces', seed);
  for (let at = 0; at < samples.length; ) {
    const length = random.integer(3) === 0 ? random.integer(20) : random.integer(3000);
    yield samples.subarray(at, at + length);
    at += length;
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

const noise = (length: number): Float32Array => {
  const random = createRandom('noise', length);
  return Float32Array.from({ length }, () => 1000 * random.normal());
};

const kinds: [string, Partial<FeatureOptions>][] = [
  ['log-mel features', {}],
  ['log-mel features of frames that fit', { snipEdges: true }],
  ['cepstra', { kind: 'mfcc' }],
  ['frames shorter than their shift', { frameLengthMs: 10, frameShiftMs: 20 }],
];
for (const [name, change] of kinds) {
  test(`createFeatureStream() gives ${name} as of the whole signal, whatever the pieces`, () => {
    const extractor = createFeatureExtractor({ ...usual, ...change });
    for (const length of [0, 90, 300, 8000, 20011]) {
      const samples = noise(length);
      const whole = length === 0 ? new Float32Array(0) : extractor.compute(samples);
      for (let seed = 0; seed < 5; seed++) {
        const stream = createFeatureStream(extractor);
        const found = [...piecesOf(samples, seed)].map((piece) => stream.push(piece));
        assert.deepEqual(joined([...found, stream.finish()]), whole, `${length} samples, seed ${seed}`);
        if (length === 20011) assert.ok(joined(found).length > 0.98 * whole.length, 'most comes at once');
      }
    }
  });
}

for (const [from, to] of [
  [8000, 16000],
  [44100, 16000],
  [48000, 8000],
  [16000, 16000],
  [11025, 8000],
] as const) {
  test(`createStreamingResampler() gives the samples of createResampler(), from ${from} to ${to}`, () => {
    for (const length of [0, 1, 100, 30011]) {
      const samples = noise(length);
      const whole = createResampler(from, to)(samples);
      for (let seed = 0; seed < 3; seed++) {
        const stream = createStreamingResampler(from, to);
        const found = [...piecesOf(samples, seed)].map((piece) => stream.push(piece));
        assert.deepEqual(joined([...found, stream.finish()]), whole, `${length} samples, seed ${seed}`);
      }
    }
  });
}
