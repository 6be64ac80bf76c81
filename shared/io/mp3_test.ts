import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAudio } from './audio.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';

interface Golden {
  sampleRateHz: number;
  length: number;
  samples: number[];
}
const stereoFile = 'shared/io/testdata/three.mp3';
const monoFile = 'shared/io/testdata/three_mono.mp3';
const { stereo, mono }: { stereo: Golden & { encoded: number[] }; mono: Golden } = JSON.parse(
  readFileSync(`${stereoFile}.json`, 'utf8'),
);
const folder = temporaryFolder();
const written = (bytes: Uint8Array): string => {
  const path = join(folder, 'some.mp3');
  writeFileSync(path, bytes);
  return path;
};

for (const [name, file, golden] of [
  ['two channels at 44.1 kHz, averaged', stereoFile, stereo],
  ['one channel at 16 kHz', monoFile, mono],
] as const) {
  test(`openAudio() decodes MP3 as mpg123 does: ${name}`, async () => {
    const audio = await openAudio(file);
    assert.deepEqual([audio.sampleRateHz, audio.length], [golden.sampleRateHz, golden.length]);
    const samples = audio.read(0, audio.length);
    golden.samples.forEach((value, i) => {
      // rounded to 16 bits
      assert.ok(Math.abs(samples[50 * i]! - value) <= 0.51, `sample ${50 * i}: ${samples[50 * i]}, not ${value}`);
    });
    assert.deepEqual(audio.read(100, 50), samples.slice(100, 150));
  });
}

test('openAudio() has MP3 where the recording was before it was encoded, neither late nor longer', async () => {
  const audio = await openAudio(stereoFile);
  assert.equal(Math.ceil(audio.length / 50), stereo.encoded.length);
  const samples = audio.read(0, audio.length);
  let [signal, difference] = [0, 0];
  stereo.encoded.forEach((value, i) => {
    signal += value ** 2;
    difference += (value - samples[50 * i]!) ** 2;
  });
  assert.ok(difference < 0.1 * signal, `${difference / signal}`); // a frame of delay would make it more than 1
});

const whole = readFileSync(stereoFile);
const tag = (bytes: number) =>
  Buffer.concat([Buffer.from('ID3\x04\0\0\0\0'), Buffer.of(bytes >> 7, bytes & 127), Buffer.alloc(bytes)]);
for (const [name, bytes] of [
  ['a tag before it', Buffer.concat([tag(300), whole])],
  ['a tag behind it', Buffer.concat([whole, Buffer.from('TAG'), Buffer.alloc(125)])],
] as const) {
  test(`openAudio() reads MP3 with ${name}`, async () =>
    assert.equal((await openAudio(written(bytes))).length, stereo.length));
}

for (const [what, why, bytes] of [
  ['is cut off within a frame', /the frame at byte \d+ is not whole/, whole.subarray(0, whole.length - 50)],
  ['lacks frames at its end', /\d+ of \d+ frames are there/, whole.subarray(0, endOfFrame(3))],
  ['is damaged', /no frame begins at byte \d+/, Buffer.from(whole).fill(0x55, 2000, 2300)],
  ['has a tag alone', /no frame begins at byte 310/, tag(300)],
] as const) {
  test(`openAudio() refuses MP3 that ${what}`, async () =>
    assert.rejects(openAudio(written(bytes)), (error: Error) => {
      assert.equal(error.name, 'InputError');
      assert.match(error.message, /some.mp3: it is cut off or damaged/);
      assert.match(error.message, why);
      return true;
    }));
}

/** Where so many frames of 96 kbit/s at 44.1 kHz end, one of padding a byte longer. */
function endOfFrame(count: number): number {
  let place = 0;
  for (let frame = 0; frame < count; frame++) place += 313 + ((whole[place + 2]! >> 1) & 1);
  return place;
}
