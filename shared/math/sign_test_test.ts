import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signTest } from './sign_test.ts';

// twice the sum of binomial coefficients over 2ⁿ, by hand
const cases = [
  { better: 3, equal: 0, worse: 0, p: 2 / 8 },
  { better: 0, equal: 0, worse: 3, p: 2 / 8 },
  { better: 5, equal: 0, worse: 1, p: (2 * 7) / 64 },
  { better: 2, equal: 0, worse: 2, p: 1 },
  { better: 5, equal: 1, worse: 0, p: (2 * 7) / 64 },
  { better: 4, equal: 2, worse: 0, p: (2 * 7) / 64 },
  { better: 0, equal: 5, worse: 0, p: 1 },
  { better: 0, equal: 0, worse: 0, p: 1 },
];
for (const { p, ...preferences } of cases) {
  test(`signTest() is ${p} for ${Object.values(preferences).join(', ')}`, () => {
    assert.ok(Math.abs(signTest(preferences) - p) < 1e-12, `${signTest(preferences)}`);
  });
}

test('signTest() stands thousands of speakers', () => {
  assert.ok(signTest({ better: 2600, equal: 0, worse: 2400 }) < 0.01);
  assert.ok(signTest({ better: 2600, equal: 0, worse: 2400 }) > 0.001);
});
