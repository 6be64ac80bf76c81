import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './random.ts';
import { speechSpan } from './speech_span.ts';

test('speechSpan() finds loud frames between quiet ones, pauses included', () => {
  const levels = [
    ...Array(20).fill(0),
    ...Array(30).fill(6),
    ...Array(10).fill(0),
    ...Array(30).fill(7),
    ...Array(15).fill(0),
  ];
  const { start, end } = speechSpan(levels);
  assert.ok(Math.abs(start - 20) <= 2 && Math.abs(end - 90) <= 2, `${start} .. ${end}`);
});

test('speechSpan() finds it in noise to a few frames', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom('speech', seed);
    const levels = Array.from({ length: 150 }, (_, i) => (i >= 20 && i < 120 ? 3 : 0) + 0.6 * random.normal());
    const { start, end } = speechSpan(levels);
    assert.ok(Math.abs(start - 20) <= 5 && Math.abs(end - 120) <= 5, `seed ${seed}: ${start} .. ${end}`);
  }
});

test('speechSpan() takes everything where nothing stands out', () => {
  assert.deepEqual(speechSpan([4, 4, 4]), { start: 0, end: 3 });
  assert.deepEqual(speechSpan([1]), { start: 0, end: 1 });
});
