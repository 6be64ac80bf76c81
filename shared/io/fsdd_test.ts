import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFsdd } from './fsdd.ts';

test('readFsdd() finds 50 recordings of each digit by each speaker, exact to the sample', async () => {
  const recordings = await readFsdd('data/fsdd');
  assert.equal(recordings.length, 3000);
  const counts = new Map<string, number>();
  for (const { speaker, digit } of recordings) {
    counts.set(`${speaker} ${digit}`, (counts.get(`${speaker} ${digit}`) ?? 0) + 1);
  }
  assert.ok(counts.size === 60 && [...counts.values()].every((count) => count === 50));
  const { samples } = recordings.find(
    ({ speaker, digit, index }) => speaker === 'george' && digit === 0 && index === 0,
  )!;
  // from the original 0_george_0.wav, read with soundfile 0.14
  assert.equal(samples.length, 2384);
  assert.deepEqual([...samples.subarray(100, 104)], [-1590, -2044, -1535, -1598]);
});
