import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openAudio } from './audio.ts';
import { InputError } from './errors.ts';
import { openWav, writeWav } from './wav.ts';

const folder = mkdtempSync(join(tmpdir(), 'wav-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function wavOf(samples: number[]): Buffer {
  const parts: Uint8Array[] = [];
  writeWav({ write: (bytes) => void parts.push(bytes), close() {} }, Int16Array.from(samples), 8000);
  return Buffer.concat(parts);
}

/** A WAV file by hand, chunk by chunk. */
function riff(...chunks: [name: string, content: Buffer][]): Buffer {
  const body = chunks.map(([name, content]) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(content.length);
    return Buffer.concat([Buffer.from(name), size, content, Buffer.alloc(content.length & 1)]);
  });
  return Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), ...body]);
}

function format(code: number, bits: number, { channels = 1, rate = 16000, extension = Buffer.alloc(0) } = {}): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(channels, 2);
  head.writeUInt32LE(rate, 4);
  head.writeUInt16LE((channels * bits) / 8, 12);
  head.writeUInt16LE(bits, 14);
  return Buffer.concat([head, extension]);
}

const all = (path: string): number[] => {
  const audio = openWav(path);
  const samples = Array.from(audio.read(0, audio.length));
  audio.close();
  return samples;
};

test('openWav() reads what writeWav() wrote, all of it or a part', () => {
  const audio = openWav(file('own.wav', wavOf([0, 1, -1, 32767, -32768])));
  assert.equal(audio.sampleRateHz, 8000);
  assert.equal(audio.length, 5);
  assert.deepEqual([...audio.read(0, 5)], [0, 1, -1, 32767, -32768]);
  assert.deepEqual([...audio.read(2, 2)], [-1, 32767]);
  assert.deepEqual([...audio.read(4, 9)], [-32768]);
  assert.deepEqual([...audio.read(9, 1)], []);
  audio.close();
});

const int16 = Buffer.from(Int16Array.of(100, -300, 200, 0).buffer);
const int24 = Buffer.from([0, 100, 0, 128, 255, 255]); // 100 and −0.5 on the 16-bit scale
const int32 = Buffer.from(Int32Array.of(100 * 65536, -32768).buffer);
const float32 = Buffer.from(Float32Array.of(0.5, -1).buffer);
const subFormat = (code: number) => Buffer.concat([Buffer.from([22, 0, 16, 0, 0, 0, 0, 0, code, 0]), Buffer.alloc(14)]);

for (const [name, content, expected] of [
  ['16-bit integers', riff(['fmt ', format(1, 16)], ['data', int16]), [100, -300, 200, 0]],
  ['24-bit integers', riff(['fmt ', format(1, 24)], ['data', int24]), [100, -0.5]],
  ['32-bit integers', riff(['fmt ', format(1, 32)], ['data', int32]), [100, -0.5]],
  ['32-bit floats', riff(['fmt ', format(3, 32)], ['data', float32]), [16384, -32768]],
  ['the mean of two channels', riff(['fmt ', format(1, 16, { channels: 2 })], ['data', int16]), [-100, 100]],
  [
    'the extensible format',
    riff(['fmt ', format(0xfffe, 16, { extension: subFormat(1) })], ['data', int16]),
    [100, -300, 200, 0],
  ],
  [
    'past other chunks, of odd length too',
    riff(['LIST', Buffer.from('abc')], ['fmt ', format(1, 16)], ['fact', Buffer.alloc(4)], ['data', int16]),
    [100, -300, 200, 0],
  ],
] as const) {
  test(`openWav() reads ${name}`, () => assert.deepEqual(all(file('some.wav', content)), [...expected]));
}

const whole = riff(['fmt ', format(1, 16)], ['data', int16]);
for (const [name, content, message] of [
  ['cut off', whole.subarray(0, -3), /some.wav: it is cut off: 5 of 8 bytes of data are there; copy it again/],
  ['without samples', riff(['fmt ', format(1, 16)]), /it has no data/],
  ['without a format', riff(['data', int16]), /no format before its data/],
  ['with a format cut off', riff(['fmt ', format(1, 16)]).subarray(0, 30), /no format before its data/],
  ['in µ-law', riff(['fmt ', format(7, 8)], ['data', int16]), /format 7 of 8 bits is not supported; convert it/],
  ['of no channels', riff(['fmt ', format(1, 16, { channels: 0 })], ['data', int16]), /0 channels/],
] as const) {
  test(`openWav() refuses a file ${name}`, () =>
    assert.throws(() => openWav(file('some.wav', content)), {
      name: 'InputError',
      message,
    }));
}

test('openAudio() looks at the content, not at the name', async () => {
  const audio = await openAudio(file('really-wav.flac', wavOf([5])));
  assert.deepEqual([...audio.read(0, 1)], [5]);
  audio.close();
  await assert.rejects(openAudio(file('text.wav', Buffer.from('george, one'))), InputError);
  await assert.rejects(openAudio(file('empty.wav', Buffer.alloc(0))), /empty.wav: it is neither WAV nor FLAC/);
});
