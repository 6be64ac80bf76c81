/** Files that no stage has made: make sees that they have changed, and the stage whether that matters. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { wavBytes } from '../shared/io/testdata/wav_bytes.ts';

const folder = temporaryFolder();
const corpus = join(folder, 'corpus');
const data = join(folder, 'exp/own/data');
const write = (name: string, content: string | Buffer) => writeFileSync(join(corpus, name), content);
const read = (name: string) => readFileSync(join(data, name), 'utf8');

/** Without what a surrounding make hands down: neither its jobs nor its knobs are ours. */
const { MAKEFLAGS: _flags, MFLAGS: _more, MAKEOVERRIDES: _knobs, MAKELEVEL: _level, ...env } = process.env;

/** Makes the data directory; says whether its stage was called. */
function make(...knobs: string[]): boolean {
  const argv = ['CORPUS=folder', `DATA=${corpus}`, `EXP=${join(folder, 'exp')}`, ...knobs, join(data, 'report.json')];
  const { status, stdout, stderr } = spawnSync('make', argv, { encoding: 'utf8', env });
  assert.equal(status, 0, stdout + stderr);
  return stderr.includes(data);
}

before(() => {
  const silence = new Int16Array(8000);
  for (const part of ['train', 'dev', 'test']) {
    const speaker = join(part, `${part} speaker: one`); // nothing that make could have as the name of a file
    mkdirSync(join(corpus, speaker), { recursive: true });
    for (const name of ['a', 'b c']) {
      write(join(speaker, `${name}.wav`), wavBytes(silence, { sampleRateHz: 8000, channels: 1 }));
      write(join(speaker, `${name}.txt`), 'one two\n');
    }
  }
  assert.ok(make());
  assert.ok(!make(), 'called again without a change');
});

test('a transcript that is edited is read again, once', () => {
  write('train/train speaker: one/b c.txt', 'three\n');
  assert.ok(make());
  assert.match(read('train/text'), /three/);
  assert.ok(!make());
});

test('a file that is written again as it was changes nothing', () => {
  const before = read('report.json');
  write('dev/dev speaker: one/a.txt', 'one two\n');
  assert.ok(make());
  assert.equal(read('report.json'), before);
  assert.ok(!make());
});

test('an utterance that comes or goes is seen', () => {
  const place = (type: string) => join('test/test speaker: one', `new.${type}`);
  write(place('wav'), wavBytes(new Int16Array(8000), { sampleRateHz: 8000, channels: 1 }));
  write(place('txt'), 'three\n');
  assert.ok(make());
  assert.match(read('test/text'), /three/);
  for (const type of ['wav', 'txt']) rmSync(join(corpus, place(type)));
  assert.ok(make());
  assert.doesNotMatch(read('test/text'), /three/);
});

test('a lexicon that is edited is read again', () => {
  const lexicon = join(folder, 'lexicon.txt');
  writeFileSync(lexicon, 'one w\ntwo t\nthree r\n');
  make(`LEXICON=${lexicon}`);
  assert.match(read('train/text'), / r$/m);
  writeFileSync(lexicon, 'one w\ntwo t\nthree s\n');
  assert.ok(make(`LEXICON=${lexicon}`));
  assert.match(read('train/text'), / s$/m);
});
