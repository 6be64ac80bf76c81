import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../math/random.ts';
import { createVocabulary, hashOf, hashStart, numberOf, spelling, type Vocabulary } from './vocabulary.ts';

const hashOfWord = (word: string): number => Buffer.from(word).reduce(hashOf, hashStart);

/** The number of a word in the midst of others. */
function numberIn(vocabulary: Vocabulary, word: string): number {
  const bytes = Buffer.from(`-${word}-`);
  return numberOf(vocabulary, bytes, { start: 1, end: bytes.length - 1, hash: hashOfWord(word) });
}

test('createVocabulary() numbers words in the order they come in, and spells them', () => {
  const vocabulary = createVocabulary(['one', 'zwölf']);
  assert.deepEqual(
    ['zwölf', 'two', 'one', 'two', 'on', 'onee'].map((word) => numberIn(vocabulary, word)),
    [1, 2, 0, 2, 3, 4],
  );
  const words = [0, 1, 2, 3, 4].map((number) => spelling(vocabulary, number));
  assert.deepEqual(words, ['one', 'zwölf', 'two', 'on', 'onee']);
});

test('createVocabulary() finds every word again after it grew', () => {
  const random = createRandom('vocabulary');
  const vocabulary = createVocabulary();
  const known = new Map<string, number>();
  for (let round = 0; round < 20000; round++) {
    const word = `w${random.integer(9000)}`.repeat(1 + random.integer(2));
    const number = known.get(word) ?? known.size;
    assert.equal(numberIn(vocabulary, word), number);
    known.set(word, number);
  }
  assert.ok(known.size > 5000);
  for (const [word, number] of known) assert.equal(spelling(vocabulary, number), word);
});

test('numberOf() tells words of one hash apart', () => {
  const [one, other] = ['rmewztm', 'nxpkxev'] as const;
  assert.equal(hashOfWord(one), hashOfWord(other));
  const vocabulary = createVocabulary([one, other]);
  assert.deepEqual([numberIn(vocabulary, other), numberIn(vocabulary, one)], [1, 0]);
});
