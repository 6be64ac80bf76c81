import type { OggPage, OpusHeader } from 'codec-parser';
import { openAudio } from './audio.ts';
import { InputError } from './errors.ts';
import { checksumOfPage } from './ogg_opus.ts';
import { meanOfChannels, parseFormat, rawFormat, type WavFormat } from './wav.ts';

/** Audio as it arrives: one channel, samples on the scale of 16-bit integers. */
export interface AudioStream {
  sampleRateHz: number;
  /** In pieces of any length; memory does not grow with the audio. */
  samples: AsyncIterable<Float32Array>;
}

export interface StreamSource {
  bytes: AsyncIterable<Uint8Array>;
  /** For messages. */
  name: string;
  /** A file may hold other audio, which is read as a whole. */
  path?: string;
  /** The bytes are 16-bit samples of one channel at this rate, without a head. */
  rawSampleRateHz?: number | undefined;
}

/**
 * Audio from a file or a pipe, by what it holds: WAV, FLAC or Ogg Opus, or raw samples. Several channels are averaged.
 * A WAV head that does not know how long the audio will be, as in a pipe, means all that comes.
 *
 * @throws {InputError} when it is none of these, or damaged; from the samples where that shows later
 */
export async function openAudioStream({ bytes, name, path, rawSampleRateHz }: StreamSource): Promise<AudioStream> {
  const input = createByteReader(bytes);
  const refuse: Refuse = (why) => new InputError(`Cannot read audio ${name}: ${why}`);
  if (rawSampleRateHz !== undefined) {
    return { sampleRateHz: rawSampleRateHz, samples: wavSamples(input, rawFormat(rawSampleRateHz), refuse) };
  }
  const kind = (await input.peek(12)).toString('latin1');
  if (kind.startsWith('RIFF') && kind.endsWith('WAVE')) return openWavStream(input, refuse);
  if (kind.startsWith('fLaC')) return firstOf(flacSamples(input, refuse));
  if (kind.startsWith('OggS')) return firstOf(opusSamples(input, refuse));
  if (kind === '') throw refuse('it is empty; check what writes it');
  if (path === undefined)
    throw refuse('it is neither WAV nor FLAC nor Ogg Opus; give raw samples with --raw-sample-rate');
  const audio = await openAudio(path);
  return { sampleRateHz: audio.sampleRateHz, samples: piecesOf(audio) };
}

type Refuse = (why: string) => InputError;

async function* piecesOf(audio: Awaited<ReturnType<typeof openAudio>>): AsyncGenerator<Float32Array> {
  try {
    for (let at = 0; at < audio.length; at += audio.sampleRateHz) yield audio.read(at, audio.sampleRateHz);
  } finally {
    audio.close();
  }
}

interface Piece {
  sampleRateHz: number;
  samples: Float32Array;
}

/** A stream whose rate is known from its first piece. */
async function firstOf(pieces: AsyncGenerator<Piece>): Promise<AudioStream> {
  const first = await pieces.next();
  if (first.done) return { sampleRateHz: 8000, samples: (async function* () {})() };
  return {
    sampleRateHz: first.value.sampleRateHz,
    samples: (async function* () {
      yield first.value.samples;
      for await (const { samples } of pieces) yield samples;
    })(),
  };
}

