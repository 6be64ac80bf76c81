import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from './errors.ts';
import { announcedMp3Frames, firstMp3Frame, mp3FrameAt } from './mp3.ts';
import { openWav } from './wav.ts';

export interface AudioLength {
  /** Undefined, as the length, where the beginning of the file does not say it. */
  sampleRateHz: number | undefined;
  seconds: number | undefined;
}

/** How much is read at either end. */
const headBytes = 1 << 14;
const tailBytes = 1 << 16; // a page of Ogg has at most 65,307 bytes

/**
 * How long audio is by its headers, without decoding it: WAV, FLAC, Ogg Opus or MP3, by what the file holds.
 *
 * @throws {InputError} when it is none of these, or empty
 */
export function audioLength(path: string): AudioLength {
  const file = openSync(path, 'r');
  let head: Buffer;
  let tail: Buffer;
  let size: number;
  try {
    size = fstatSync(file).size;
    const read = (place: number, bytes: number) => {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(file, buffer, 0, bytes, place));
    };
    head = read(0, headBytes);
    tail = head.toString('latin1', 0, 4) === 'OggS' ? read(Math.max(0, size - tailBytes), tailBytes) : head;
  } finally {
    closeSync(file);
  }
  const kind = head.toString('latin1', 0, 12);
  if (kind.startsWith('RIFF') && kind.endsWith('WAVE')) return wavLength(path);
  if (kind.startsWith('fLaC') && head.length >= 26) return flacLength(head);
  if (kind.startsWith('OggS')) return opusLength(head, tail);
  const length = mp3Length(head, size);
  if (length) return length;
  throw new InputError(`${path} is neither WAV nor FLAC nor Ogg Opus nor MP3; convert it`);
}

function wavLength(path: string): AudioLength {
  const { sampleRateHz, length, close } = openWav(path);
  close();
  return { sampleRateHz, seconds: length / sampleRateHz };
}

/** @see RFC 9639, sec. 8.2: stream information */
function flacLength(head: Buffer): AudioLength {
  const sampleRateHz = head.readUIntBE(18, 3) >> 4;
  const samples = (head[21]! & 15) * 2 ** 32 + head.readUInt32BE(22);
  return { sampleRateHz, seconds: samples > 0 ? samples / sampleRateHz : undefined };
}

/** From the position of the last page, less what the header has skipped. */
function opusLength(head: Buffer, tail: Buffer): AudioLength {
  const header = head.indexOf('OpusHead');
  const last = tail.lastIndexOf('OggS');
  const isKnown = header >= 0 && last >= 0 && last + 14 <= tail.length;
  const samples = isKnown ? Number(tail.readBigInt64LE(last + 6)) - head.readUInt16LE(header + 10) : -1;
  return { sampleRateHz: 48000, seconds: samples >= 0 ? samples / 48000 : undefined };
}

/** By the frames that it announces, or of a constant bit rate by its size. */
function mp3Length(head: Buffer, size: number): AudioLength | undefined {
  const start = firstMp3Frame(head);
  const frame = mp3FrameAt(head, start);
  if (!frame) return start > 0 && start >= head.length ? { sampleRateHz: undefined, seconds: undefined } : undefined;
  const frames = announcedMp3Frames(head, start, frame);
  const { sampleRateHz, samples } = frame;
  return { sampleRateHz, seconds: ((frames ?? Math.floor((size - start) / frame.bytes)) * samples) / sampleRateHz };
}
