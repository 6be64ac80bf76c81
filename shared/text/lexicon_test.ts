import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLexicon } from './lexicon.ts';
import { parseTokens } from './tokens.ts';

const tokens = parseTokens('sil 0\na 1\nb 2\n', 'tokens.txt');

test('parseTokens() reads symbols by id', () => {
  assert.deepEqual(tokens.symbols, ['sil', 'a', 'b']);
  assert.equal(tokens.idOf.get('b'), 2);
});

for (const [text, message] of [
  ['sil 0\na', /tokens.txt, line 2: "a"/],
  ['sil 0\na 2', /line 2: id 2 of a should be 1/],
  ['sil 0\nsil 1', /line 2: sil is there twice/],
  ['', /line 1/],
] as const) {
  test(`parseTokens() refuses ${JSON.stringify(text)}`, () =>
    assert.throws(() => parseTokens(text, 'tokens.txt'), message));
}

test('parseLexicon() keeps several pronunciations of a word', () => {
  const { words, pronunciations } = parseLexicon('ab a b\nba b a\nab b\n', tokens, 'lexicon.txt');
  assert.deepEqual(words, ['ab', 'ba']);
  assert.deepEqual(
    pronunciations.map(({ word, tokens }) => [word, ...tokens]),
    [
      [0, 1, 2],
      [1, 2, 1],
      [0, 2],
    ],
  );
});

test('parseLexicon() refuses a token that is not there, and a word without any', () => {
  assert.throws(() => parseLexicon('ab a x', tokens, 'lexicon.txt'), /lexicon.txt, line 1: x is not in tokens.txt/);
  assert.throws(() => parseLexicon('ab a\nba', tokens, 'lexicon.txt'), /line 2: "ba"/);
});
