import { readFileSync } from 'node:fs';
import { InputError } from './errors.ts';
import type { Audio } from './wav.ts';

/** What the header of an MPEG audio frame says of it. */
export interface Mp3Frame {
  sampleRateHz: number;
  /** Of each channel. */
  samples: number;
  bytes: number;
  /** From the frame's start, where an information header lies if there is one. */
  sideInformationEnd: number;
}

/** kbit/s by index of layer III: MPEG 1, and MPEG 2 and 2.5. */
const bitRates = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
] as const;
/** By version bits: MPEG 2.5, reserved, MPEG 2, MPEG 1. */
const sampleRates = [[11025, 12000, 8000], [], [22050, 24000, 16000], [44100, 48000, 32000]] as const;

/**
 * The header of the layer III frame that begins at a byte; undefined where none does, or one without a bit rate.
 *
 * @see ISO/IEC 11172-3, sec. 2.4.1.3
 */
export function mp3FrameAt(bytes: Uint8Array, start: number): Mp3Frame | undefined {
  const [sync = 0, kind = 0, rates = 0, mode = 0] = bytes.subarray(start, start + 4);
  if (sync !== 0xff || (kind & 0xe6) !== 0xe2) return undefined;
  const version = (kind >> 3) & 3;
  const isFirst = version === 3;
  const sampleRateHz = sampleRates[version]![(rates >> 2) & 3];
  const bitRate = bitRates[isFirst ? 0 : 1][rates >> 4];
  if (!sampleRateHz || !bitRate) return undefined;
  const samples = isFirst ? 1152 : 576;
  const bytesOf = Math.floor(((samples / 8) * bitRate * 1000) / sampleRateHz) + ((rates >> 1) & 1);
  const isMono = mode >> 6 === 3;
  const sideInformation = isFirst ? (isMono ? 17 : 32) : isMono ? 9 : 17;
  return { sampleRateHz, samples, bytes: bytesOf, sideInformationEnd: 4 + sideInformation };
}

/** Where the first frame lies: behind a tag of ID3v2, where there is one. */
export function firstMp3Frame(bytes: Uint8Array): number {
  if (Buffer.from(bytes.subarray(0, 3)).toString('latin1') !== 'ID3') return 0;
  const size = [6, 7, 8, 9].reduce((sum, i) => sum * 128 + bytes[i]!, 0);
  return 10 + size + (bytes[5]! & 16 ? 10 : 0);
}

/** How many frames follow this one, by the information header of LAME, ffmpeg and others; undefined where there is none. */
export function announcedMp3Frames(bytes: Buffer, start: number, frame: Mp3Frame): number | undefined {
  const place = start + frame.sideInformationEnd;
  const name = bytes.toString('latin1', place, place + 4);
  if ((name !== 'Xing' && name !== 'Info') || !(bytes[place + 7]! & 1)) return undefined;
  return bytes.readUInt32BE(place + 8);
}

/**
 * All of an MP3 file, decoded, without what its encoder added at either end where it says how much that was. Several
 * channels are averaged. Frames have no checksum: damage within one is heard, not seen.
 *
 * @throws {InputError} when frames do not follow each other to its end, or are fewer than it says
 */
export async function openMp3(path: string): Promise<Audio> {
  const bytes = readFileSync(path);
  const refuse = (why: string): InputError =>
    new InputError(`Cannot read audio ${path}: it is cut off or damaged (${why}); copy it again`);
  checkFrames(bytes, refuse);
  const { MPEGDecoder } = await import('mpg123-decoder');
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    const { channelData, samplesDecoded: length, sampleRate, errors } = decoder.decode(bytes);
    const [fault] = errors;
    if (fault || length === 0) throw refuse(fault?.message ?? 'no audio is found in it');
    const samples = new Float32Array(length);
    for (const channel of channelData) {
      for (let i = 0; i < length; i++) samples[i]! += (channel[i]! * 32768) / channelData.length;
    }
    const read = (first: number, count: number) => samples.slice(first, first + count);
    return { sampleRateHz: sampleRate, length, read, close() {} };
  } finally {
    decoder.free();
  }
}

/** Goes from frame to frame, which the decoder does not mind if it cannot. */
function checkFrames(bytes: Buffer, refuse: (why: string) => InputError): void {
  const start = firstMp3Frame(bytes);
  const first = mp3FrameAt(bytes, start);
  if (!first) throw refuse(`no frame begins at byte ${start}`);
  let frames = 0;
  let place = start;
  for (let frame: Mp3Frame | undefined = first; frame; frame = mp3FrameAt(bytes, place)) {
    if (frame.sampleRateHz !== first.sampleRateHz) throw refuse(`the frame at byte ${place} has another sampling rate`);
    if (place + frame.bytes > bytes.length) throw refuse(`the frame at byte ${place} is not whole`);
    place += frame.bytes;
    frames++;
  }
  if (place < bytes.length && !isTag(bytes, place)) throw refuse(`no frame begins at byte ${place}`);
  const announced = announcedMp3Frames(bytes, start, first);
  // the frame of the header itself is counted by some
  if (announced !== undefined && frames < announced) throw refuse(`${frames - 1} of ${announced} frames are there`);
}

/** Whether what follows the last frame is a tag, or padding. */
const isTag = (bytes: Buffer, place: number): boolean =>
  /^(TAG|APETAGEX|LYRICSBEGIN)/.test(bytes.toString('latin1', place, place + 11)) ||
  bytes.subarray(place).every((byte) => byte === 0);
