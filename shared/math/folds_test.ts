import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dealFolds } from './folds.ts';
import { createRandom } from './random.ts';

test('dealFolds() gives every name one fold, folds of equal size, and the same ones in any order', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom('names', seed);
    const folds = 1 + random.integer(5);
    const names = Array.from({ length: folds + random.integer(50) }, (_, i) => `u${i}`);
    const dealt = dealFolds(names, folds);
    assert.deepEqual([...dealt.keys()].sort(), [...names].sort());
    const sizes = Array.from({ length: folds }, (_, k) => [...dealt.values()].filter((fold) => fold === k).length);
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1 && Math.min(...sizes) > 0, `seed ${seed}: ${sizes}`);
    assert.deepEqual(dealFolds(random.shuffle([...names, ...names]), folds), dealt, `seed ${seed}`);
  }
});

test('dealFolds() does not put neighbours in turn: a pattern of the names is no pattern of the folds', () => {
  const dealt = dealFolds(
    Array.from({ length: 200 }, (_, i) => `u${1000 + i}`),
    2,
  );
  const even = [...dealt].filter(([name, fold]) => Number(name.slice(1)) % 2 === 0 && fold === 0).length;
  assert.ok(even > 30 && even < 70, `${even} of 100 even names`);
});

test('dealFolds() refuses fewer names than folds', () => {
  assert.throws(() => dealFolds(['a', 'b', 'a'], 3), /Cannot deal 2 names into 3 folds/);
});
