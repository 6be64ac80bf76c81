import { readFileSync } from 'node:fs';
import { InputError } from './errors.ts';
import type { Audio } from './wav.ts';

/**
 * All of a FLAC file, decoded. Several channels are averaged.
 *
 * @throws {InputError} when it is damaged or shorter than it says
 */
export async function openFlac(path: string): Promise<Audio> {
  const { FLACDecoder } = await import('@wasm-audio-decoders/flac');
  const bytes = readFileSync(path);
  const decoder = new FLACDecoder();
  await decoder.ready;
  try {
    const { channelData, samplesDecoded, sampleRate, bitDepth, errors } = await decoder.decodeFile(bytes);
    const [fault] = errors;
    const expected = totalSamples(bytes);
    // the decoder skips what it cannot make sense of, often without an error
    if (fault || samplesDecoded === 0 || (expected > 0 && samplesDecoded !== expected)) {
      const why = fault?.message ?? `${samplesDecoded} of ${expected} samples can be decoded`;
      throw new InputError(`Cannot read audio ${path}: it is cut off or damaged (${why}); copy it again`);
    }
    // the decoder divides samples of b bits by 2^(b−1) − 1
    const [integer, scale] = [2 ** (bitDepth - 1) - 1, 2 ** (16 - bitDepth) / channelData.length];
    const samples = new Float32Array(samplesDecoded);
    for (const channel of channelData) {
      for (let i = 0; i < samplesDecoded; i++) samples[i]! += Math.round(channel[i]! * integer) * scale;
    }
    return {
      sampleRateHz: sampleRate,
      length: samplesDecoded,
      read: (first, count) => samples.slice(first, first + count),
      close() {},
    };
  } finally {
    decoder.free();
  }
}

/** Samples of each channel according to the stream's information block, which comes first; 0: not known. */
function totalSamples(flac: Buffer): number {
  return flac.length < 26 ? 0 : (flac[21]! & 15) * 2 ** 32 + flac.readUInt32BE(22);
}
