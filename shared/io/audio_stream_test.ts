import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAudio } from './audio.ts';
import { openAudioStream, type StreamSource } from './audio_stream.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';
import { writeWav } from './wav.ts';

const folder = temporaryFolder();

function wavOf(samples: Int16Array, rate = 8000): Buffer {
  const parts: Uint8Array[] = [];
  writeWav({ write: (bytes) => void parts.push(bytes.slice()), close() {} }, samples, rate);
  return Buffer.concat(parts);
}

/** Bytes that come in small pieces, as from a pipe. */
async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function hear(bytes: Buffer, size: number, more: Partial<StreamSource> = {}) {
  const { sampleRateHz, samples } = await openAudioStream({ bytes: piecesOf(bytes, size), name: 'a pipe', ...more });
  const all: number[] = [];
  for await (const piece of samples) for (const sample of piece) all.push(sample);
  return { sampleRateHz, samples: all };
}

const tone = Int16Array.from({ length: 5000 }, (_, i) => 9000 * Math.sin(i / 7));
const wav = join(folder, 'tone.wav');
writeFileSync(wav, wavOf(tone));
const files = { WAV: wav, FLAC: 'data/fsdd/theo.flac', Opus: 'shared/io/testdata/three.opus' };

for (const [kind, path] of Object.entries(files)) {
  test(`openAudioStream() hears ${kind} as openAudio() does, whatever the pieces`, async () => {
    const whole = await openAudio(path);
    const expected = { sampleRateHz: whole.sampleRateHz, samples: [...whole.read(0, whole.length)] };
    const bytes = readFileSync(path);
    for (const size of kind === 'FLAC' ? [100_003] : [1, 777, 100_000])
      assert.deepEqual(await hear(bytes, size), expected);
    whole.close();
  });

  test(`openAudioStream() says that ${kind} is cut off`, async () => {
    const bytes = readFileSync(path);
    await assert.rejects(hear(bytes.subarray(0, bytes.length - 2000), 4096), /Cannot read audio a pipe: it is cut off/);
  });
}

test('openAudioStream() takes all that comes where a head does not know how much, and raw samples at a given rate', async () => {
  for (const size of [0, 0xffffffff, 0x7ffff000]) {
    const bytes = wavOf(tone);
    bytes.writeUInt32LE(size, 40);
    assert.deepEqual((await hear(bytes, 999)).samples, [...tone]);
  }
  const raw = Buffer.from(tone.buffer);
  assert.deepEqual(await hear(raw, 333, { rawSampleRateHz: 11025 }), { sampleRateHz: 11025, samples: [...tone] });
});

test('openAudioStream() refuses what is no audio', async () => {
  await assert.rejects(
    hear(Buffer.from('words, words, words'), 5),
    /neither WAV nor FLAC nor Ogg Opus; give raw samples/,
  );
  await assert.rejects(hear(Buffer.alloc(0), 5), /a pipe: it is empty/);
  const page = readFileSync(files.Opus);
  page[60]! ^= 1;
  await assert.rejects(hear(page, 500), /checksum|damaged/);
});
