import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalTails } from './normal_tails.ts';

// erfc(|z| / √2) of Python 3: math.erfc
const cases = [
  [0, 1],
  [0.5, 0.6170750774519738],
  [1.959963984540054, 0.05],
  [-2.5758293035489004, 0.01],
  [6, 1.973175290075e-9],
] as const;
for (const [z, p] of cases) {
  test(`normalTails() is ${p} for ${z}`, () => assert.ok(Math.abs(normalTails(z) / p - 1) < 2e-7, `${normalTails(z)}`));
}
