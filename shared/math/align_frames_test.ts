import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignFrames, type FrameGrid, reachBeyondMs } from './align_frames.ts';
import { createRandom } from './random.ts';

const grid = (shiftMs: number, firstCentreMs: number, frames: number): FrameGrid => ({
  shiftMs,
  firstCentreMs,
  frames,
});
/** Frame j says j, as one token's logarithm: what comes out tells which frame it is from. */
const numbered = (frames: number) => Float32Array.from({ length: frames }, (_, j) => j);

const nearest = [
  { name: 'itself', from: grid(30, 15, 4), to: grid(30, 15, 4), is: [0, 1, 2, 3] },
  { name: 'a shift of less than half a frame', from: grid(30, 12.5, 4), to: grid(30, 15, 4), is: [0, 1, 2, 3] },
  { name: '40 ms to 30 ms', from: grid(40, 12.5, 4), to: grid(30, 15, 5), is: [0, 1, 2, 2, 3] },
  { name: '10 ms to 30 ms', from: grid(10, 5, 9), to: grid(30, 15, 3), is: [1, 4, 7] },
  { name: 'the earlier of two as near', from: grid(20, 0, 3), to: grid(20, 10, 2), is: [0, 1] },
  { name: 'the last frame beyond the end', from: grid(30, 15, 2), to: grid(30, 15, 4), is: [0, 1, 1, 1] },
  { name: 'the first frame before the start', from: grid(30, 100, 2), to: grid(30, 10, 4), is: [0, 0, 0, 0] },
];
for (const { name, from, to, is } of nearest) {
  test(`alignFrames() takes the nearest frame: ${name}`, () => {
    assert.deepEqual([...alignFrames(numbered(from.frames), 1, { from, to, rule: 'nearest' })], is);
  });
}

test('alignFrames() interpolates posteriors, not their logarithms, and gives distributions', () => {
  const random = createRandom('interpolated');
  const posteriors = Array.from({ length: 4 }, () => {
    const raw = Array.from({ length: 3 }, () => random.uniform());
    const sum = raw.reduce((a, b) => a + b);
    return raw.map((value) => value / sum);
  });
  const from = grid(40, 10, 4);
  const to = grid(30, 15, 5);
  const said = Float32Array.from(posteriors.flat(), Math.log);
  const result = alignFrames(said, 3, { from, to, rule: 'linear' });
  for (let j = 0; j < 5; j++) {
    const place = Math.min((15 + 30 * j - 10) / 40, 3);
    const [i, share] = [Math.floor(place), place % 1];
    for (let token = 0; token < 3; token++) {
      const expected = (1 - share) * posteriors[i]![token]! + share * (posteriors[i + 1]?.[token] ?? 0);
      assert.ok(Math.abs(Math.exp(result[3 * j + token]!) - expected) < 1e-6);
    }
  }
  const certain = Float32Array.of(0, -Infinity, -Infinity, 0);
  const between = alignFrames(certain, 2, { from: grid(10, 0, 2), to: grid(10, 5, 1), rule: 'linear' });
  assert.deepEqual([...between], [Math.fround(Math.log(0.5)), Math.fround(Math.log(0.5))]);
});

test('alignFrames() hands the same array back where nothing moves', () => {
  const said = numbered(4);
  const both = grid(30, 15, 4);
  assert.equal(alignFrames(said, 1, { from: both, to: { ...both }, rule: 'linear' }), said);
});

test('reachBeyondMs() is how far a grid lies outside another at the worse end', () => {
  assert.equal(reachBeyondMs(grid(30, 15, 10), grid(40, 12.5, 7)), 285 - 252.5);
  assert.equal(reachBeyondMs(grid(40, 12.5, 7), grid(30, 15, 10)), 2.5);
  assert.ok(reachBeyondMs(grid(10, 50, 2), grid(10, 0, 100)) <= 0);
});
