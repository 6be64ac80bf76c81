import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distillationLoss } from './distillation_loss.ts';
import { logSoftmax } from './log_softmax.ts';
import { createRandom } from './random.ts';
import { all, topK } from './select.ts';
import { spreadTailDivergence } from './spread_tail_divergence.ts';

test('spreadTailDivergence() is the KL of all tokens from a student that says what is kept and spreads the rest', () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = createRandom('spread', seed);
    const size = 2 + random.integer(30);
    const row = logSoftmax(
      Float32Array.from({ length: size }, () => 3 * random.normal()),
      size,
    );
    const kept = topK(row, 1 + random.integer(size));
    const student = new Float32Array(size).fill(kept.logTail - Math.log(Math.max(1, size - kept.tokens.length)));
    kept.tokens.forEach((token, i) => void student.fill(kept.logPosteriors[i]!, token, token + 1));
    const { tokens, logPosteriors } = all(row);
    const soft = {
      offsets: Int32Array.of(0, size),
      tokens,
      logPosteriors,
      logTail: Float32Array.of(-Infinity),
      weight: Float32Array.of(1),
    };
    const { softNats } = distillationLoss({
      ...{ logits: student, vocabularySize: size, hardLabels: Int32Array.of(-1), soft, tail: 'renormalise' },
      ...{ temperature: 1, softWeight: 1, labelSmoothing: 0, gated: 'to-hard' },
    });
    assert.ok(Math.abs(spreadTailDivergence(row, kept) - softNats) < 1e-5, `seed ${seed}`);
  }
});

test('spreadTailDivergence() is 0 where the tail is even already, and where tokens not kept are ruled out', () => {
  const even = Float32Array.from([0.6, 0.2, 0.2], Math.log);
  assert.ok(Math.abs(spreadTailDivergence(even, topK(even, 1))) < 1e-7);
  const certain = Float32Array.from([1, 0, 0], Math.log);
  assert.equal(spreadTailDivergence(certain, topK(certain, 1)), 0);
});
