import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAudio } from './audio.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';

const file = 'shared/io/testdata/three.opus';
const expected: { length: number; samples: number[] } = JSON.parse(readFileSync(`${file}.json`, 'utf8'));
const folder = temporaryFolder();

test('openAudio() decodes Ogg Opus as opusdec does, to the length it says', async () => {
  const audio = await openAudio(file);
  assert.equal(audio.sampleRateHz, 48000);
  assert.equal(audio.length, expected.length);
  const samples = audio.read(0, audio.length);
  expected.samples.forEach((value, i) => {
    // rounded to 16 bits
    assert.ok(Math.abs(samples[50 * i]! - value) <= 0.51, `sample ${50 * i}: ${samples[50 * i]}, not ${value}`);
  });
  assert.deepEqual(audio.read(100, 50), samples.slice(100, 150));
});

const refused: [string, RegExp, (bytes: Buffer) => Buffer][] = [
  ['is cut off', /cut off or damaged/, (bytes) => bytes.subarray(0, bytes.length - 100)],
  ['has headers alone', /cut off or damaged/, (bytes) => bytes.subarray(0, 120)],
  ['is damaged', /cut off or damaged/, (bytes) => bytes.fill(0x55, 900, 1100)],
];
for (const [what, why, change] of refused) {
  test(`openAudio() refuses Ogg Opus that ${what}`, async () => {
    const path = join(folder, 'bad.opus');
    writeFileSync(path, change(readFileSync(file)));
    await assert.rejects(openAudio(path), (error: Error) => why.test(error.message) && error.message.includes(path));
  });
}
