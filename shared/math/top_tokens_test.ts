import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './random.ts';
import { topTokens } from './top_tokens.ts';

test('topTokens() ranks as a plain sort does, ties by lower id, −∞ last, by either of its ways', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = createRandom('top', seed);
    const size = 1 + random.integer(80);
    const levels = [-Infinity, -0, 0, 1, ...Array.from({ length: 1 + random.integer(60) }, () => 10 * random.normal())];
    const scores = Float32Array.from({ length: size }, () => levels[random.integer(levels.length)]!);
    const before = scores.slice();
    const expected = Array.from(scores.keys()).sort((a, b) =>
      scores[a] === scores[b] ? a - b : scores[b]! - scores[a]!,
    );
    const count = 1 + random.integer(size);
    assert.deepEqual([...topTokens(scores, count)], expected.slice(0, count), `seed ${seed}`);
    assert.deepEqual(scores, before);
  }
});

test('topTokens() refuses more tokens than there are, and none', () => {
  assert.throws(() => topTokens(new Float32Array(3), 4), /best 4 of 3 tokens/);
  assert.throws(() => topTokens(new Float32Array(3), 0), /best 0 of 3 tokens/);
});
