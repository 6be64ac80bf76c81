import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLexicon } from './lexicon.ts';
import { characterSpelling, lexiconSpelling, pieceSpelling, wholeWords } from './spell.ts';
import { spelledLanguage } from './spelled_language.ts';
import { parseTokens } from './tokens.ts';

const words = ['no', 'on'];
const characters = characterSpelling(words);
const ctc = { objective: 'ctc', states: 1, text: 'words', separated: true } as const;

test('spelledLanguage() ends words of characters by a separator', () => {
  const { tokens, textOf, lexiconOf, textUnits } = spelledLanguage(characters, ctc);
  assert.deepEqual(tokens, ['<blk>', '|', 'n', 'o']);
  assert.deepEqual(textOf(['on', 'no']), ['on', 'no']);
  assert.deepEqual(lexiconOf(words), [
    ['no', 'n', 'o', '|'],
    ['on', 'o', 'n', '|'],
  ]);
  assert.equal(textUnits, undefined);
});

test('spelledLanguage() has transcripts of characters, the separator between words', () => {
  const { textOf, lexiconOf, textUnits } = spelledLanguage(characters, { ...ctc, text: 'units' });
  assert.deepEqual(textOf(['on', 'no']), ['o', 'n', '|', 'n', 'o']);
  assert.deepEqual(lexiconOf(words), [
    ['|', '|'],
    ['n', 'n'],
    ['o', 'o'],
  ]);
  assert.deepEqual(textUnits, ['|', 'n', 'o']);
});

test('spelledLanguage() has silence and states of phones for frames, every way to say a word', () => {
  const spelling = lexiconSpelling(new Map([['a', [['AH'], ['EY']]]]), 'lexicon');
  const { tokens, lexiconOf } = spelledLanguage(spelling, {
    objective: 'frame',
    states: 2,
    text: 'words',
    separated: false,
  });
  assert.deepEqual(tokens, ['sil', 'AH_1', 'AH_2', 'EY_1', 'EY_2']);
  assert.deepEqual(lexiconOf(['a']), [
    ['a', 'AH_1', 'AH_2'],
    ['a', 'EY_1', 'EY_2'],
  ]);
});

test('spelledLanguage() refuses a unit that has the symbol of another token', () => {
  assert.throws(() => spelledLanguage(characterSpelling(['a|b']), ctc), /"\|" is both a unit and a token of its own/);
  const frames = { objective: 'frame', states: 1, text: 'words', separated: false } as const;
  assert.throws(() => spelledLanguage(wholeWords(['sil']), frames), /"sil" is both/);
});

test('spelledLanguage() makes tokens and a lexicon that can be read again', () => {
  const { tokens, lexiconOf } = spelledLanguage(characters, ctc);
  const read = parseTokens(tokens.map((symbol, id) => `${symbol} ${id}\n`).join(''), 'tokens.txt');
  const text = lexiconOf(words).map((line) => line.join(' '));
  assert.deepEqual(parseLexicon(text.join('\n'), read, 'lexicon.txt').words, words);
});

test('characterSpelling() counts characters as readers do, and says which one is strange', () => {
  const spelling = characterSpelling(['नि', 'a']);
  assert.deepEqual(spelling.units, ['a', 'नि']);
  assert.deepEqual(spelling.waysOf('aनि'), [['a', 'नि']]);
  assert.deepEqual(spelling.waysOf('ab'), []);
  assert.equal(spelling.why('ab'), '"b" of "ab" is not in any training transcript');
  assert.equal(characterSpelling([], 'ab').why('ca'), '"c" of "ca" is not in the alphabet');
});

test('pieceSpelling() has no way to spell what the tokenizer does not know', () => {
  const spelling = pieceSpelling({ pieces: ['▁a'], piecesOf: (word) => (word === 'a' ? ['▁a'] : undefined) }, 'pieces');
  assert.deepEqual([spelling.waysOf('a'), spelling.waysOf('b')], [[['▁a']], []]);
});
