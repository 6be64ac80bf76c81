import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { estimateRun } from './trial.ts';

test('estimateRun() leaves a long run in the middle and goes on in proportion', async () => {
  let folder = '';
  let steps = 0;
  const { tried, estimatedSeconds, estimatedBytes } = await estimateRun(async ({ out, progress, watch }) => {
    folder = out.path;
    out.writeText('head', 'x'.repeat(50));
    const sink = out.createFile('values');
    progress.start('working', 1000);
    for (let step = 0; step < 1000; step++) {
      await setTimeout(100);
      sink.write(Buffer.alloc(10));
      steps++;
      progress.advance();
      watch();
    }
  });
  assert.equal(tried, steps / 1000);
  assert.ok(steps < 1000);
  assert.equal(estimatedBytes, 50 + 10 * 1000);
  assert.ok(estimatedSeconds > 100, 'a thousand steps of a tenth of a second, and some more');
  assert.equal(existsSync(folder), false);
});

test('estimateRun() lets the faults of a run through, and removes its files', async () => {
  let folder = '';
  const run = estimateRun(async ({ out }) => {
    folder = out.path;
    out.createFile('open').write(Buffer.alloc(1));
    throw new RangeError('no such thing');
  });
  await assert.rejects(run, /no such thing/);
  assert.equal(existsSync(folder), false);
});
