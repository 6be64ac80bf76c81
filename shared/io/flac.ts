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
    const { channelData, samplesDecoded, sampleRate, bitDepth, errors } = await decoder.decodeFrames(flacFrames(bytes));
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

/**
 * The frames of a FLAC file: each ends where its checksum, the last two bytes, comes out and another one, or nothing, follows.
 * What only looks like a beginning, as −8 in 16 bits does, has no such end before it; codec-parser loses a last frame to it.
 *
 * @see RFC 9639, sec. 9.1.1 and 9.3
 */
function flacFrames(bytes: Buffer): Buffer[] {
  let start = 4;
  for (let isLast = false; !isLast && start + 4 <= bytes.length; ) {
    isLast = bytes[start]! >= 128;
    start += 4 + bytes.readUIntBE(start + 1, 3);
  }
  const frames: Buffer[] = [];
  let rest = 0;
  for (let i = start; i < bytes.length; i++) {
    rest = ((rest << 8) & 0xffff) ^ remainders[(rest >> 8) ^ bytes[i]!]!;
    const mayEnd = i + 1 === bytes.length || (bytes[i + 1] === 0xff && (bytes[i + 2]! & 0xfe) === 0xf8);
    if (rest !== 0 || !mayEnd) continue;
    frames.push(bytes.subarray(start, i + 1));
    start = i + 1;
  }
  return frames;
}

/** Remainders of a byte by FLAC's polynomial. */
const remainders = Uint16Array.from({ length: 256 }, (_, byte) => {
  let rest = byte << 8;
  for (let bit = 0; bit < 8; bit++) rest = (rest << 1) ^ (rest & 0x8000 ? 0x18005 : 0);
  return rest;
});
