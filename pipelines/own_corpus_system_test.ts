/** The whole chain on speech of one's own: digits as LibriSpeech has its chapters, from FLAC to a table. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFsdd } from '../shared/io/fsdd.ts';
import { flacBytes } from '../shared/io/testdata/flac_bytes.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';

const folder = temporaryFolder();
const spelled = ['ZERO', 'ONE', 'TWO', 'THREE', 'FOUR', 'FIVE', 'SIX', 'SEVEN', 'EIGHT', 'NINE'];
const utterancesOfSpeaker = 16;

/** Three digits an utterance, of each speaker of the embedded corpus. */
async function writeLibriSpeech(path: string): Promise<void> {
  const recordings = await readFsdd('data/fsdd');
  [...new Set(recordings.map(({ speaker }) => speaker))].forEach((name, i) => {
    const speaker = String(100 + i);
    const chapter = join(path, 'dev-clean', speaker, '1');
    mkdirSync(chapter, { recursive: true });
    const own = recordings.filter((recording) => recording.speaker === name);
    const lines = Array.from({ length: utterancesOfSpeaker }, (_, k) => {
      const digits = [0, 1, 2].map((j) => own[(k * 131 + j * 173) % own.length]!);
      const samples = Int16Array.from(digits.flatMap((digit) => [...digit.samples]));
      const id = `${speaker}-1-${String(k).padStart(4, '0')}`;
      writeFileSync(join(chapter, `${id}.flac`), flacBytes([samples], { sampleRateHz: 8000 }));
      return `${id} ${digits.map(({ digit }) => spelled[digit]).join(' ')}\n`;
    });
    writeFileSync(join(chapter, `${speaker}-1.trans.txt`), lines.join(''));
  });
}

/** Without what a surrounding make hands down: its jobs are not ours. */
const { MAKEFLAGS: _flags, MFLAGS: _more, MAKELEVEL: _level, ...env } = process.env;

test('make distill CORPUS=librispeech goes from FLAC and transcripts to a table', async () => {
  const source = join(folder, 'LibriSpeech');
  await writeLibriSpeech(source);
  const small = ['FAST=1', 'SEEDS=0', 'UPDATES=60', 'SAMPLE_RATE=8000', 'ARMS=hard essence', 'TEACHERS=t1 t2'];
  const argv = [
    'distill',
    'CORPUS=librispeech',
    `DATA=${source}`,
    'TEXT=units',
    `EXP=${join(folder, 'exp')}`,
    ...small,
  ];
  const { status, stdout, stderr } = spawnSync('make', argv, { encoding: 'utf8', env, maxBuffer: 1 << 26 });
  assert.equal(status, 0, stdout + stderr);
  for (const what of ['ensemble', 'hard', 'essence', '## own']) assert.ok(stdout.includes(what), `${what}\n${stdout}`);
});
