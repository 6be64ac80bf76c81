/** Disks that are too small at several points, in memory: a clear error, nothing half, and on it goes once there is space. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { callStep, filesBelow, type Step, smallChain, writtenIn } from './testdata/small_chain.ts';

const folder = mkdtempSync(join(tmpdir(), 'kd-full-disk-'));
const disk = join(folder, 'disk');
mkdirSync(disk);
const mount = (options: string) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'kd-full-disk', disk], { encoding: 'utf8' });
const unmount = () => spawnSync('umount', [disk]);
after(() => {
  while (unmount().status === 0); // one below another where tests failed
  rmSync(folder, { recursive: true, force: true });
});
const trial = mount('size=1m');
const missing = trial.status === 0 ? undefined : `mount: ${(trial.stderr ?? String(trial.error)).trim()}`;
if (!missing) unmount();

/** Shares of what the output takes that the disk has; of the slowest stage one does. */
const sharesOf = ({ name }: Step): number[] => (name === 'data' ? [0.7] : [0.03, 0.3, 0.7, 0.97]);
const page = 4096;

for (const step of smallChain(folder)) {
  const shares = sharesOf(step);
  test(`${step.name}: ${step.argv[0]} on a disk that is full at ${shares.join(', ')} of its output`, async (t) => {
    if (missing) return t.skip(missing);
    const undisturbed = await callStep(step, join(folder, step.name));
    assert.equal(undisturbed.code, 0, undisturbed.stderr);
    const expected = writtenIn(join(folder, step.name));
    const needed = expected.reduce((sum, [, { length }]) => sum + Math.ceil(length / page) * page, 0);
    for (const share of shares) {
      const size = Math.max(page, Math.floor((share * needed) / page) * page);
      assert.equal(mount(`size=${size}`).status, 0);
      const out = join(disk, 'out');
      const failed = await callStep(step, out);
      assert.equal(failed.code, 3, `${share}: ${failed.stderr}`);
      const said = failed.stderr.trim().split('\n').at(-1)!;
      assert.match(
        said,
        /Cannot write \S*out\S*: (the disk is full|about .* MB are still to come, and the disk has .* MB left); free some space and run the same command again/,
      );
      assert.deepEqual(
        filesBelow(disk).filter((name) => /\.tmp-|^out\/report\.json$/.test(name)),
        [],
        `at ${share}`,
      );
      assert.equal(mount(`remount,size=${2 * needed + 64 * page}`).status, 0);
      const { code, stderr } = await callStep(step, out);
      assert.equal(code, 0, stderr);
      const found = writtenIn(out);
      assert.deepEqual(
        found.map(([name]) => name),
        expected.map(([name]) => name),
      );
      for (const [i, [name, content]] of expected.entries()) assert.ok(content === found[i]![1], `${name} at ${share}`);
      unmount();
    }
  });
}

test('a large output is refused early, before the disk is full', async (t) => {
  if (missing) return t.skip(missing);
  const { name, argv } = smallChain(folder).find(({ name }) => name === 'essence')!;
  const whole = { name, argv: argv.slice(0, argv.indexOf('--shards')) };
  const { length } = writtenIn(join(folder, name))
    .map(([, content]) => content)
    .join('');
  assert.equal(mount(`size=${Math.round((0.8 * length) / page) * page}`).status, 0);
  const { code, stderr } = await callStep(whole, join(disk, 'out'));
  assert.equal(code, 3, stderr);
  assert.match(stderr, /about .* MB are still to come, and the disk has .* MB left/);
  assert.deepEqual(filesBelow(disk), []);
});
