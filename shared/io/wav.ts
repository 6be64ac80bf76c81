import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from './errors.ts';
import type { Sink } from './output_folder.ts';

/** Audio of one channel, sample values on the scale of 16-bit integers, as Kaldi has them. */
export interface Audio {
  sampleRateHz: number;
  /** Samples in all. */
  length: number;
  /** Samples from `first` on, as many as asked for, or fewer where it ends before. */
  read(first: number, count: number): Float32Array;
  close(): void;
}

/** How samples of one kind are stored, and a sample's value on the 16-bit scale. */
export interface Encoding {
  bytes: number;
  read(bytes: Buffer, offset: number): number;
}

/** By format code and bits. */
const encodings: Record<string, Encoding> = {
  '1/16': { bytes: 2, read: (bytes, offset) => bytes.readInt16LE(offset) },
  '1/24': { bytes: 3, read: (bytes, offset) => bytes.readIntLE(offset, 3) / 256 },
  '1/32': { bytes: 4, read: (bytes, offset) => bytes.readInt32LE(offset) / 65536 },
  '3/32': { bytes: 4, read: (bytes, offset) => bytes.readFloatLE(offset) * 32768 },
};
const extensible = 0xfffe;

/**
 * Opens a WAV file: 16, 24 or 32-bit integers or 32-bit floats. Several channels are averaged.
 *
 * @throws {InputError} when it is not a WAV file of these, or shorter than it says
 */
export function openWav(path: string): Audio {
  const file = openSync(path, 'r');
  try {
    const { format, start, bytes, present } = findChunks(file);
    const refuse = (why: string): InputError => new InputError(`Cannot read audio ${path}: ${why}`);
    if (!format || format.length < 16) throw refuse('it has no format before its data; write it again');
    if (bytes === undefined) throw refuse('it has no data; write it again');
    if (bytes > present) throw refuse(`it is cut off: ${present} of ${bytes} bytes of data are there; copy it again`);
    const { encoding, channels, sampleRateHz } = parseFormat(format, refuse);
    const frameBytes = channels * encoding.bytes;
    const length = Math.floor(bytes / frameBytes);
    return {
      sampleRateHz,
      length,
      read(first, count) {
        const frames = Math.max(0, Math.min(count, length - first));
        const stored = readAt(file, start + first * frameBytes, frames * frameBytes);
        if (stored.length < frames * frameBytes) throw refuse('it became shorter while it was read; try again');
        return meanOfChannels(stored, channels, encoding);
      },
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** What a format chunk says of the samples after it. */
export interface WavFormat {
  encoding: Encoding;
  channels: number;
  sampleRateHz: number;
}

/** @param format content of the chunk, 16 bytes at least */
export function parseFormat(format: Buffer, refuse: (why: string) => InputError): WavFormat {
  const code = format.readUInt16LE(0);
  const kind = code === extensible && format.length >= 26 ? format.readUInt16LE(24) : code;
  const [channels, sampleRateHz, bits] = [format.readUInt16LE(2), format.readUInt32LE(4), format.readUInt16LE(14)];
  const encoding = encodings[`${kind}/${bits}`];
  if (!encoding) throw refuse(`format ${kind} of ${bits} bits is not supported; convert it to 16-bit PCM`);
  if (channels === 0 || sampleRateHz === 0) {
    throw refuse(`it says ${channels} channels, ${sampleRateHz} samples a second; write it again`);
  }
  return { encoding, channels, sampleRateHz };
}

/** Samples of one channel, 16 bits, without a head. */
export const rawFormat = (sampleRateHz: number): WavFormat => ({
  encoding: encodings['1/16']!,
  channels: 1,
  sampleRateHz,
});

interface Chunks {
  format?: Buffer;
  /** Where the samples begin. */
  start: number;
  /** How many bytes of them there should be; undefined without a data chunk. */
  bytes?: number;
  /** How many the file has. */
  present: number;
}

/** The chunks up to the samples. */
function findChunks(file: number): Chunks {
  const size = fstatSync(file).size;
  let format: Buffer | undefined;
  for (let place = 12; place + 8 <= size; ) {
    const head = readAt(file, place, 8);
    const [name, bytes, start] = [head.toString('latin1', 0, 4), head.readUInt32LE(4), place + 8];
    if (name === 'fmt ') format = readAt(file, start, Math.min(bytes, 64));
    if (name === 'data') return { ...(format ? { format } : {}), start, bytes, present: size - start };
    place = start + bytes + (bytes & 1);
  }
  return { ...(format ? { format } : {}), start: size, present: 0 };
}

function readAt(file: number, place: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  let done = 0;
  while (done < bytes) {
    const count = readSync(file, buffer, done, bytes - done, place + done);
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}

export function meanOfChannels(stored: Buffer, channels: number, { bytes, read }: Encoding): Float32Array {
  const result = new Float32Array(stored.length / (channels * bytes));
  for (let i = 0, offset = 0; i < result.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, offset += bytes) sum += read(stored, offset);
    result[i] = sum / channels;
  }
  return result;
}

/** Writes 16-bit audio of one channel. */
export function writeWav(sink: Sink, samples: Int16Array, sampleRateHz: number): void {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(sampleRateHz, 24);
  head.writeUInt32LE(2 * sampleRateHz, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.byteLength, 40);
  sink.write(head);
  sink.write(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  sink.close();
}
