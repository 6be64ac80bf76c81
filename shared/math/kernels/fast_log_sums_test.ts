import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logSums } from '../log_sums.ts';
import { createRandom } from '../random.ts';
import { fastLogSums } from './fast_log_sums.ts';
import { openKernelMemory } from './memory.ts';

test('fastLogSums() is logSums() to 1e-6, at any temperature', { skip: openKernelMemory() === undefined }, () => {
  for (const vocabularySize of [1, 5, 64, 500]) {
    const random = createRandom('log sums', vocabularySize);
    const logits = Float32Array.from({ length: 20 * vocabularySize }, () => 5 * random.normal());
    if (vocabularySize > 1) logits[1] = -Infinity;
    for (const temperature of [0.3, 1, 4]) {
      const expected = logSums(logits, vocabularySize, temperature);
      fastLogSums(logits, vocabularySize, temperature).forEach((value, i) => {
        assert.ok(Math.abs(value - expected[i]!) < 1e-6 * Math.max(1, Math.abs(value)), `${value} for ${expected[i]}`);
      });
    }
  }
  assert.throws(() => fastLogSums(new Float32Array(3), 2, 1), RangeError);
});
