import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topK } from './select.ts';
import { tailToLabel } from './tail_to_label.ts';

const row = Float32Array.from([0.4, 0.3, 0.2, 0.1], Math.log);
const cases = [
  { name: 'adds to a label that is kept, which moves up', k: 2, label: 1, tokens: [1, 0], posteriors: [0.6, 0.4] },
  { name: 'brings in a label that is not', k: 2, label: 3, tokens: [0, 1, 3], posteriors: [0.4, 0.3, 0.3] },
  {
    name: 'changes nothing where nothing is lost',
    k: 4,
    label: 3,
    tokens: [0, 1, 2, 3],
    posteriors: [0.4, 0.3, 0.2, 0.1],
  },
];
for (const { name, k, label, tokens, posteriors } of cases) {
  test(`tailToLabel() ${name}`, () => {
    const kept = tailToLabel(topK(row, k), label);
    assert.deepEqual([...kept.tokens], tokens);
    kept.logPosteriors.forEach((value, i) => void assert.ok(Math.abs(Math.exp(value) - posteriors[i]!) < 1e-6));
    assert.equal(kept.logTail, -Infinity);
    assert.deepEqual(tailToLabel(kept, label), kept, 'a second time changes nothing');
  });
}
