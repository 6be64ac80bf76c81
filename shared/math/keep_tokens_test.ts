import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distillationLoss } from './distillation_loss.ts';
import { keepTokens } from './keep_tokens.ts';
import { logSoftmax } from './log_softmax.ts';
import { createRandom } from './random.ts';
import { selectTokens, topK } from './select.ts';

const open = Float32Array.of(1);
const keepBest = (row: Float32Array, k: number) =>
  keepTokens(row, row.length, selectTokens(row, row.length, open, topK(k)));

test('keepTokens() says how far all tokens are from a student that says what is kept and spreads the rest', () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = createRandom('spread', seed);
    const size = 2 + random.integer(30);
    const row = logSoftmax(
      Float32Array.from({ length: size }, () => 3 * random.normal()),
      size,
    );
    const kept = keepBest(row, 1 + random.integer(size));
    const student = new Float32Array(size).fill(kept.logTail[0]! - Math.log(Math.max(1, size - kept.tokens.length)));
    kept.tokens.forEach((token, i) => void student.fill(kept.logPosteriors[i]!, token, token + 1));
    const soft = { ...keepBest(row, size), logTail: Float32Array.of(-Infinity), weight: open };
    const { softNats } = distillationLoss({
      ...{ logits: student, vocabularySize: size, hardLabels: Int32Array.of(-1), soft, tail: 'renormalise' },
      ...{ temperature: 1, softWeight: 1, labelSmoothing: 0, gated: 'to-hard' },
    });
    assert.ok(Math.abs(kept.divergence[0]! - softNats) < 1e-5, `seed ${seed}`);
  }
});

test('keepTokens() loses nothing where the tail is even already, and where tokens not kept are ruled out', () => {
  const even = Float32Array.from([0.6, 0.2, 0.2], Math.log);
  assert.ok(Math.abs(keepBest(even, 1).divergence[0]!) < 1e-7);
  const certain = Float32Array.from([1, 0, 0], Math.log);
  const { divergence, logTail } = keepBest(certain, 1);
  assert.deepEqual([divergence[0], logTail[0]], [0, -Infinity]);
});

test('keepTokens() counts the mass of frames that keep nothing', () => {
  const row = Float32Array.from([0.6, 0.3, 0.1, 0.6, 0.3, 0.1], Math.log);
  const { mass, logTail, divergence } = keepTokens(row, 3, selectTokens(row, 3, Float32Array.of(1, 0), topK(3)));
  assert.deepEqual([logTail[0], logTail[1], divergence[0], divergence[1]], [-Infinity, 0, 0, 0]);
  for (const [token, expected] of [1.2, 0.6, 0.2].entries()) assert.ok(Math.abs(mass[token]! - expected) < 1e-6);
});
