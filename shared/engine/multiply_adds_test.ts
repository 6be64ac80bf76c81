import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Architecture } from './architecture.ts';
import { multiplyAdds } from './multiply_adds.ts';

const common = { bins: 10, spliceLeft: 1, spliceRight: 1, stride: 3, width: 8, tokens: 5, dropout: 0 };
const cases: { name: string; architecture: Architecture; perFrame: number; perPair?: number }[] = [
  {
    name: 'a time-delay network: input, a layer of three taps, one of one, output',
    architecture: { ...common, kind: 'tdnn', dilations: [2, 0] },
    perFrame: 30 * 8 + 3 * 8 * 8 + 8 * 8 + 8 * 5,
  },
  {
    name: 'two layers of long short-term memory: four gates of input and of state',
    architecture: { ...common, kind: 'lstm', layers: 2, bidirectional: false },
    perFrame: 4 * 8 * (30 + 8) + 4 * 8 * (8 + 8) + 8 * 5,
  },
  {
    name: 'gated recurrent units in both directions: three gates each, outputs side by side',
    architecture: { ...common, kind: 'gru', layers: 1, bidirectional: true },
    perFrame: 2 * 3 * 8 * (30 + 8) + 16 * 5,
  },
  {
    name: 'attention: queries, keys, values, output, four times as wide and back; scores and sums for each pair',
    architecture: { ...common, kind: 'attention', layers: 2, heads: 2, reach: 3 },
    perFrame: 30 * 8 + 2 * (3 * 64 + 64 + 4 * 64 + 4 * 64) + 8 * 5,
    perPair: 2 * (8 + 8),
  },
];
for (const { name, architecture, perFrame, perPair = 0 } of cases) {
  test(`multiplyAdds() counts ${name}`, () => {
    assert.equal(multiplyAdds(architecture, 19), 7 * perFrame + 7 * 7 * perPair); // ⌈19 / 3⌉ = 7 output frames
  });
}
