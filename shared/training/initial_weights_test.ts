import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Architecture, parameterLayout } from '../engine/architecture.ts';
import { decayMask, initialWeights } from './initial_weights.ts';

const common = { bins: 20, spliceLeft: 2, spliceRight: 2, stride: 3, width: 64, tokens: 30, dropout: 0 };
const architectures: Architecture[] = [
  { kind: 'tdnn', ...common, dilations: [1] },
  { kind: 'lstm', ...common, layers: 2, bidirectional: true },
  { kind: 'gru', ...common, layers: 2, bidirectional: true },
  { kind: 'attention', ...common, layers: 2, heads: 4, reach: 8 },
];
const beforeRelu: Record<Architecture['kind'], RegExp> = {
  tdnn: /^(input|layer1)\.matrix$/,
  lstm: /^$/,
  gru: /^$/,
  attention: /^input\.matrix$|feedforward\.input\.matrix$/,
};

for (const architecture of architectures) {
  const { kind } = architecture;
  const weights = initialWeights(architecture, 1);
  const parts = parameterLayout(architecture).map(({ name, shape, offset, size }) => {
    return { name, shape, values: weights.subarray(offset, offset + size) };
  });

  test(`initialWeights() of ${kind}: matrices keep the size of what goes through them`, () => {
    for (const { name, shape, values } of parts.filter(({ shape }) => shape.length === 2)) {
      const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
      const expected = (beforeRelu[kind].test(name) ? 2 : 1) / shape[0]!;
      // at least 1900 draws: ten per cent are more than three deviations
      assert.ok(Math.abs(square / expected - 1) < 0.1, `${name}: variance ${square}, not ${expected}`);
    }
  });

  test(`initialWeights() of ${kind}: gains 1, biases 0 but those of forget gates; all but matrices stay`, () => {
    for (const { name, shape, values } of parts) {
      if (shape.length === 2 || name.endsWith('positions')) continue;
      const expected = (i: number): number => {
        if (name.endsWith('gain')) return 1;
        const isForget = kind === 'lstm' && name.startsWith('layer') && Math.floor((4 * i) / values.length) === 1;
        return isForget ? 1 : 0;
      };
      assert.ok(
        values.every((value, i) => value === expected(i)),
        name,
      );
    }
    const mask = decayMask(architecture);
    for (const { shape, offset, size } of parameterLayout(architecture)) {
      assert.ok(mask.subarray(offset, offset + size).every((flag) => flag === (shape.length === 2 ? 1 : 0)));
    }
  });
}

test('initialWeights() of attention: the heads first look at places three and one frame before and after', () => {
  const architecture = architectures.at(-1)!;
  const weights = initialWeights(architecture, 1);
  for (const { name, offset, size } of parameterLayout(architecture)) {
    if (!name.endsWith('positions')) continue;
    const best = [0, 1, 2, 3].map((head) => {
      const biases = [...weights.subarray(offset + head * 17, offset + (head + 1) * 17)];
      return biases.indexOf(Math.max(...biases)) - 8;
    });
    assert.equal(size, 4 * 17);
    assert.deepEqual(best, [-3, -1, 1, 3]);
  }
});
