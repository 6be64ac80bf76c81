import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDurationTally } from './duration_tally.ts';

test('createDurationTally() counts frames and shares', () => {
  const tally = createDurationTally(3);
  tally.add([0, 0, 1]);
  tally.add([1]);
  assert.equal(tally.frames(), 4);
  assert.deepEqual(tally.shares(), [0.5, 0.5, 0]);
});

test('createDurationTally() nears 1 − 1 / mean duration with many counts', () => {
  const tally = createDurationTally(3);
  for (let i = 0; i < 1000; i++) tally.add([0, 0, 0, 0, 1, 1, 0, 0]);
  const [first, second] = tally.selfLoop();
  assert.ok(Math.abs(first! - (1 - 1 / 3)) < 0.01);
  assert.ok(Math.abs(second! - 0.5) < 0.01);
});

test('createDurationTally() keeps self-loops inside (0, 1), also of tokens never seen or never left', () => {
  const empty = createDurationTally(2);
  assert.deepEqual(empty.selfLoop(), [0.5, 0.5]);
  assert.deepEqual(empty.shares(), [0, 0]);
  const tally = createDurationTally(3);
  tally.add([0, 1, 0, 1]);
  tally.add(new Array(50).fill(1));
  for (const probability of tally.selfLoop()) assert.ok(probability > 0 && probability < 1);
});
