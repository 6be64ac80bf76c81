import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestEvaluation, createFinalWeights } from './final_weights.ts';

const after = (update: number) => Float32Array.of(update, -update);
const cases = [
  { name: 'the last weights', averageLast: 0, averaged: 1, weights: 10 },
  { name: 'the mean of the last three of ten', averageLast: 0.3, averaged: 3, weights: 9 },
  { name: 'the mean of all', averageLast: 1, averaged: 10, weights: 5.5 },
  { name: 'the last weights, for a share too small for two', averageLast: 0.01, averaged: 1, weights: 10 },
];
for (const { name, averageLast, averaged, weights } of cases) {
  test(`createFinalWeights() ends with ${name}`, () => {
    const final = createFinalWeights({ count: 2, updates: 10, averageLast, earlyStopping: false });
    for (let update = 1; update <= 10; update++) final.follow(update, after(update));
    assert.equal(final.averaged(10), averaged);
    assert.deepEqual(final.chosen(10, after(10)), Float32Array.of(weights, -weights));
  });
}

test('createFinalWeights() has the weights themselves for a candidate until the mean begins, and then the mean so far', () => {
  const final = createFinalWeights({ count: 2, updates: 4, averageLast: 0.5, earlyStopping: false });
  const found = [1, 2, 3, 4].map((update) => {
    final.follow(update, after(update));
    return final.candidate(update, after(update))[0];
  });
  assert.deepEqual(found, [1, 2, 3, 3.5]);
});

test('createFinalWeights() with early stopping ends with what was kept last, a copy', () => {
  const final = createFinalWeights({ count: 2, updates: 4, averageLast: 0, earlyStopping: true });
  const weights = after(3);
  final.keep(weights);
  weights.fill(0);
  assert.deepEqual(final.chosen(4, after(4)), after(3));
});

test('bestEvaluation() is the first of the lowest', () => {
  assert.equal(bestEvaluation([]), -1);
  assert.equal(bestEvaluation([3, 1, 2, 1]), 1);
});
