import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasDiverged } from './has_diverged.ts';

// training and dev losses of networks of width 32 on digits in noise, 41 tokens: ln 41 is 3.71
const cases = [
  { name: 'an untrained network', trainLoss: 4.62, devLoss: 4.76, expected: false },
  { name: 'one update', trainLoss: 4.62, devLoss: 4.18, expected: false },
  { name: 'one update at a rate of 0.3', trainLoss: 4.62, devLoss: 10.78, expected: false },
  { name: 'a rate of 3, with which only silence is learnt', trainLoss: 2.94, devLoss: 2.92, expected: false },
  { name: 'overfitting beyond measure', trainLoss: 0.01, devLoss: 40, expected: false },
  { name: 'transcripts that no path of a dev utterance has', trainLoss: 0.5, devLoss: Infinity, expected: false },
  { name: 'a rate of 100', trainLoss: 426.51, devLoss: 402.78, expected: true },
  { name: 'one update at a rate of 10', trainLoss: 4.62, devLoss: 3162.24, expected: true },
  { name: 'weights that left the numbers with the last update', trainLoss: 0.5, devLoss: Number.NaN, expected: true },
];
for (const { name, expected, ...losses } of cases) {
  test(`hasDiverged() is ${expected} for ${name}`, () => {
    assert.equal(hasDiverged({ ...losses, tokens: 41 }), expected);
  });
}
