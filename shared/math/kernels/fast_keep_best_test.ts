import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combinations } from '../combine.ts';
import { fromHalf, toHalfInto } from '../half.ts';
import { logSoftmax } from '../log_softmax.ts';
import { createRandom } from '../random.ts';
import { selectTokens, topK } from '../select.ts';
import { fastCombineBoth } from './fast_combine.ts';
import { fastKeepBest } from './fast_keep_best.ts';
import { fastKeepTokens } from './fast_keep_tokens.ts';
import { openKernelMemory } from './memory.ts';

const toHalfBits = (values: Float32Array): Uint16Array => {
  const bits = new Uint16Array(values.length);
  toHalfInto(bits, values);
  return bits;
};
const hasSimd = openKernelMemory() !== undefined;

test(
  'fastKeepBest() says what its parts say one after another, to the last bit, of numbers and of halves',
  { skip: !hasSimd },
  () => {
    for (const rule of combinations) {
      for (const vocabularySize of [1, 3, 4, 41, 500]) {
        for (const [count, frames, k] of [
          [1, 7, 1],
          [3, 20, Math.min(3, vocabularySize)],
          [2, 1, vocabularySize],
          [2, 0, 1],
        ] as const) {
          const random = createRandom('keep best', rule, vocabularySize, count);
          const teachers = Array.from({ length: count }, () =>
            logSoftmax(
              Float32Array.from({ length: frames * vocabularySize }, () => 4 * random.normal()),
              vocabularySize,
            ),
          );
          const before = teachers.map((values) => values.slice());
          const teacherTemperatures = teachers.map((_, i) => 0.7 + i);
          const given = { vocabularySize, rule, temperature: 1.5, teacherTemperatures };
          const found = fastKeepBest(teachers, given, { k, withCombined: true })!;
          const { logPosteriors: combined, posteriors } = fastCombineBoth(teachers, given);
          const ranked = selectTokens(combined, vocabularySize, new Float32Array(frames).fill(1), topK(k));
          const what = `${rule}, ${vocabularySize} tokens, ${count} teachers`;
          assert.deepEqual(found.combined, combined, what);
          assert.deepEqual(found.kept, fastKeepTokens(combined, vocabularySize, ranked, posteriors), what);
          const halves = teachers.map((values) => toHalfBits(values));
          const ofHalves = fastKeepBest(halves, given, { k, withCombined: true });
          assert.deepEqual(ofHalves, fastKeepBest(halves.map(fromHalf), given, { k, withCombined: true }), what);
          assert.deepEqual(teachers, before, 'teachers are left as they are');
          assert.equal(fastKeepBest(teachers, given, { k, withCombined: false })!.combined, undefined);
        }
      }
    }
  },
);

test('what fastKeepBest() gives stays as it is when the memory is used again', { skip: !hasSimd }, () => {
  const random = createRandom('kept for good');
  const teacher = logSoftmax(Float32Array.from({ length: 60 }, random.normal), 6);
  const given = { vocabularySize: 6, rule: 'linear' } as const;
  const found = fastKeepBest([teacher], given, { k: 2, withCombined: true })!;
  const copy = structuredClone(found);
  fastKeepBest([new Float32Array(600)], given, { k: 6, withCombined: false });
  assert.deepEqual(found, copy);
});

test(
  'fastKeepBest() leaves frames of too few numbers to others, and refuses what combine() refuses',
  { skip: !hasSimd },
  () => {
    const broken = Float32Array.of(0, -1, NaN, 0, 0, 0);
    const given = { vocabularySize: 3, rule: 'linear' } as const;
    assert.equal(fastKeepBest([broken], given, { k: 1, withCombined: false }), undefined);
    assert.throws(() => fastKeepBest([], given, { k: 1, withCombined: false }), /equal shapes/);
    assert.throws(
      () => fastKeepBest([broken], { ...given, vocabularySize: 4 }, { k: 1, withCombined: false }),
      /whole frames/,
    );
  },
);
