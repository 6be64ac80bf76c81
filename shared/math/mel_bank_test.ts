import assert from 'node:assert/strict';
import { test } from 'node:test';
import { melBank, melOf } from './mel_bank.ts';

const telephone = { bins: 40, sampleRateHz: 8000, fftSize: 256, lowFrequencyHz: 20, highFrequencyHz: 0 };

test('melOf() has 1000 Hz at 1000 mel', () => assert.ok(Math.abs(melOf(1000) - 1000) < 0.02));

test('melBank() triangles overlap so that every line between the outer centres has weight 1 in all', () => {
  const filters = melBank(telephone);
  const delta = (melOf(4000) - melOf(20)) / 41;
  for (let k = 0; k < 128; k++) {
    const mel = melOf((k * 8000) / 256);
    if (mel < melOf(20) + delta || mel > melOf(4000) - delta) continue;
    const sum = filters.reduce((total, { first, weights }) => total + (weights[k - first] ?? 0), 0);
    assert.ok(Math.abs(sum - 1) < 1e-9, `line ${k}: ${sum}`);
  }
});

test('melBank() weights are above 0 and at most 1', () => {
  for (const { weights } of melBank(telephone)) assert.ok(weights.every((weight) => weight > 0 && weight <= 1));
});

test('melBank() counts a negative highest frequency down from Nyquist', () =>
  assert.deepEqual(melBank({ ...telephone, highFrequencyHz: -200 }), melBank({ ...telephone, highFrequencyHz: 3800 })));

for (const [name, change, message] of [
  ['more bins than the spectrum has lines for', { bins: 120 }, /Mel bin \d+ of 120 .*fewer bins/],
  ['frequencies the wrong way round', { lowFrequencyHz: 3000, highFrequencyHz: 300 }, /from 3000 to 300 Hz/],
  ['frequencies above Nyquist', { highFrequencyHz: 5000 }, /between 0 and 4000 Hz/],
] as const) {
  test(`melBank() refuses ${name}`, () => assert.throws(() => melBank({ ...telephone, ...change }), message));
}
