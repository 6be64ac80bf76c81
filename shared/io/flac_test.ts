import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openAudio } from './audio.ts';
import { flacBytes } from './testdata/flac_bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'flac-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(content: Uint8Array): string {
  const path = join(folder, 'some.flac');
  writeFileSync(path, content);
  return path;
}

// libsndfile 1.2.2: two channels of 24 bits, 16 kHz, 21 samples each
const stereo = Buffer.from(
  'ZkxhQ4AAACIQABAAAABYAABYA+gDcAAAABVVn/NoECzQa5pkYOkN8P83//hljAAUORBCkAAAhkgEAn/AAH//+AAH///gfJ8DaFgXXcCbxgPk8BddgHycAfJgAAEAfKgHykBdegPlECbygXXkDaGEQIBwAAAAoPiIiIiIiIiIiICXXg==',
  'base64',
);

test('openFlac() reads the mean of two channels of 24 bits on the 16-bit scale', async () => {
  const audio = await openAudio(file(stereo));
  assert.equal(audio.sampleRateHz, 16000);
  assert.equal(audio.length, 21);
  const [zero, both, opposite, highest, lowest] = audio.read(0, 5);
  assert.deepEqual([zero, both, opposite, highest, lowest], [0, 75.25, 0, 8388607 / 256, -32768]);
  assert.deepEqual([...audio.read(1, 1)], [75.25]);
});

test('openFlac() reads samples that look like the beginning of a frame, the last ones as well', async () => {
  const samples = Int16Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? -8 : 100 * Math.sin(i)));
  const audio = await openAudio(file(flacBytes([samples], { sampleRateHz: 8000 })));
  assert.deepEqual(audio.read(0, audio.length), Float32Array.from(samples));
});

const nicolas = readFileSync('data/fsdd/nicolas.flac');

test('openFlac() refuses a file that is cut off', async () =>
  assert.rejects(openAudio(file(nicolas.subarray(0, nicolas.length / 2))), {
    name: 'InputError',
    message: /some.flac: it is cut off or damaged \(\d+ of 1396751 samples can be decoded\); copy it again/,
  }));

test('openFlac() refuses a file with a wrong byte', async () => {
  const damaged = Buffer.from(nicolas);
  damaged[damaged.length >> 1]! ^= 0x55;
  await assert.rejects(openAudio(file(damaged)), /some.flac: it is cut off or damaged/);
});

test('openFlac() refuses a file without samples', async () =>
  assert.rejects(openAudio(file(nicolas.subarray(0, 42))), /some.flac: it is cut off or damaged/));
