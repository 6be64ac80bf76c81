import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logSoftmax } from '../log_softmax.ts';
import { createRandom } from '../random.ts';
import { topTokensOfFrames } from '../top_tokens.ts';
import { fastLogSoftmax, fastTopTokensOfFrames } from './fast_posteriors.ts';

/** Frames whose scores move slowly, as those of speech do; or not at all like each other. */
function framesOf(vocabularySize: number, frames: number, kind: string): Float32Array {
  const random = createRandom('scores', vocabularySize, kind);
  const row = Float32Array.from({ length: vocabularySize }, () => 3 * random.normal());
  const scores = new Float32Array(frames * vocabularySize);
  for (let frame = 0; frame < frames; frame++) {
    for (let token = 0; token < vocabularySize; token++) {
      row[token] = 0.9 * row[token]! + random.normal();
      const score = {
        slow: row[token]!,
        wild: 50 * random.normal(),
        even: 1,
        whole: random.integer(4),
        ruled: -Infinity,
      }[kind]!;
      scores[frame * vocabularySize + token] = kind === 'ruled' && random.uniform() < 0.5 ? random.normal() : score;
    }
  }
  return scores;
}
const kinds = ['slow', 'wild', 'even', 'whole', 'ruled'];
const near = (a: number, b: number, tolerance: number) => Object.is(a, b) || Math.abs(a - b) <= tolerance;

test('fastTopTokensOfFrames() finds the tokens of topTokensOfFrames(), ties included', () => {
  for (const kind of kinds) {
    for (const vocabularySize of [1, 3, 4, 41, 500, 4099]) {
      const scores = framesOf(vocabularySize, 11, kind);
      for (const count of [1, 2, 10, 16, 32, vocabularySize].filter((k) => k <= vocabularySize && k <= 500)) {
        const expected = topTokensOfFrames(scores, vocabularySize, count);
        const found = fastTopTokensOfFrames(scores, vocabularySize, count);
        const what = `${kind}, ${vocabularySize} tokens, ${count} of them`;
        assert.deepEqual(found.tokens, expected.tokens, what);
        assert.deepEqual(found.scores, expected.scores, what);
        expected.logSums.forEach((sum, i) => {
          assert.ok(
            near(found.logSums[i]!, sum, 1e-6 * (1 + Math.abs(sum))),
            `${what}: ${found.logSums[i]}, not ${sum}`,
          );
        });
      }
    }
  }
});

test('fastTopTokensOfFrames() leaves frames with NaN, and what is refused, to topTokensOfFrames()', () => {
  const scores = framesOf(41, 3, 'slow').fill(NaN, 41, 81);
  assert.deepEqual(fastTopTokensOfFrames(scores, 41, 3), topTokensOfFrames(scores, 41, 3));
  assert.throws(() => fastTopTokensOfFrames(scores, 41, 42), /best 42 of 41 tokens/);
  assert.throws(() => fastTopTokensOfFrames(scores, 40, 3), /whole frames/);
});

test('fastLogSoftmax() equals logSoftmax() at any temperature', () => {
  for (const kind of kinds) {
    for (const vocabularySize of [1, 3, 4, 41, 500, 4099]) {
      for (const temperature of [0.5, 1, 4]) {
        const logits = framesOf(vocabularySize, 5, kind);
        const expected = logSoftmax(logits, vocabularySize, { temperature });
        const found = fastLogSoftmax(logits, vocabularySize, { temperature });
        expected.forEach((value, i) => {
          const what = `${kind}, ${vocabularySize} tokens, T ${temperature}, ${i}`;
          assert.ok(near(found[i]!, value, 3e-7 * (2 + Math.abs(value))), `${what}: ${found[i]}, not ${value}`);
        });
      }
    }
  }
  const wrong = fastLogSoftmax(Float32Array.of(NaN, 1, 2, -Infinity, -Infinity, -Infinity), 3);
  assert.ok(wrong.every(Number.isNaN));
  assert.throws(() => fastLogSoftmax(new Float32Array(5), 3), /whole frames/);
  assert.throws(() => fastLogSoftmax(new Float32Array(3), 3, { temperature: 0 }), /temperature 0/);
});