/** Bytes of a stream in the lengths that are asked for. */
function createByteReader(bytes: AsyncIterable<Uint8Array>) {
  const source = bytes[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const fill = async (count: number): Promise<void> => {
    const parts = [held];
    let length = held.length;
    while (length < count) {
      const { done, value } = await source.next();
      if (done) break;
      parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      length += value.byteLength;
    }
    if (parts.length > 1) held = Buffer.concat(parts);
  };
  const take = (count: number): Buffer => {
    const taken = held.subarray(0, count);
    held = held.subarray(count);
    return taken;
  };
  return {
    /** What comes next, and stays; shorter at the end. */
    async peek(count: number): Promise<Buffer> {
      await fill(count);
      return held.subarray(0, count);
    },
    /** So many bytes, fewer at the end. */
    async read(count: number): Promise<Buffer> {
      await fill(count);
      return take(count);
    },
    /** What has come by now, one byte at least; nothing at the end. */
    async readSome(most = Infinity): Promise<Buffer> {
      await fill(1);
      return take(Math.min(held.length, most));
    },
  };
}

type ByteReader = ReturnType<typeof createByteReader>;

/** Sizes that a program writes which does not know the end: none, or the largest there are. */
const isUnknownSize = (bytes: number): boolean => bytes === 0 || bytes >= 0x7fff0000;

async function openWavStream(input: ByteReader, refuse: Refuse): Promise<AudioStream> {
  await input.read(12);
  let format: Buffer | undefined;
  for (;;) {
    const head = await input.read(8);
    if (head.length < 8) throw refuse('it has no data; write it again');
    const [name, bytes] = [head.toString('latin1', 0, 4), head.readUInt32LE(4)];
    if (name !== 'data') {
      const chunk = await input.read(bytes + (bytes & 1));
      if (name === 'fmt ') format = Buffer.from(chunk);
      continue;
    }
    if (!format || format.length < 16) throw refuse('it has no format before its data; write it again');
    const stored = parseFormat(format, refuse);
    const { sampleRateHz } = stored;
    return { sampleRateHz, samples: wavSamples(input, stored, refuse, isUnknownSize(bytes) ? undefined : bytes) };
  }
}

async function* wavSamples(
  input: ByteReader,
  { encoding, channels }: WavFormat,
  refuse: Refuse,
  bytes?: number,
): AsyncGenerator<Float32Array> {
  const frameBytes = channels * encoding.bytes;
  let present = 0;
  let rest = Buffer.alloc(0);
  while (bytes === undefined || present < bytes) {
    const some = await input.readSome(bytes === undefined ? mostBytes : Math.min(mostBytes, bytes - present));
    if (some.length === 0) break;
    present += some.length;
    const all = rest.length === 0 ? some : Buffer.concat([rest, some]);
    const whole = Math.floor(all.length / frameBytes) * frameBytes;
    rest = Buffer.from(all.subarray(whole));
    if (whole > 0) yield meanOfChannels(all.subarray(0, whole), channels, encoding);
  }
  if (bytes !== undefined && present < bytes)
    throw refuse(`it is cut off: ${present} of ${bytes} bytes of data are there; copy it again`);
}

/** Bytes that are taken at once. */
const mostBytes = 1 << 16;

async function* flacSamples(input: ByteReader, refuse: Refuse): AsyncGenerator<Piece> {
  const head = await input.peek(26);
  const expected = head.length < 26 ? 0 : (head[21]! & 15) * 2 ** 32 + head.readUInt32BE(22);
  const { FLACDecoder } = await import('@wasm-audio-decoders/flac');
  const decoder = new FLACDecoder();
  await decoder.ready;
  let decoded = 0;
  try {
    for (let ended = false; !ended; ) {
      const some = await input.readSome(mostBytes);
      ended = some.length === 0;
      const { channelData, samplesDecoded, sampleRate, bitDepth, errors } = ended
        ? await decoder.flush()
        : await decoder.decode(Uint8Array.from(some));
      if (errors[0]) throw refuse(`it is cut off or damaged (${errors[0].message}); copy it again`);
      decoded += samplesDecoded;
      // the decoder divides samples of b bits by 2^(b−1) − 1
      const [integer, scale] = [2 ** (bitDepth - 1) - 1, 2 ** (16 - bitDepth) / channelData.length];
      const samples = new Float32Array(samplesDecoded);
      for (const channel of channelData)
        for (let i = 0; i < samplesDecoded; i++) samples[i]! += Math.round(channel[i]! * integer) * scale;
      if (samplesDecoded > 0) yield { sampleRateHz: sampleRate, samples };
    }
  } finally {
    decoder.free();
  }
  if (decoded === 0 || (expected > 0 && decoded !== expected))
    throw refuse(`it is cut off or damaged (${decoded} of ${expected} samples can be decoded); copy it again`);
}

/** Opus is decoded at this rate, whatever was encoded. */
const opusSampleRateHz = 48000;

async function* opusSamples(input: ByteReader, refuse: Refuse): AsyncGenerator<Piece> {
  const { OpusDecoder } = await import('opus-decoder');
  const damaged = (why: string) => refuse(`it is cut off or damaged (${why}); copy it again`);
  let decoder: InstanceType<typeof OpusDecoder> | undefined;
  let decoded = 0;
  let skip = 0;
  let isEnded = false;
  try {
    for await (const { codecFrames, isLastPage, absoluteGranulePosition } of parsedPages(input, refuse)) {
      isEnded ||= isLastPage;
      const [frame] = codecFrames;
      if (!frame) continue;
      if (!decoder) {
        const { channels, streamCount, coupledStreamCount, channelMappingTable, preSkip } = frame.header as OpusHeader;
        const mapping = streamCount !== undefined && { streamCount, coupledStreamCount, channelMappingTable };
        decoder = new OpusDecoder({ channels, ...mapping });
        await decoder.ready;
        skip = preSkip;
      }
      const { channelData, samplesDecoded, errors } = decoder.decodeFrames(codecFrames.map(({ data }) => data));
      if (errors[0]) throw damaged(errors[0].message);
      const wanted = isLastPage ? Number(absoluteGranulePosition) - decoded : samplesDecoded;
      if (wanted > samplesDecoded) throw damaged(`${samplesDecoded} of ${wanted} samples can be decoded`);
      decoded += samplesDecoded;
      const from = Math.min(skip, wanted);
      skip -= from;
      const samples = new Float32Array(wanted - from);
      for (const channel of channelData)
        for (let i = 0; i < samples.length; i++) samples[i]! += (channel[from + i]! * 32768) / channelData.length;
      if (samples.length > 0) yield { sampleRateHz: opusSampleRateHz, samples };
    }
    if (!isEnded) throw damaged('its last page is missing');
    if (!decoder) throw damaged('no audio is found in it');
  } finally {
    decoder?.free();
  }
}

/** The pages of a stream with their packets. */
async function* parsedPages(input: ByteReader, refuse: Refuse): AsyncGenerator<OggPage> {
  const { default: CodecParser } = await import('codec-parser');
  let codec = 'opus';
  const onCodec = (found: string): void => {
    codec = found;
  };
  const parser = new CodecParser('audio/ogg', { onCodec, enableFrameCRC32: false });
  const check = (): void => {
    if (codec !== 'opus') throw refuse(`it is ${codec} in Ogg; convert it to Opus, FLAC or WAV`);
  };
  for await (const page of oggPages(input, refuse)) {
    for (const parsed of parser.parseChunk(page) as unknown as Iterable<OggPage>) {
      check();
      yield parsed;
    }
  }
  yield* parser.flush() as unknown as Iterable<OggPage>;
  check();
}

/** Whole pages, their checksums right. @see RFC 3533, sec. 6 */
async function* oggPages(input: ByteReader, refuse: Refuse): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; ) {
    const head = await input.peek(27);
    if (head.length === 0) return;
    const damaged = (why: string) => refuse(`it is cut off or damaged (${why}); copy it again`);
    if (head.toString('latin1', 0, 4) !== 'OggS') throw damaged(`no page begins at byte ${at}`);
    const withSizes = await input.peek(27 + (head[26] ?? 0));
    const size = withSizes.length + withSizes.subarray(27).reduce((sum, bytes) => sum + bytes, 0);
    const page = Uint8Array.from(await input.read(size));
    if (head.length < 27 || page.length < size) throw damaged(`the page at byte ${at} is not whole`);
    if (checksumOfPage(page) !== new DataView(page.buffer).getUint32(22, true))
      throw damaged(`the page at byte ${at} has another checksum than it says`);
    at += size;
    yield page;
  }
}
