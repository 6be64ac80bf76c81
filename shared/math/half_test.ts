import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHalf, toHalf } from './half.ts';

test('fromHalf() and toHalf() are inverse on every half', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const back = toHalf(fromHalf(all));
  for (let half = 0; half < 65536; half++) {
    const notANumber = (half & 0x7fff) > 0x7c00;
    if (notANumber) assert.ok((back[half]! & 0x7fff) > 0x7c00);
    else assert.equal(back[half], half, `half ${half}`);
  }
});

// values and bits from numpy 1.26: np.array([...], np.float32).astype(np.float16).view(np.uint16)
const cases: [number, number][] = [
  [1, 0x3c00],
  [1 + 2 ** -11, 0x3c00], // tie: to even
  [1 + 3 * 2 ** -11, 0x3c02], // tie: to even
  [65504, 0x7bff],
  [65519.99, 0x7bff],
  [65520, 0x7c00],
  [-1e9, 0xfc00],
  [2 ** -24, 1],
  [2 ** -25, 0], // tie: to even
  [1.5 * 2 ** -24, 2], // tie: to even
  [2 ** -14, 0x0400],
  [-0, 0x8000],
  [Number.POSITIVE_INFINITY, 0x7c00],
];
for (const [value, half] of cases) {
  test(`toHalf() of ${value} is 0x${half.toString(16)}`, () => assert.equal(toHalf(Float32Array.of(value))[0], half));
}
