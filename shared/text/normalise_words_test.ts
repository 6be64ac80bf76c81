import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lowerCase, withoutHesitations, withoutPunctuation } from './normalise_words.ts';

const punctuation: Record<string, string[]> = {
  word: ['word'],
  'Hello,': ['Hello'],
  '“Hello!”': ['Hello'],
  'don’t': ["don't"],
  "o'clock": ["o'clock"],
  "dogs'": ['dogs'],
  "'tis": ['tis'],
  'twenty-one': ['twenty', 'one'],
  'and/or': ['and', 'or'],
  'U.S.A.': ['USA'],
  '—': [],
  '...': [],
  '¿Qué?': ['Qué'],
  '你好。': ['你好'],
  हिन्दी: ['हिन्दी'],
  '3.5%': ['35'],
};
for (const [word, words] of Object.entries(punctuation)) {
  test(`withoutPunctuation() makes "${words.join(' ')}" of "${word}"`, () => {
    assert.deepEqual(withoutPunctuation(word), words);
  });
}

test('lowerCase() knows letters beyond ASCII', () => {
  assert.deepEqual(['Hello', 'ÄRGER', 'ΟΔΌΣ'].map(lowerCase), [['hello'], ['ärger'], ['οδός']]);
});

test('withoutHesitations() leaves out sounds of hesitation alone', () => {
  assert.deepEqual(['uh', 'Um', 'umbrella', 'hmm'].flatMap(withoutHesitations), ['umbrella']);
});
