import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logSoftmax } from './log_softmax.ts';
import { createTokenMap, type TokenShare } from './map_tokens.ts';
import { createRandom } from './random.ts';

const logs = (...posteriors: number[]) => Float32Array.from(posteriors, Math.log);
const posteriorsOf = (values: Float32Array) => Array.from(values, (value) => Math.round(Math.exp(value) * 1e6) / 1e6);
const shares = (...list: [from: number, to: number, share?: number][]): TokenShare[] =>
  list.map(([from, to, share = 1]) => ({ from, to, share }));

test('createTokenMap() reorders without touching a digit', () => {
  const said = logSoftmax(Float32Array.from({ length: 12 }, createRandom('reordered').normal), 3);
  const map = createTokenMap(shares([0, 2], [1, 0], [2, 1]), { from: 3, to: 3 });
  const back = createTokenMap(shares([2, 0], [0, 1], [1, 2]), { from: 3, to: 3 });
  assert.deepEqual(back(map(said)), said);
  assert.deepEqual([...map(said).subarray(0, 3)], [said[1], said[2], said[0]]);
});

const cases: {
  name: string;
  list: TokenShare[];
  sizes: { from: number; to: number };
  given: Float32Array;
  is: number[];
}[] = [
  {
    name: 'sums what is merged',
    list: shares([0, 0], [1, 0], [2, 1]),
    sizes: { from: 3, to: 2 },
    given: logs(0.2, 0.3, 0.5),
    is: [0.5, 0.5],
  },
  {
    name: 'parts what is split',
    list: shares([0, 0], [1, 1, 0.25], [1, 2, 0.75]),
    sizes: { from: 2, to: 3 },
    given: logs(0.2, 0.8),
    is: [0.2, 0.2, 0.6],
  },
  {
    name: 'scales up what is left of dropped tokens',
    list: shares([0, 0], [1, 1]),
    sizes: { from: 3, to: 2 },
    given: logs(0.1, 0.3, 0.6),
    is: [0.25, 0.75],
  },
  {
    name: 'gives nothing to a token that is missing',
    list: shares([0, 0], [1, 2]),
    sizes: { from: 2, to: 3 },
    given: logs(0.4, 0.6),
    is: [0.4, 0, 0.6],
  },
  {
    name: 'keeps a certain frame certain',
    list: shares([0, 0], [1, 0], [2, 1]),
    sizes: { from: 3, to: 2 },
    given: logs(0, 1, 0),
    is: [1, 0],
  },
];
for (const { name, list, sizes, given, is } of cases) {
  test(`createTokenMap() ${name}`, () => assert.deepEqual(posteriorsOf(createTokenMap(list, sizes)(given)), is));
}

test('createTokenMap() says NaN of a frame of which everything is dropped', () => {
  const map = createTokenMap(shares([0, 0]), { from: 2, to: 1 });
  assert.deepEqual([...map(logs(0, 1, 0.5, 0.5))], [Number.NaN, 0]);
});

test('createTokenMap() gives distributions, whatever is merged, split and dropped', () => {
  const random = createRandom('mapped');
  for (let trial = 0; trial < 50; trial++) {
    const sizes = { from: 2 + random.integer(6), to: 2 + random.integer(6) };
    const list = shares(
      ...Array.from({ length: sizes.from - 1 }, (_, from): [number, number, number][] => {
        const split = random.uniform();
        const [a, b] = [random.integer(sizes.to), random.integer(sizes.to)];
        return a === b
          ? [[from, a, 1]]
          : [
              [from, a, split],
              [from, b, 1 - split],
            ];
      }).flat(),
    );
    const said = logSoftmax(Float32Array.from({ length: 3 * sizes.from }, random.normal), sizes.from);
    const mapped = createTokenMap(list, sizes)(said);
    for (let frame = 0; frame < 3; frame++) {
      const sum = mapped
        .subarray(frame * sizes.to, (frame + 1) * sizes.to)
        .reduce((total, value) => total + Math.exp(value), 0);
      assert.ok(Math.abs(sum - 1) < 1e-5, `trial ${trial}: ${sum}`);
    }
  }
});
