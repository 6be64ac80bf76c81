import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepTokens } from './keep_tokens.ts';
import { selectTokens, topK } from './select.ts';
import { tailToLabel } from './tail_to_label.ts';

const frame = [0.4, 0.3, 0.2, 0.1].map(Math.log);
const rows = Float32Array.from([...frame, ...frame, ...frame]);
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
  test(`tailToLabel() ${name}, and leaves a frame alone that keeps nothing`, () => {
    const weight = Float32Array.of(1, 0, 1);
    const labels = [label, 0, label];
    const moved = tailToLabel(keepTokens(rows, 4, selectTokens(rows, 4, weight, topK(k))), labels);
    const n = tokens.length;
    assert.deepEqual([...moved.offsets], [0, n, n, 2 * n]);
    assert.deepEqual([...moved.tokens], [...tokens, ...tokens]);
    moved.logPosteriors.forEach((value, i) => {
      assert.ok(Math.abs(Math.exp(value) - posteriors[i % n]!) < 1e-6);
    });
    assert.deepEqual([...moved.logTail], [-Infinity, 0, -Infinity]);
    assert.deepEqual(tailToLabel(moved, labels), moved, 'a second time changes nothing');
  });
}
