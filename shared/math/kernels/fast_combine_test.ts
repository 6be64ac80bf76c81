import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combinations, combine } from '../combine.ts';
import { logSoftmax } from '../log_softmax.ts';
import { createRandom } from '../random.ts';
import { fastCombine } from './fast_combine.ts';

test('fastCombine() says what combine() says, of few and many tokens, at any temperature', () => {
  for (const rule of combinations) {
    for (const vocabularySize of [1, 3, 4, 41, 500]) {
      for (const [count, weights, temperature, teacherTemperatures] of [
        [1, undefined, 2, undefined],
        [3, undefined, 1, undefined],
        [5, [1, 0, 2, 5, 1], 0.5, undefined],
        [3, [1, 2, 1], 1.5, [0.7, 1, 3]],
      ] as const) {
        const random = createRandom('combine', rule, vocabularySize, count);
        const teachers = Array.from({ length: count }, () =>
          logSoftmax(
            Float32Array.from({ length: 7 * vocabularySize }, () =>
              random.uniform() < 0.02 ? -Infinity : 4 * random.normal(),
            ).fill(0, 0, 1),
            vocabularySize,
          ),
        );
        const given = { vocabularySize, rule, temperature, weights, teacherTemperatures };
        const expected = combine(teachers, given);
        fastCombine(teachers, given).forEach((found, i) => {
          const value = expected[i]!;
          const near = Object.is(found, value) || Math.abs(found - value) < 1e-6 * (1 + Math.abs(value));
          assert.ok(near, `${rule}, ${vocabularySize} tokens, ${count} teachers, ${i}: ${found}, not ${value}`);
        });
      }
    }
  }
});

test('fastCombine() gives NaN for a frame that is none, and refuses what combine() refuses', () => {
  const broken = Float32Array.of(0, -1, NaN, 0, 0, 0);
  const found = fastCombine([broken, new Float32Array(6)], { vocabularySize: 3, rule: 'linear' });
  assert.deepEqual(Array.from(found, Number.isNaN), [true, true, true, false, false, false]);
  assert.throws(() => fastCombine([], { vocabularySize: 3, rule: 'linear' }), /equal shapes/);
  assert.throws(
    () => fastCombine([broken, broken], { vocabularySize: 3, rule: 'linear', weights: [0, 0] }),
    /not all 0/,
  );
  assert.throws(() => fastCombine([broken, broken], { vocabularySize: 4, rule: 'linear' }), /whole frames/);
});
