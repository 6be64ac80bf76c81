import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CombineOptions, combine } from './combine.ts';
import { agreement, bestToken } from './gate.ts';
import { fromHalf, toHalf } from './half.ts';
import { logPosteriorsAt } from './keep_cached.ts';
import { fastCombine } from './kernels/fast_combine.ts';
import { logSoftmax } from './log_softmax.ts';
import { createRandom } from './random.ts';
import { type CacheOptions, cacheFrames } from './sparse_cache.ts';
import { topTokens } from './top_tokens.ts';

const temperatures = [1, 0.5, 2, 4];

function teachersOf(count: number, frames: number, vocabularySize: number): Float32Array[] {
  const random = createRandom('sparse cache', count, frames, vocabularySize);
  return Array.from({ length: count }, () =>
    logSoftmax(
      Float32Array.from({ length: frames * vocabularySize }, () => 3 * random.normal()),
      vocabularySize,
    ),
  );
}

/** Posteriors of a frame at a temperature, in double precision. */
function posteriorsAt(row: Float32Array, temperature: number): number[] {
  const scaled = Array.from(row, (value) => Math.exp(value / temperature));
  const sum = scaled.reduce((total, value) => total + value, 0);
  return scaled.map((value) => value / sum);
}

const cases: { name: string; teachers: number; vocabularySize: number; k: number; options: Partial<CombineOptions> }[] =
  [
    { name: 'one teacher', teachers: 1, vocabularySize: 500, k: 16, options: {} },
    {
      name: 'a linear combination with weights',
      teachers: 3,
      vocabularySize: 41,
      k: 5,
      options: { weights: [3, 0, 1] },
    },
    {
      name: 'a geometric one of calibrated teachers',
      teachers: 2,
      vocabularySize: 41,
      k: 3,
      options: { rule: 'geometric', teacherTemperatures: [2, 0.8] },
    },
    { name: 'the surest teacher', teachers: 3, vocabularySize: 41, k: 16, options: { rule: 'best' } },
    { name: 'all tokens', teachers: 2, vocabularySize: 7, k: 7, options: {} },
  ];
for (const { name, teachers: count, vocabularySize, k, options } of cases) {
  const teachers = teachersOf(count, 30, vocabularySize);
  const combining: CombineOptions = { vocabularySize, rule: 'linear', ...options };
  const labels = Uint16Array.from({ length: 30 }, (_, frame) => (frame * 5) % vocabularySize);
  const asked: CacheOptions = { k, temperatures, labels, hasBlank: true };

  test(`cacheFrames() keeps the best tokens of ${name}, in half precision`, () => {
    const { tokens, logPosteriors } = cacheFrames(teachers, combining, asked).cached;
    const combined = fastCombine(teachers, combining);
    for (let frame = 0; frame < 30; frame++) {
      const row = combined.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
      const best = topTokens(row, k);
      assert.deepEqual(tokens.slice(frame * k, (frame + 1) * k), best);
      const expected = fromHalf(toHalf(Float32Array.from(best, (token) => row[token]!)));
      assert.deepEqual(logPosteriors.slice(frame * k, (frame + 1) * k), expected);
    }
  });

  test(`cacheFrames() keeps the exact mass of ${name} at each temperature, and the shares to the rounding of halves`, () => {
    const cached = cacheFrames(teachers, combining, asked).cached;
    const combined = combine(teachers, combining);
    for (const temperature of temperatures) {
      const values = logPosteriorsAt(cached, temperature);
      for (let frame = 0; frame < 30; frame++) {
        const row = combined.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
        const posteriors = posteriorsAt(row, temperature);
        let [mass, exact] = [0, 0];
        for (let i = frame * k; i < (frame + 1) * k; i++) {
          const [found, expected] = [Math.exp(values[i]!), posteriors[cached.tokens[i]!]!];
          mass += found;
          exact += expected;
          // half a unit in the last place of a log-posteriors below 32, and the same for what makes up for it
          assert.ok(Math.abs(found - expected) <= 2 * (2 ** -7 / temperature) * expected + 1e-9);
        }
        assert.ok(Math.abs(mass - exact) < 1e-6, `${mass} for ${exact} at ${temperature}`);
      }
    }
  });

  test(`cacheFrames() keeps entropy, agreement, blank and label of ${name}`, () => {
    const { entropy, agreeing, ofBlank, ofLabel } = cacheFrames(teachers, combining, asked).cached;
    const combined = fastCombine(teachers, combining);
    assert.equal(agreeing === undefined, count === 1);
    for (let frame = 0; frame < 30; frame++) {
      const slice = (values: Float32Array) => values.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
      const row = slice(combined);
      const expected = posteriorsAt(row, 1).reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
      assert.ok(Math.abs(entropy[frame]! - expected) < 1e-5, `${entropy[frame]} for ${expected}`);
      if (agreeing) assert.equal(agreeing[frame]! / count, agreement(teachers.map(slice), bestToken(row)));
      assert.deepEqual([ofBlank![frame], ofLabel![frame]], [row[0], row[labels[frame]!]]);
    }
  });
}

test('cacheFrames() has normalisers of 0 but for rounding at temperature 1, and no columns that nobody asked for', () => {
  const cached = cacheFrames(
    teachersOf(1, 10, 50),
    { vocabularySize: 50, rule: 'linear' },
    { k: 4, temperatures: [1], hasBlank: false },
  ).cached;
  assert.ok(cached.logZ.get(1)!.every((value) => Math.abs(value) < 2 ** -8));
  assert.deepEqual([cached.agreeing, cached.ofBlank, cached.ofLabel], [undefined, undefined, undefined]);
});

test('cacheFrames() takes tokens that the teachers rule out', () => {
  const teacher = Float32Array.of(0, -Infinity, -Infinity, -Infinity);
  const cached = cacheFrames(
    [teacher],
    { vocabularySize: 4, rule: 'linear' },
    { k: 2, temperatures: [1, 2], hasBlank: false },
  ).cached;
  assert.deepEqual([...cached.tokens, ...cached.logPosteriors], [0, 1, 0, -Infinity]);
  assert.deepEqual([cached.logZ.get(1)![0], cached.logZ.get(2)![0], cached.entropy[0]], [0, 0, 0]);
});
