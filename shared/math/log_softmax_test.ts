import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logSoftmax } from './log_softmax.ts';
import { createRandom } from './random.ts';

const cases = [
  { name: 'is even for equal logits', logits: [3, 3], temperature: 1, posteriors: [0.5, 0.5] },
  { name: 'keeps a token ruled out', logits: [0, -Infinity, 0], temperature: 2, posteriors: [0.5, 0, 0.5] },
  { name: 'survives large logits', logits: [10000, 10000 - Math.LN2], temperature: 1, posteriors: [2 / 3, 1 / 3] },
  { name: 'divides by the temperature', logits: [2 * Math.LN2, 0], temperature: 2, posteriors: [2 / 3, 1 / 3] },
  { name: 'takes frames one by one', logits: [0, 0, -9, -9], temperature: 1, posteriors: [0.5, 0.5, 0.5, 0.5] },
];
for (const { name, logits, temperature, posteriors } of cases) {
  test(`logSoftmax() ${name}`, () => {
    const result = logSoftmax(Float32Array.from(logits), name.includes('frames') ? 2 : logits.length, { temperature });
    result.forEach((value, i) => void assert.ok(Math.abs(Math.exp(value) - posteriors[i]!) < 1e-4, `${result}`)); // float32 at 10000
  });
}

test('logSoftmax() sums to 1, ignores a constant, changes nothing when repeated, and is even at a high temperature', () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = createRandom('softmax', seed);
    const size = 1 + random.integer(50);
    const logits = Float32Array.from({ length: size }, () => 5 * random.normal());
    const result = logSoftmax(logits, size);
    const sum = result.reduce((total, value) => total + Math.exp(value), 0);
    assert.ok(Math.abs(sum - 1) < 1e-5, `seed ${seed}: ${sum}`);
    const near = (other: Float32Array, expected: Float32Array, tolerance: number) =>
      other.forEach((value, i) => void assert.ok(Math.abs(value - expected[i]!) < tolerance, `seed ${seed}`));
    near(
      logSoftmax(
        logits.map((z) => z + 100),
        size,
      ),
      result,
      1e-4,
    );
    near(logSoftmax(result, size), result, 1e-5);
    near(logSoftmax(logits, size, { temperature: 1e9 }), new Float32Array(size).fill(-Math.log(size)), 1e-6);
  }
});

test('logSoftmax() answers NaN where there is no answer and refuses what are no frames', () => {
  assert.ok(logSoftmax(Float32Array.of(-Infinity, -Infinity), 2).every(Number.isNaN));
  assert.ok(logSoftmax(Float32Array.of(Number.NaN, 0), 2).every(Number.isNaN));
  assert.throws(() => logSoftmax(new Float32Array(3), 2), /frames of 2 tokens from 3 logits/);
  assert.throws(() => logSoftmax(new Float32Array(2), 2, { temperature: 0 }), /temperature 0/);
});
