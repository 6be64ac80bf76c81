import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepCached } from './keep_cached.ts';
import { type Kept, keepTokens } from './keep_tokens.ts';
import { fastKeepCached } from './kernels/fast_keep_cached.ts';
import { openKernelMemory } from './kernels/memory.ts';
import { logSoftmax } from './log_softmax.ts';
import { createRandom } from './random.ts';
import { cacheFrames } from './sparse_cache.ts';

const hasSimd = openKernelMemory() !== undefined;
const frames = 40;

function teacherOf(vocabularySize: number): Float32Array {
  const random = createRandom('keep cached', vocabularySize);
  const logits = Float32Array.from({ length: frames * vocabularySize }, () => 3 * random.normal());
  return logSoftmax(logits, vocabularySize);
}

/** Every frame keeps the same number; or up to k, and now and then none. */
const offsetsOf = (k: number, isEven: boolean): Int32Array => {
  const random = createRandom('offsets', k);
  const offsets = new Int32Array(frames + 1);
  for (let frame = 0; frame < frames; frame++)
    offsets[frame + 1] = offsets[frame]! + (isEven ? k : random.integer(k + 1));
  return offsets;
};

function assertNear(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(found.length, expected.length, what);
  for (let i = 0; i < found.length; i++) {
    assert.ok(
      found[i] === expected[i] || Math.abs(found[i]! - expected[i]!) <= tolerance,
      `${what}: ${found[i]} for ${expected[i]} at ${i}`,
    );
  }
}

function assertSame(found: Kept, expected: Kept, tolerance: number, what: string): void {
  assert.deepEqual([found.offsets, found.tokens], [expected.offsets, expected.tokens], what);
  assertNear(found.logPosteriors, expected.logPosteriors, 10 * tolerance, `${what}, log-posteriors`);
  assertNear(found.logTail.map(Math.exp), expected.logTail.map(Math.exp), tolerance, `${what}, tail`);
  assertNear(found.lostMass, expected.lostMass, tolerance, `${what}, mass lost`);
  assertNear(found.divergence, expected.divergence, 20 * tolerance, `${what}, divergence`);
  assertNear(found.mass, expected.mass, frames * tolerance, `${what}, mass of tokens`);
}

for (const vocabularySize of [3, 41, 500]) {
  for (const k of [1, 3, 6, 16].filter((count) => count <= vocabularySize)) {
    for (const isEven of [true, false]) {
      const what = `${k} of ${vocabularySize} tokens, ${isEven ? 'all kept' : 'some kept'}`;
      const temperatures = [1, 2.5];
      const cached = cacheFrames(
        [teacherOf(vocabularySize)],
        { vocabularySize, rule: 'linear' },
        { k, temperatures, hasBlank: false },
      ).cached;
      const offsets = offsetsOf(k, isEven);

      test(`fastKeepCached() says what keepCached() says, for ${what}`, { skip: !hasSimd }, () => {
        for (const temperature of temperatures) {
          const asked = { temperature, offsets };
          assertSame(fastKeepCached(cached, asked), keepCached(cached, asked), 4e-7, what);
        }
      });

      test(`keepCached() says what keepTokens() says of frames whose other tokens are all alike, for ${what}`, () => {
        for (const temperature of temperatures) {
          const dense = new Float32Array(frames * vocabularySize);
          const logZ = cached.logZ.get(temperature)!;
          for (let frame = 0; frame < frames; frame++) {
            const best = cached.tokens.subarray(frame * k, (frame + 1) * k);
            const values = [...best].map((_, i) => cached.logPosteriors[frame * k + i]! / temperature - logZ[frame]!);
            const left = 1 - values.reduce((sum, value) => sum + Math.exp(value), 0);
            dense.fill(
              Math.log(Math.max(0, left) / (vocabularySize - k)),
              frame * vocabularySize,
              (frame + 1) * vocabularySize,
            );
            best.forEach((token, i) => {
              dense[frame * vocabularySize + token] = values[i]!;
            });
          }
          const found = keepCached(cached, { temperature, offsets });
          assertSame(found, keepTokens(dense, vocabularySize, { offsets, tokens: found.tokens }), 1e-6, what);
        }
      });
    }
  }
}

test('keepCached() leaves nothing over of frames whose tokens are all cached, and refuses other temperatures', () => {
  const cached = cacheFrames(
    [teacherOf(5)],
    { vocabularySize: 5, rule: 'linear' },
    { k: 5, temperatures: [1, 2], hasBlank: false },
  ).cached;
  for (const temperature of [1, 2]) {
    const { logTail, divergence } = keepCached(cached, { temperature, offsets: offsetsOf(5, true) });
    assert.ok(logTail.every((value) => value === -Infinity) && divergence.every((value) => value === 0));
  }
  assert.throws(
    () => keepCached(cached, { temperature: 3, offsets: offsetsOf(5, true) }),
    /temperature 3: the cache has 1, 2/,
  );
});
