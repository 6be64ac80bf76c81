import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gridSearch, ratioBeyond, stepBeyond } from './grid_search.ts';

test('gridSearch() tries each point once and takes the cheapest', async () => {
  const tried: string[] = [];
  const found = await gridSearch({
    axes: [
      { name: 'x', values: [0, 1, 2] },
      { name: 'y', values: [-1, 0, 1] },
    ],
    cost: ({ x, y }) => {
      tried.push(`${x} ${y}`);
      return (x - 1) ** 2 + y ** 2;
    },
  });
  assert.deepEqual(found.best, { x: 1, y: 0 });
  assert.equal(found.cost, 0);
  assert.deepEqual(found.atEdge, []);
  assert.equal(new Set(tried).size, 9);
  assert.equal(tried.length, 9);
});

test('gridSearch() takes the middle of a plateau', async () => {
  const found = await gridSearch({
    axes: [{ name: 'x', values: [0, 1, 2, 3, 4, 5, 6] }],
    cost: ({ x }) => (x >= 1 && x <= 5 ? 7 : 9),
  });
  assert.deepEqual(found.best, { x: 3 });
});

test('gridSearch() grows where the best lies at the edge, and says so', async () => {
  const found = await gridSearch({
    axes: [
      { name: 'step', values: [0, 2], beyond: stepBeyond() },
      { name: 'ratio', values: [1, 2], beyond: ratioBeyond },
    ],
    cost: ({ step, ratio }) => Math.abs(step - 8) + Math.abs(ratio - 0.25),
  });
  assert.deepEqual(found.best, { step: 8, ratio: 0.25 });
  assert.deepEqual(found.extended, ['step', 'ratio']);
  assert.deepEqual(found.atEdge, []);
});

test('gridSearch() gives up growing in time and names the edge', async () => {
  const found = await gridSearch({
    axes: [{ name: 'x', values: [0, 1], beyond: stepBeyond() }],
    cost: ({ x }) => -x,
    maxExtensions: 3,
  });
  assert.deepEqual(found.best, { x: 4 });
  assert.deepEqual(found.atEdge, ['x']);
});

test('gridSearch() counts neither a bound of nature nor a fixed axis as an edge', async () => {
  const found = await gridSearch({
    axes: [
      { name: 'x', values: [0.5, 2], beyond: stepBeyond({ min: 0 }) },
      { name: 'fixed', values: [3], beyond: stepBeyond() },
    ],
    cost: ({ x }) => x,
  });
  assert.deepEqual(found.best, { x: 0, fixed: 3 });
  assert.deepEqual(found.atEdge, []);
  await assert.rejects(gridSearch({ axes: [{ name: 'x', values: [1, 1] }], cost: () => 0 }), /x over \[1, 1\]/);
});
