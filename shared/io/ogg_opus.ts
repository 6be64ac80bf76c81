import { readFileSync } from 'node:fs';
import type { OggPage, OpusHeader } from 'codec-parser';
import { InputError } from './errors.ts';
import type { Audio } from './wav.ts';

/** Opus is decoded at this rate, whatever was encoded. */
const sampleRateHz = 48000;

/**
 * All of an Ogg Opus file, decoded at 48 kHz, without the samples that its header has skipped and those after its last
 * position. Several channels are averaged.
 *
 * @throws {InputError} when it is damaged or shorter than it says
 * @see RFC 7845, sec. 4: pre-skip and granule positions
 */
export async function openOggOpus(path: string): Promise<Audio> {
  const refuse = (why: string): InputError =>
    new InputError(`Cannot read audio ${path}: it is cut off or damaged (${why}); copy it again`);
  const { pages, header } = await parse(path, refuse);
  const last = pages.at(-1)!;
  if (!last.isLastPage) throw refuse('its last page is missing');
  const { OpusDecoder } = await import('opus-decoder');
  const { channels, streamCount, coupledStreamCount, channelMappingTable } = header;
  const decoder = new OpusDecoder({
    channels,
    ...(streamCount !== undefined && { streamCount, coupledStreamCount, channelMappingTable }),
  });
  await decoder.ready;
  try {
    const frames = pages.flatMap(({ codecFrames }) => codecFrames.map(({ data }) => data));
    const { channelData, samplesDecoded, errors } = decoder.decodeFrames(frames);
    const [fault] = errors;
    if (fault) throw refuse(fault.message);
    const length = Number(last.absoluteGranulePosition) - header.preSkip;
    if (!(length > 0 && samplesDecoded >= length + header.preSkip))
      throw refuse(`${samplesDecoded - header.preSkip} of ${length} samples can be decoded`);
    const samples = new Float32Array(length);
    for (const channel of channelData) {
      for (let i = 0; i < length; i++) samples[i]! += (channel[header.preSkip + i]! * 32768) / channelData.length;
    }
    return { sampleRateHz, length, read: (first, count) => samples.slice(first, first + count), close() {} };
  } finally {
    decoder.free();
  }
}

async function parse(
  path: string,
  refuse: (why: string) => InputError,
): Promise<{ pages: OggPage[]; header: OpusHeader }> {
  const bytes = readFileSync(path);
  checkPages(bytes, refuse);
  const { default: CodecParser } = await import('codec-parser');
  let codec = 'opus';
  const onCodec = (found: string): void => {
    codec = found;
  };
  const parser = new CodecParser('audio/ogg', { onCodec, enableFrameCRC32: false });
  const pages = [...parser.parseAll(bytes)] as OggPage[];
  if (codec !== 'opus')
    throw new InputError(`Cannot read audio ${path}: it is ${codec} in Ogg; convert it to Opus, FLAC or WAV`);
  const [frame] = pages.flatMap(({ codecFrames }) => codecFrames);
  if (!frame) throw refuse('no audio is found in it');
  return { pages, header: frame.header as OpusHeader };
}

/** Goes from page to page: each is to be whole, and its checksum right, which the parser does not look at. */
function checkPages(bytes: Buffer, refuse: (why: string) => InputError): void {
  for (let page = 0; page < bytes.length; ) {
    const segments = bytes.subarray(page + 27, page + 27 + (bytes[page + 26] ?? 0));
    const end = page + 27 + segments.length + segments.reduce((sum, size) => sum + size, 0);
    if (bytes.toString('latin1', page, page + 4) !== 'OggS') throw refuse(`no page begins at byte ${page}`);
    if (bytes.length < page + 27 + bytes[page + 26]! || end > bytes.length)
      throw refuse(`the page at byte ${page} is not whole`);
    if (checksumOfPage(bytes.subarray(page, end)) !== bytes.readUInt32LE(page + 22))
      throw refuse(`the page at byte ${page} has another checksum than it says`);
    page = end;
  }
}

/** Remainders of a byte by Ogg's polynomial. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte << 24;
  for (let bit = 0; bit < 8; bit++) rest = (rest << 1) ^ (rest < 0 ? 0x04c11db7 : 0);
  return rest >>> 0;
});

/** Of the bytes of a page, those of its checksum taken for 0. @see RFC 3533, sec. 6 */
export function checksumOfPage(page: Uint8Array): number {
  let rest = 0;
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : page[i]!;
    rest = (rest << 8) ^ remainders[(rest >>> 24) ^ byte]!;
  }
  return rest >>> 0;
}
