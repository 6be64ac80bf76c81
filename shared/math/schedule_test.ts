import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmUpCosine } from './schedule.ts';

const settings = { updates: 100, warmUp: 0.1 };

test('warmUpCosine() rises to 1 in a straight line and falls to 0 in half a cosine', () => {
  for (const [update, share] of [
    [0, 0.1],
    [4, 0.5],
    [9, 1],
    [10, 1],
    [55, 0.5],
    [100, 0],
    [101, 0],
  ] as const) {
    assert.ok(Math.abs(warmUpCosine(update, settings) - share) < 1e-12, `${update}`);
  }
  for (let update = 11; update < 100; update++) {
    assert.ok(warmUpCosine(update, settings) < warmUpCosine(update - 1, settings));
  }
});

test('warmUpCosine() learns in every update, without a rise and in a run of one', () => {
  assert.equal(warmUpCosine(0, { updates: 100, warmUp: 0 }), 1);
  assert.equal(warmUpCosine(0, { updates: 1, warmUp: 0.1 }), 1);
  assert.equal(warmUpCosine(0, { updates: 1, warmUp: 0.9 }), 1);
});
