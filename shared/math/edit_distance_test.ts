import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { editCounts, editSteps, type WordPair } from './edit_distance.ts';
import { createRandom } from './random.ts';

/** Steps as letters. */
const lettersOf = <Word>(words: WordPair<Word>): string => String.fromCharCode(...editSteps(words));

const cases = [
  { name: 'nothing against nothing', reference: '', hypothesis: '', operations: '' },
  { name: 'nothing recognised', reference: 'a b', hypothesis: '', operations: 'DD' },
  { name: 'nothing said', reference: '', hypothesis: 'a b', operations: 'II' },
  { name: 'equal words', reference: 'a b', hypothesis: 'a b', operations: 'CC' },
  { name: 'a substitution rather than an insertion and a deletion', reference: 'a', hypothesis: 'b', operations: 'S' },
  { name: 'the earlier of two equal words as the extra one', reference: 'a', hypothesis: 'a a', operations: 'IC' },
  { name: 'pairs at the end before insertions', reference: 'a b', hypothesis: 'c d e', operations: 'ISS' },
];
for (const { name, reference, hypothesis, operations } of cases) {
  test(`editSteps() aligns ${name}`, () => {
    assert.equal(lettersOf({ reference: split(reference), hypothesis: split(hypothesis) }), operations);
  });
}

function split(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}

test('editSteps() aligns as sclite does', () => {
  const golden = JSON.parse(readFileSync('shared/math/testdata/sclite.json', 'utf8'));
  for (const [reference, hypothesis, operations] of golden.cases as [string, string, string][]) {
    assert.equal(
      lettersOf({ reference: split(reference), hypothesis: split(hypothesis) }),
      operations,
      `${reference} | ${hypothesis}`,
    );
  }
});

/** The least cost over all alignments, tried one by one. */
function cheapest(reference: readonly number[], hypothesis: readonly number[]): number {
  if (reference.length === 0) return 3 * hypothesis.length;
  if (hypothesis.length === 0) return 3 * reference.length;
  return Math.min(
    cheapest(reference.slice(1), hypothesis.slice(1)) + (reference[0] === hypothesis[0] ? 0 : 4),
    cheapest(reference.slice(1), hypothesis) + 3,
    cheapest(reference, hypothesis.slice(1)) + 3,
  );
}

test('editCounts() is a metric, counts every word once and costs what the best of all alignments costs', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = createRandom('edit', seed);
    const sentence = () => Array.from({ length: random.integer(6) }, () => random.integer(3));
    const [a, b, c] = [sentence(), sentence(), sentence()];
    const between = (reference: number[], hypothesis: number[]) => editCounts({ reference, hypothesis });
    const counts = between(a, b);
    assert.equal(counts.distance, cheapest(a, b), `seed ${seed}`);
    assert.equal(counts.correct + counts.substitutions + counts.deletions, a.length, `seed ${seed}`);
    assert.equal(counts.correct + counts.substitutions + counts.insertions, b.length, `seed ${seed}`);
    assert.equal(between(b, a).distance, counts.distance, `seed ${seed}`);
    assert.equal(between(a, a).distance, 0, `seed ${seed}`);
    assert.ok(between(a, c).distance <= counts.distance + between(b, c).distance, `seed ${seed}`);
  }
});

test('editCounts() are those of the steps of editSteps(), ties included', () => {
  const random = createRandom('counts');
  for (let round = 0; round < 5000; round++) {
    const sentence = () => Array.from({ length: random.integer(12) }, () => random.integer(3));
    const words = { reference: sentence(), hypothesis: sentence() };
    const operations = lettersOf(words);
    const { correct, substitutions, insertions, deletions } = editCounts(words);
    const letters = [...'CSID'].map((letter) => operations.split(letter).length - 1);
    assert.deepEqual([correct, substitutions, insertions, deletions], letters, JSON.stringify(words));
  }
});
