import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../math/random.ts';
import { isPartName, nameOfWhole, parseShard, parseTableName, rangeOf, shareOf, tableName, textName } from './shard.ts';

test('shareOf() gives each utterance to one part, in order, sizes differing by one at most', () => {
  const random = createRandom('shares');
  for (let i = 0; i < 200; i++) {
    const all = Array.from({ length: random.integer(100) }, (_, k) => k);
    const count = 1 + random.integer(20);
    const shares = Array.from({ length: count }, (_, index) => shareOf(all, { index, count }));
    assert.deepEqual(shares.flat(), all, `${all.length} in ${count}`);
    const sizes = shares.map(({ length }) => length);
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${all.length} in ${count}`);
  }
});

test('rangeOf() of finer parts is the same ranges, cut', () => {
  const random = createRandom('finer');
  for (let i = 0; i < 1000; i++) {
    const [utterances, count, finer] = [random.integer(1e6), 1 + random.integer(1000), 1 + random.integer(1000)];
    const index = random.integer(count);
    const { start, end } = rangeOf(utterances, { index, count });
    const first = rangeOf(utterances, { index: index * finer, count: count * finer });
    const last = rangeOf(utterances, { index: index * finer + finer - 1, count: count * finer });
    assert.deepEqual([first.start, last.end], [start, end], `${utterances} in ${count} × ${finer}`);
  }
});

test('names of parts sort in their order, and are recognised', () => {
  const shard = { index: 7, count: 32 };
  assert.equal(tableName(shard), 'part-00007-of-00032.arrow');
  assert.deepEqual(parseTableName(tableName(shard)), shard);
  assert.deepEqual(parseTableName(`mean/${tableName(shard)}`), shard);
  assert.equal(parseTableName('features.arrow'), undefined);
  assert.deepEqual([tableName(shard), `mean/${tableName(shard)}`, 'tokens.txt'].map(isPartName), [true, true, false]);
  assert.equal(nameOfWhole('mean/part-00007-of-00032.words.txt'), 'mean/words.txt');
  assert.equal(textName('hypotheses.txt', shard), 'part-00007-of-00032.hypotheses.txt');
  assert.equal(nameOfWhole(textName('hypotheses.txt', shard)), 'hypotheses.txt');
  assert.equal(textName('hypotheses.txt', { index: 0, count: 1 }), 'hypotheses.txt');
});

test('parseShard() takes i/n, counted from 0', () => {
  assert.deepEqual(parseShard('0/4'), { index: 0, count: 4 });
  assert.deepEqual(parseShard('3/4'), { index: 3, count: 4 });
  for (const wrong of ['4/4', '0/0', '1', '1/', '-1/4', '1/4/2', 'a/b', '0.5/4']) {
    assert.throws(() => parseShard(wrong), { name: 'UsageError', message: /is not i\/n/ }, wrong);
  }
});
