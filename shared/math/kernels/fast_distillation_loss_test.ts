import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distillationLoss, type StudentAndTargets } from '../distillation_loss.ts';
import { keepTokens } from '../keep_tokens.ts';
import { logSoftmax } from '../log_softmax.ts';
import { createRandom } from '../random.ts';
import { selectTokens, topK } from '../select.ts';
import { concatenateTargets, noTargets, type SparseTargets, type Tail } from '../sparse_targets.ts';
import { openDistillationLoss } from './fast_distillation_loss.ts';

const fastLoss = openDistillationLoss();

interface Batch {
  vocabularySize: number;
  frames: number;
  k: number;
  tail: Tail;
  spread?: number;
}

/** Random students and teachers; some frames without hard label, without teacher, or gated. */
function batchOf({ vocabularySize, frames, k, tail, spread = 3 }: Batch, seed: number): StudentAndTargets {
  const random = createRandom('batch', seed);
  const normals = (scale: number) => Float32Array.from({ length: vocabularySize }, () => scale * random.normal());
  const parts = Array.from({ length: frames }, (): SparseTargets => {
    if (random.uniform() < 0.1) return noTargets(1);
    if (random.uniform() < 0.1) return { ...noTargets(1), weight: new Float32Array(1) };
    const row = logSoftmax(normals(2), vocabularySize);
    const kept = keepTokens(row, vocabularySize, selectTokens(row, vocabularySize, Float32Array.of(1), topK(k)));
    const hasTail = tail !== 'to-label' && k < vocabularySize;
    return {
      ...{ ...kept, weight: Float32Array.of(random.uniform()) },
      ...(!hasTail && { logTail: Float32Array.of(-Infinity) }),
    };
  });
  return {
    logits: Float32Array.from(Array.from({ length: frames }, () => [...normals(spread)]).flat()),
    vocabularySize,
    hardLabels: Int32Array.from({ length: frames }, () => random.integer(vocabularySize + 1) - 1),
    soft: concatenateTargets(parts),
    tail,
    temperature: [1, 0.5, 4][seed % 3]!,
    softWeight: [0.9, 0.02, 1][(seed >> 1) % 3]!,
    labelSmoothing: seed % 2 === 0 ? 0 : 0.1,
    gated: seed % 2 === 0 ? 'to-hard' : 'drop',
  };
}

/** float32 exponentials of up to 5,000 tokens: six digits of the loss, and of the largest gradient there can be. */
function assertSame(given: StudentAndTargets, what: string): void {
  const expected = distillationLoss(given);
  const found = fastLoss(given);
  for (const name of ['lossNats', 'hardNats', 'softNats'] as const) {
    const [a, b] = [found[name], expected[name]];
    assert.ok(Object.is(a, b) || Math.abs(a - b) <= 2e-6 * (1 + Math.abs(b)), `${what}, ${name}: ${a}, not ${b}`);
  }
  const largest = given.temperature / Math.max(1, given.hardLabels.length);
  expected.gradient.forEach((value, i) => {
    const far = Math.abs(found.gradient[i]! - value);
    assert.ok(
      far <= 1e-6 * Math.max(1, largest) || Number.isNaN(value),
      `${what}, ${i}: ${found.gradient[i]}, not ${value}`,
    );
  });
}

for (const tail of ['renormalise', 'ghost', 'uniform', 'to-label'] as const) {
  test(`the fast loss equals distillationLoss() with tail ${tail}`, () => {
    for (const [vocabularySize, k] of [
      [2, 1],
      [3, 2],
      [8, 8],
      [41, 3],
      [41, 41],
      [501, 16],
      [5000, 10],
    ] as const) {
      for (let seed = 0; seed < 12; seed++) {
        const frames = vocabularySize > 500 ? 3 : 9;
        const batch = batchOf({ vocabularySize, frames, k, tail }, seed);
        assertSame(batch, `${vocabularySize} tokens, k ${k}, seed ${seed}`);
        assertSame({ ...batch, soft: undefined }, `hard labels of ${vocabularySize} tokens, seed ${seed}`);
      }
    }
  });

  test(`the fast loss equals distillationLoss() with tail ${tail} where the student is too sure for float32`, () => {
    for (const spread of [30, 300, 30_000]) {
      for (let seed = 0; seed < 12; seed++) {
        assertSame(
          batchOf({ vocabularySize: 41, frames: 9, k: 3, tail, spread }, seed),
          `spread ${spread}, seed ${seed}`,
        );
      }
    }
  });
}

test('the fast loss shows a student that is no number, or rules out what the teacher wants, as distillationLoss() does', () => {
  const batch = batchOf({ vocabularySize: 5, frames: 1, k: 2, tail: 'ghost' }, 0);
  for (const [logits, loss] of [
    [[NaN, 0, 0, 0, 0], NaN],
    [[0, -Infinity, -Infinity, -Infinity, -Infinity], Infinity],
  ] as const) {
    const given = { ...batch, hardLabels: Int32Array.of(3), logits: Float32Array.from(logits) };
    assert.ok(Object.is(distillationLoss(given).lossNats, loss));
    assert.ok(Object.is(fastLoss(given).lossNats, loss), `${fastLoss(given).lossNats}, not ${loss}`);
  }
});

test('the fast loss of no frame is 0, and it refuses what distillationLoss() refuses', () => {
  const batch = batchOf({ vocabularySize: 5, frames: 4, k: 2, tail: 'ghost' }, 3);
  const none = { ...batch, logits: new Float32Array(0), hardLabels: new Int32Array(0), soft: noTargets(0) };
  assert.equal(fastLoss(none).lossNats, 0);
  for (const change of [
    { hardLabels: Int32Array.of(0, 1, 2, 5) },
    { hardLabels: Int32Array.of(0) },
    { vocabularySize: 4 },
    { temperature: 0 },
    { tail: 'to-label' as const },
    { soft: { ...batch.soft!, tokens: batch.soft!.tokens.map(() => 9) } },
  ]) {
    const message = (use: (given: StudentAndTargets) => unknown) => {
      try {
        use({ ...batch, ...change });
      } catch (error) {
        return `${error}`;
      }
      return 'nothing';
    };
    assert.match(message(distillationLoss), /RangeError/);
    assert.equal(message(fastLoss), message(distillationLoss));
  }
});
