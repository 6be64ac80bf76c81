import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAudio } from './audio.ts';
import { audioLength } from './audio_length.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';
import { wavBytes } from './testdata/wav_bytes.ts';

const folder = temporaryFolder();
const wav = join(folder, 'some.wav');
writeFileSync(wav, wavBytes(new Int16Array(441), { sampleRateHz: 44100, channels: 2 }));

for (const file of [wav, 'data/fsdd/theo.flac', 'shared/io/testdata/three.opus']) {
  test(`audioLength() of ${file} is that of its samples`, async () => {
    const { sampleRateHz, length } = await openAudio(file);
    assert.deepEqual(audioLength(file), { sampleRateHz, seconds: length / sampleRateHz });
  });
}

for (const file of ['shared/io/testdata/three.mp3', 'shared/io/testdata/three_mono.mp3']) {
  test(`audioLength() of ${file} is that of its frames: three at most more than its samples`, async () => {
    const { sampleRateHz, length } = await openAudio(file);
    const found = audioLength(file);
    assert.equal(found.sampleRateHz, sampleRateHz);
    const more = found.seconds! - length / sampleRateHz;
    assert.ok(more >= -0.04 && more < (3 * 1152) / 44100, `${more}`);
  });
}

test('audioLength() refuses what is no audio', () => {
  const path = join(folder, 'text.wav');
  for (const content of ['', 'no audio', 'RIFF1234WAVEdata'])
    assert.throws(() => writeFileSync(path, content) ?? audioLength(path), { name: 'InputError', message: /text.wav/ });
});
