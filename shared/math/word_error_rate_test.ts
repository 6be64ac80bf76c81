import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordErrorRate } from './word_error_rate.ts';

const counts = (words: number, insertions: number, deletions: number, substitutions: number) => ({
  words,
  insertions,
  deletions,
  substitutions,
});

test('wordErrorRate() divides all errors by all words', () => {
  assert.equal(wordErrorRate([counts(3, 1, 0, 0), counts(5, 0, 1, 0)]), 0.25);
});

test('wordErrorRate() passes 1 when insertions abound', () => {
  assert.equal(wordErrorRate([counts(1, 3, 0, 0)]), 3);
});

test('wordErrorRate() counts the insertions into an empty reference', () => {
  assert.equal(wordErrorRate([counts(0, 1, 0, 0), counts(4, 0, 0, 1)]), 0.5);
});

test('wordErrorRate() refuses references without words', () => {
  assert.throws(() => wordErrorRate([counts(0, 1, 0, 0)]), /0 reference words/);
  assert.throws(() => wordErrorRate([]), /at least one/);
});
