import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateBigram } from './bigram.ts';
import { createRandom } from './random.ts';

test('estimateBigram() smooths as Witten and Bell: counted by hand', () => {
  // a b </s>, a </s>; words a = 0, b = 1, the end 2
  const { unigrams, seen, backoff } = estimateBigram([[0, 1], [0]], 2);
  // c(a) = 2, c(b) = 1, c(</s>) = 2, 3 kinds, 5 in all
  const single = [(2 + 3 / 3) / 8, (1 + 1) / 8, (2 + 1) / 8];
  assert.deepEqual([...unigrams], single);
  // after a: b and </s> once each, 2 kinds; after b: </s>; after the start: a twice
  const expected = [
    [0, (1 + 2 * single[1]!) / 4, (1 + 2 * single[2]!) / 4],
    [0, 0, (1 + 1 * single[2]!) / 2],
    [(2 + 1 * single[0]!) / 3, 0, 0],
  ];
  assert.deepEqual([...seen], expected.flat());
  assert.deepEqual([...backoff], [2 / 4, 1 / 2, 1 / 3]);
});

test('estimateBigram() leaves as much for unseen pairs as they need: a distribution over what comes next, after everything', () => {
  const random = createRandom(5, 'bigram');
  const wordCount = 6; // the last is never said
  const sentences = Array.from({ length: 30 }, () =>
    Array.from({ length: random.integer(9) }, () => random.integer(wordCount - 1)),
  );
  const { unigrams, seen, backoff } = estimateBigram(sentences, wordCount);
  for (let previous = 0; previous <= wordCount; previous++) {
    const row = Array.from(seen.subarray(previous * (wordCount + 1), (previous + 1) * (wordCount + 1)), (own, word) =>
      own > 0 ? own : backoff[previous]! * unigrams[word]!,
    );
    const mass = row.reduce((sum, probability) => sum + probability, 0);
    assert.ok(Math.abs(mass - 1) < 1e-12, `after ${previous}: ${mass}`);
    assert.ok(row.every((probability) => probability > 0));
  }
});

test('estimateBigram() refuses no sentences and words that are none', () => {
  assert.throws(() => estimateBigram([], 3), /without sentences/);
  assert.throws(() => estimateBigram([[3]], 2), /word 3: there are 2/);
});
