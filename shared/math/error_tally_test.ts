import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editCounts, editSteps } from './edit_distance.ts';
import { createErrorTally } from './error_tally.ts';
import { createRandom } from './random.ts';

const aligned = (reference: number[], hypothesis: number[]) => {
  const words = { reference: Int32Array.from(reference), hypothesis: Int32Array.from(hypothesis) };
  return { ...words, steps: editSteps(words) };
};

test('createErrorTally() counts which words are taken for which, most frequent first', () => {
  const tally = createErrorTally();
  tally.add(aligned([1, 2, 3], [1, 4, 3])); // 2 → 4
  tally.add(aligned([5, 2, 3], [5, 4, 3, 7])); // 2 → 4, 7 too much
  assert.deepEqual(tally.add(aligned([1, 6, 3, 8], [1, 9, 3])), {
    words: 4,
    insertions: 0,
    deletions: 1,
    substitutions: 1,
  });
  const all = {
    substitutions: [
      { reference: 2, hypothesis: 4, count: 2 },
      { reference: 6, hypothesis: 9, count: 1 },
    ],
    insertions: [{ word: 7, count: 1 }],
    deletions: [{ word: 8, count: 1 }],
  };
  assert.deepEqual(tally.confusions(), all);
  assert.deepEqual(tally.confusions(1).substitutions, all.substitutions.slice(0, 1));
  assert.deepEqual(tally.confusions(5), all);
});

test('createErrorTally() counts as editCounts() does, and every error once among the confusions', () => {
  const random = createRandom('tally');
  const tally = createErrorTally();
  const total = { insertions: 0, deletions: 0, substitutions: 0 };
  for (let round = 0; round < 500; round++) {
    const sentence = () => Array.from({ length: random.integer(12) }, () => random.integer(4));
    const [reference, hypothesis] = [sentence(), sentence()];
    const { words: _, ...counts } = tally.add(aligned(reference, hypothesis));
    const { insertions, deletions, substitutions } = editCounts({ reference, hypothesis });
    assert.deepEqual(counts, { insertions, deletions, substitutions });
    total.insertions += insertions;
    total.deletions += deletions;
    total.substitutions += substitutions;
  }
  const sum = (rows: { count: number }[]) => rows.reduce((sum, { count }) => sum + count, 0);
  const { substitutions, insertions, deletions } = tally.confusions();
  assert.deepEqual([sum(insertions), sum(deletions), sum(substitutions)], Object.values(total));
  const counts = substitutions.map(({ count }) => count);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  );
  assert.deepEqual(tally.confusions(3).substitutions, substitutions.slice(0, 3));
});
