import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreement, bestToken, certainty, confidence } from './gate.ts';

const logs = (...posteriors: number[]) => Float32Array.from(posteriors, Math.log);

test('bestToken() takes the lower id of two equals', () => assert.equal(bestToken(logs(0.2, 0.4, 0.4)), 1));

test('confidence() and certainty() go from undecided to certain', () => {
  assert.ok(Math.abs(confidence(logs(0.25, 0.75)) - 0.75) < 1e-7);
  assert.equal(confidence(logs(0, 1)), 1);
  assert.equal(certainty(logs(0, 1, 0)), 1);
  assert.ok(certainty(logs(0.25, 0.25, 0.25, 0.25)) < 1e-6);
  assert.ok(Math.abs(certainty(logs(0.5, 0.5, 0, 0)) - 0.5) < 1e-6);
  assert.equal(certainty(logs(1)), 1, 'one token leaves no doubt');
});

test('agreement() is the share of teachers with the same best token', () => {
  const teachers = [logs(0.9, 0.1), logs(0.4, 0.6), logs(0.5, 0.5)];
  assert.deepEqual([agreement(teachers, 0), agreement(teachers, 1)], [2 / 3, 1 / 3]);
});
