import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lowerCase, withoutPunctuation } from './normalise_words.ts';
import { phraseRewriting, type Rewriting, wordRewriting } from './rewriting.ts';
import { createVocabulary, numberOfWord, spelling } from './vocabulary.ts';

test('wordRewriting() changes words by their rule and counts those it changed', () => {
  const vocabulary = createVocabulary(['A-b', 'c', '-']);
  const { rewrite } = wordRewriting('punctuation', withoutPunctuation, vocabulary)!;
  const { words, changed } = rewrite(Int32Array.of(1, 0, 2, 0));
  assert.deepEqual([Array.from(words, (word) => spelling(vocabulary, word)), changed], [['c', 'A', 'b', 'A', 'b'], 3]);
});

test('wordRewriting() has nothing to do where no word would change, and gives untouched words back', () => {
  const vocabulary = createVocabulary(['a', 'B']);
  assert.equal(wordRewriting('punctuation', withoutPunctuation, vocabulary), undefined);
  const words = Int32Array.of(0, 0);
  assert.equal(wordRewriting('case', lowerCase, vocabulary)!.rewrite(words).words, words);
});

test('phraseRewriting() works on what word rules left', () => {
  const vocabulary = createVocabulary(['CAN', 'not', 'say']);
  const steps = [
    wordRewriting('case', lowerCase, vocabulary)!,
    phraseRewriting('map', [{ from: ['can', 'not'], to: ['cannot'] }], vocabulary),
  ] satisfies Rewriting[];
  const given = Int32Array.from(['CAN', 'not', 'say'], (word) => numberOfWord(vocabulary, word));
  const words = steps.reduce<Int32Array>((so, step) => step.rewrite(so).words, given);
  assert.deepEqual(
    Array.from(words, (word) => spelling(vocabulary, word)),
    ['cannot', 'say'],
  );
});
