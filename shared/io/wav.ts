import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from './errors.ts';
import type { Sink } from './output_folder.ts';

/** Audio of one channel, sample values on the scale of 16-bit integers, as Kaldi has them. */
export interface Audio {
  sampleRateHz: number;
  /** Samples in all. */
  length: number;
  /** Samples from `first` on, as many as asked for. */
  read(first: number, count: number): Float32Array;
  close(): void;
}

/** How a sample is stored, and its value on the 16-bit scale. */
const sampleReaders: Record<string, (view: DataView, offset: number) => number> = {
  '1/16': (view, offset) => view.getInt16(offset, true),
  '1/24': (view, offset) => ((view.getInt8(offset + 2) << 16) | view.getUint16(offset, true)) / 256,
  '1/32': (view, offset) => view.getInt32(offset, true) / 65536,
  '3/32': (view, offset) => view.getFloat32(offset, true) * 32768,
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
    const size = fstatSync(file).size;
    const refuse = (why: string): InputError => new InputError(`Cannot read audio ${path}: ${why}`);
    const chunk = (place: number): { name: string; bytes: number } => {
      const head = readAt(file, place, 8);
      return { name: head.toString('latin1', 0, 4), bytes: head.readUInt32LE(4) };
    };
    let format: Buffer | undefined;
    for (let place = 12; place + 8 <= size; ) {
      const { name, bytes } = chunk(place);
      if (name === 'fmt ') format = readAt(file, place + 8, bytes);
      if (name === 'data') {
        if (!format || format.length < 16) throw refuse('it has no format before its data; write it again');
        const code = format.readUInt16LE(0);
        const kind = code === extensible && format.length >= 26 ? format.readUInt16LE(24) : code;
        const [channels, sampleRateHz, bits] = [
          format.readUInt16LE(2),
          format.readUInt32LE(4),
          format.readUInt16LE(14),
        ];
        const reader = sampleReaders[`${kind}/${bits}`];
        if (!reader) throw refuse(`format ${kind} of ${bits} bits is not supported; convert it to 16-bit PCM`);
        if (place + 8 + bytes > size) {
          throw refuse(`it is cut off: ${size - place - 8} of ${bytes} bytes of data are there; copy it again`);
        }
        const frameBytes = (channels * bits) / 8;
        const start = place + 8;
        return {
          sampleRateHz,
          length: Math.floor(bytes / frameBytes),
          read: (first, count) =>
            samplesOf(readAt(file, start + first * frameBytes, count * frameBytes), { channels, reader }),
          close: () => closeSync(file),
        };
      }
      place += 8 + bytes + (bytes & 1);
    }
    throw refuse('it has no data; write it again');
  } catch (error) {
    closeSync(file);
    throw error;
  }
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

function samplesOf(
  bytes: Buffer,
  { channels, reader }: { channels: number; reader: (view: DataView, offset: number) => number },
): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const width =
    bytes.length === 0 ? 1 : reader === sampleReaders['1/16'] ? 2 : reader === sampleReaders['1/24'] ? 3 : 4;
  const result = new Float32Array(bytes.length / (channels * width));
  for (let i = 0; i < result.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += reader(view, (i * channels + channel) * width);
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
