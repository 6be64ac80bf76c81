import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesToCome, checkDiskHolds, freeBytes } from './disk_space.ts';
import type { OutputFolder } from './output_folder.ts';
import { followPace } from './pace.ts';
import { quiet } from './progress.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';

test('bytesToCome() goes on in proportion, once a few steps are done', () => {
  const pace = { since: 0, bytesBefore: 1000, total: 400 };
  assert.equal(bytesToCome({ ...pace, done: 99 }, 2000), undefined);
  assert.equal(bytesToCome({ ...pace, done: 100 }, 2000), 3000);
  assert.equal(bytesToCome({ ...pace, done: 400 }, 5000), 0);
  assert.equal(bytesToCome({ ...pace, total: 1e6, done: 19999 }, 2000), undefined, 'less than a fiftieth');
});

test('followPace() counts the steps of the latest piece of work, and hands them on', () => {
  const told: unknown[] = [];
  const given = {
    ...quiet,
    start: (...args: unknown[]) => void told.push(args),
    advance: (n = 1) => void told.push(n),
  };
  const { pace, progress } = followPace({ bytesWritten: () => 7 }, given);
  progress.start('measuring', 10);
  progress.advance();
  progress.start('writing', 5);
  progress.advance(2);
  progress.advance();
  assert.deepEqual([pace.done, pace.total, pace.bytesBefore], [3, 5, 7]);
  assert.deepEqual(told, [['measuring', 10], 1, ['writing', 5], 2, 1]);
});

test('checkDiskHolds() refuses what the disk will not hold, and says how much is missing', () => {
  const path = temporaryFolder();
  const out = { path, bytesWritten: () => 1e6 } as OutputFolder;
  const pace = { since: 0, bytesBefore: 0, done: 100, total: 1000 };
  checkDiskHolds(out, pace, { free: () => 9e6 });
  assert.throws(() => checkDiskHolds(out, pace, { free: () => 8.9e6 }), {
    name: 'InputError',
    message: /about 9\.0 MB are still to come, and the disk has 8\.9 MB left; free some space and run the same command/,
  });
});

test('checkDiskHolds() thinks of the parts that are to come', () => {
  const out = { path: temporaryFolder(), bytesWritten: () => 1e6 } as OutputFolder;
  const pace = { since: 0, bytesBefore: 0, done: 100, total: 1000 };
  checkDiskHolds(out, pace, { partsToCome: 2, free: () => 29e6 });
  assert.throws(
    () => checkDiskHolds(out, pace, { partsToCome: 2, free: () => 28e6 }),
    /about 29\.0 MB are still to come/,
  );
});

test('freeBytes() is a number of bytes that a disk may have', () => {
  const free = freeBytes(temporaryFolder());
  assert.ok(free > 0 && free < 2 ** 60, String(free));
});
