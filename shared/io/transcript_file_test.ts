import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createVocabulary, spelling } from '../text/vocabulary.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';
import { readTranscripts } from './transcript_file.ts';

test('readTranscripts() finds the words of an utterance in whatever order it is asked', () => {
  const file = join(temporaryFolder(), 'text');
  writeFileSync(file, 'a one two\n\nb\nc two\nd three\n');
  const words = createVocabulary();
  const { utterances, wordsOf } = readTranscripts(file, words);
  const textOf = (utterance: string) => {
    const found = wordsOf(utterance);
    return found && Array.from(found, (word) => spelling(words, word)).join(' ');
  };
  assert.deepEqual(utterances, ['a', 'b', 'c', 'd']);
  const asked = [...'abcd', 'x', '', 'abc', ...'dcbaadbc'];
  assert.deepEqual(
    asked.map(textOf),
    ['one two', '', 'two', 'three', undefined, undefined, undefined].concat(
      [...'dcbaadbc'].map((utterance) => ({ a: 'one two', b: '', c: 'two', d: 'three' })[utterance]),
    ),
  );
});
