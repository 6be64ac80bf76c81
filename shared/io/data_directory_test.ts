import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { dataDirectoryId, readDataDirectory } from './data_directory.ts';
import { InputError } from './errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'data-directory-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const good: Record<string, string> = {
  'wav.scp': 'r1 wav/r1.wav\nr2 wav/r2.wav\n',
  'wav/r1.wav': 'audio 1',
  'wav/r2.wav': 'audio 2',
  segments: 's1-a r1 0.5 1.25\ns1-b r1 1.25 2\ns2-a r2 0 3\n',
  utt2spk: 's1-a s1\ns1-b s1\ns2-a s2\n',
  text: 's1-a one two\ns1-b two\ns2-a one\n',
  ctm: 's1-a 1 0.1 0.2 one\ns1-a 1 0.3 0.2 two\n',
  'tokens.txt': 'sil 0\none_1 1\ntwo_1 2\n',
  'lexicon.txt': 'one one_1\ntwo two_1\n',
};
let count = 0;
function write(changes: Record<string, string | undefined> = {}): string {
  const path = join(folder, String(count++));
  for (const [name, text] of Object.entries({ ...good, ...changes })) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

test('readDataDirectory() joins its files by utterance', () => {
  const path = write();
  const { utterances, tokens, lexicon, ctm, wordsOf } = readDataDirectory(path);
  assert.deepEqual(
    utterances.map(({ id }) => id),
    ['s1-a', 's1-b', 's2-a'],
  );
  assert.deepEqual(utterances[0], {
    id: 's1-a',
    speaker: 's1',
    audio: join(path, 'wav/r1.wav'),
    startSeconds: 0.5,
    endSeconds: 1.25,
  });
  assert.deepEqual(
    ['s1-a', 's1-b', 's3-a'].map((id) => wordsOf(id)),
    [Int32Array.of(0, 1), Int32Array.of(1), undefined],
  );
  assert.equal(tokens.symbols.length, 3);
  assert.deepEqual(lexicon.words, ['one', 'two']);
  assert.deepEqual(ctm?.get('s1-a')?.[1], { word: 'two', startSeconds: 0.3, durationSeconds: 0.2 });
});

test('readDataDirectory() does without segments, text and ctm', () => {
  const wholeFiles = { segments: undefined, text: undefined, ctm: undefined, utt2spk: 'r1 s1\nr2 s2\n' };
  const { utterances, ctm, wordsOf } = readDataDirectory(write(wholeFiles));
  assert.deepEqual(
    utterances.map(({ id, endSeconds }) => [id, wordsOf(id), endSeconds]),
    [
      ['r1', undefined, undefined],
      ['r2', undefined, undefined],
    ],
  );
  assert.equal(ctm, undefined);
});

test('readDataDirectory() reads what other programs write: marks of byte order, line ends, wide spaces', () => {
  const path = write({
    utt2spk: '\ufeffs1-a\ts1\r\ns1-b  s1 \r\ns2-a\u00a0s2',
    text: '\ufeffs1-a one\u3000two\r\ns1-b\r\ns2-a w\u00f6rt',
    'lexicon.txt': 'one one_1\ntwo two_1\nw\u00f6rt one_1\n',
  });
  const { utterances, wordsOf } = readDataDirectory(path);
  assert.deepEqual(
    utterances.map(({ id, speaker }) => [id, speaker, [...wordsOf(id)!]]),
    [
      ['s1-a', 's1', [0, 1]],
      ['s1-b', 's1', []],
      ['s2-a', 's2', [2]],
    ],
  );
  writeFileSync(join(path, 'text'), Buffer.from('s1-a one\ns1-b\ns2-a w\xf6rt\n', 'latin1'));
  assert.throws(() => readDataDirectory(path), /text, line 3: it is no text in UTF-8; convert it/);
});

for (const [name, changes, message] of [
  ['missing audio', { 'wav/r2.wav': undefined }, /wav.scp, line 2: there is no file .*r2.wav/],
  ['a pipe, which is not run', { 'wav.scp': 'r1 touch ran |\nr2 wav/r2.wav\n' }, /line 1: "touch ran \|" is a command/],
  ['a recording without a path', { 'wav.scp': 'r1\nr2 wav/r2.wav\n' }, /wav.scp, line 1: r1 has no path/],
  ['a missing file', { utt2spk: undefined }, /utt2spk is missing/],
  ['an empty file', { 'wav.scp': '' }, /wav.scp is empty/],
  ['an empty line', { utt2spk: 's1-a s1\n\ns1-b s1\ns2-a s2\n' }, /utt2spk, line 2 is empty/],
  [
    'unsorted lines',
    { text: 's1-b two\ns1-a one\ns2-a one\n' },
    /text, line 2: s1-a comes after s1-b; sort with LC_ALL=C/,
  ],
  ['an utterance twice', { text: 's1-a one\ns1-a one\ns1-b two\ns2-a one\n' }, /text, line 2: s1-a is there twice/],
  ['an utterance without transcript', { text: 's1-a one\ns2-a one\n' }, /text has no line for s1-b/],
  ['a transcript without utterance', { text: `${good.text}s3-a one\n` }, /text, line 4: s3-a is not in segments/],
  [
    'a word that is not in the lexicon',
    { text: 's1-a one\ns1-b six\ns2-a one\n' },
    /line 2: word "six" is not in lexicon/,
  ],
  [
    'an unknown recording',
    { segments: `${good.segments}s2-b r9 0 1\n` },
    /segments, line 4: recording r9 is not in wav.scp/,
  ],
  [
    'a segment that ends before it starts',
    { segments: 's1-a r1 2 1\n' },
    /segments, line 1: 2 to 1 is no stretch of time/,
  ],
  ['a segment without times', { segments: 's1-a r1\n' }, /segments, line 1: undefined to undefined is no stretch/],
  ['two speakers', { utt2spk: 's1-a s1 s2\ns1-b s1\ns2-a s2\n' }, /utt2spk, line 1: need one speaker, found "s1 s2"/],
  ['a broken time', { ctm: 's1-a 1 x 0.2 one\n' }, /ctm, line 1 is not "utterance channel start duration word"/],
  ['a time of nothing', { ctm: 's9-a 1 0 0.2 one\n' }, /ctm, line 1: s9-a is not an utterance/],
  [
    'a token that is not there',
    { 'lexicon.txt': 'one one_1\ntwo two_2\n' },
    /lexicon.txt, line 2: two_2 is not in tokens/,
  ],
  ['missing tokens', { 'tokens.txt': undefined }, /tokens.txt is missing/],
] as const) {
  test(`readDataDirectory() refuses ${name}`, () =>
    assert.throws(() => readDataDirectory(write(changes)), { name: 'InputError', message }));
}

test('readDataDirectory() names all problems at once', () => {
  const path = write({ text: 's1-a six\ns2-a one\n', utt2spk: 's1-a s1\ns1-b s1\ns2-a\n', 'wav/r1.wav': undefined });
  assert.throws(
    () => readDataDirectory(path),
    (error) => {
      assert.ok(error instanceof InputError);
      for (const part of [/no file .*r1.wav/, /utt2spk, line 3/, /word "six"/, /no line for s1-b/]) {
        assert.match(error.message, part);
      }
      return true;
    },
  );
});

test('readDataDirectory() counts the problems that it does not name', () => {
  const text = `s1-a ${'six '.repeat(50)}\ns1-b one\ns2-a one\n`;
  assert.throws(() => readDataDirectory(write({ text })), /; and 30 more$/);
});

test('dataDirectoryId() is that of the content, audio elsewhere included', () => {
  const id = dataDirectoryId(write());
  assert.equal(dataDirectoryId(write()), id);
  assert.notEqual(dataDirectoryId(write({ text: `${good.text}x` })), id);
  assert.notEqual(dataDirectoryId(write({ 'wav/r1.wav': 'other' })), id);
  const elsewhere = join(folder, 'elsewhere.wav');
  const absolute = write({ 'wav.scp': `r1 ${elsewhere}\nr2 ../elsewhere.wav\n` });
  const ids = ['one', 'two'].map((content) => {
    writeFileSync(elsewhere, content);
    return dataDirectoryId(absolute);
  });
  assert.notEqual(ids[0], ids[1]);
});
