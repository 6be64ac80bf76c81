import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { InputError } from './errors.ts';
import { type Audio, openWav } from './wav.ts';

/**
 * Opens audio by what the file holds, not by its name: WAV or FLAC.
 *
 * @throws {InputError} when it is neither, or damaged
 */
export async function openAudio(path: string): Promise<Audio> {
  const head = Buffer.alloc(12);
  const file = openSync(path, 'r');
  readSync(file, head);
  closeSync(file);
  const kind = head.toString('latin1');
  if (kind.startsWith('RIFF') && kind.endsWith('WAVE')) return openWav(path);
  if (kind.startsWith('fLaC')) return openFlac(path);
  throw new InputError(`Cannot read audio ${path}: it is neither WAV nor FLAC; convert it`);
}

/** All of a FLAC file, decoded. Several channels are averaged. */
export async function openFlac(path: string): Promise<Audio> {
  const { FLACDecoder } = await import('@wasm-audio-decoders/flac');
  const decoder = new FLACDecoder();
  await decoder.ready;
  try {
    const { channelData, samplesDecoded, sampleRate, errors } = await decoder.decodeFile(readFileSync(path));
    const [fault] = errors;
    if (fault || samplesDecoded === 0) {
      throw new InputError(
        `Cannot read audio ${path}: it is damaged (${fault?.message ?? 'no samples'}); copy it again`,
      );
    }
    // the decoder divides 16-bit samples by 32767
    const samples = new Float32Array(samplesDecoded);
    for (const channel of channelData) {
      for (let i = 0; i < samplesDecoded; i++) samples[i]! += Math.round(channel[i]! * 32767) / channelData.length;
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
