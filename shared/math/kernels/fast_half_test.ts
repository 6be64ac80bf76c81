import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHalf, toHalf } from '../half.ts';
import { createRandom } from '../random.ts';
import { fastFromHalf, fastToHalfInto } from './fast_half.ts';

const bitsOf = (values: Float32Array): Int32Array => new Int32Array(values.buffer);

test('fastFromHalf() gives what fromHalf() gives, of every half', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const [fast, plain] = [fastFromHalf(all), fromHalf(all)];
  for (let half = 0; half < 65536; half++) {
    if (Number.isNaN(plain[half])) assert.ok(Number.isNaN(fast[half]), `half ${half}`);
    else assert.ok(Object.is(fast[half], plain[half]), `half ${half}: ${fast[half]}`);
  }
});

test('fastToHalfInto() gives the bits that toHalf() gives, of floats of every exponent, ties and specials', () => {
  const random = createRandom('halves');
  const floats = new Float32Array(100_003);
  const bits = bitsOf(floats);
  for (let i = 0; i < bits.length; i++) bits[i] = random.integer(2 ** 32);
  floats.set([Number.NaN, Infinity, -Infinity, 0, -0, 65504, 65519.996, 65520, 2 ** -24, 2 ** -25, 2 ** -14]);
  for (let i = 20; i < 1000; i++) bits[i] = (bits[i]! & ~0x1fff) | 0x1000; // half way between two halves
  for (let i = 1000; i < 3000; i++) floats[i] = random.normal() * 2 ** -(10 + (i % 18)); // around the subnormal ones
  const fast = new Uint16Array(floats.length + 2).fill(7);
  fastToHalfInto(fast, floats, 1);
  assert.deepEqual(fast.subarray(1, -1), toHalf(floats));
  assert.deepEqual([fast[0], fast.at(-1)], [7, 7]);
});

test('conversions of fewer numbers than a vector has, and of none', () => {
  for (const count of [0, 1, 7, 9]) {
    const values = Float32Array.from({ length: count }, (_, i) => -i - 0.5);
    const halves = new Uint16Array(count);
    fastToHalfInto(halves, values);
    assert.deepEqual(fastFromHalf(halves), values);
  }
});
