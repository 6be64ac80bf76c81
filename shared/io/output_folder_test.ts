import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs, {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFresh, readReport } from './report_file.ts';
import { shareOf, textName } from './shard.ts';
import { type Context, main, type OptionsOf, type OptionTable, type Stage } from './stage.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';

const options = {
  text: { type: 'string', demandOption: true, describe: 'what to write' },
} as const satisfies OptionTable;
async function run({ text }: OptionsOf<typeof options>, { out, shard }: Context) {
  for (const name of [textName('a.txt', shard), 'deep/b.txt']) {
    const sink = out.createFile(name);
    const words = text.split(' ');
    for (const word of name.startsWith('deep') ? words : shareOf(words, shard)) sink.write(Buffer.from(word));
    sink.close();
  }
  return {};
}
const figures = (parts: object[]) => ({ parts: parts.length });
const stage: Stage = {
  name: 'two_files',
  version: 1,
  summary: 'writes two files',
  examples: [],
  options,
  run,
  figures,
};

async function call(out: string, text: string, shards = 1): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const write = (line: string): void => {
    stderr += line;
  };
  const stream = { write } as unknown as NodeJS.WritableStream;
  const code = await main(stage, ['--text', text, '--out', out, '--shards', String(shards), '--quiet'], {
    stdout: { write: () => true },
    stderr: stream,
  });
  return { code, stderr };
}

const filesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(path, name)).isFile());
const contentOf = (path: string) =>
  filesBelow(path)
    .filter((name) => !name.endsWith('.json'))
    .sort()
    .map((name) => [name, readFileSync(join(path, name), 'utf8')]);

type Operation = 'openSync' | 'writeSync' | 'fsyncSync' | 'renameSync';

/** The nth call of an operation fails as on a full disk; all others work. Tells whether it came to that. */
async function withFault(operation: Operation, n: number, work: () => Promise<void>): Promise<boolean> {
  const original = fs[operation] as (...args: unknown[]) => unknown;
  let calls = 0;
  (fs[operation] as unknown) = (...args: unknown[]) => {
    if (++calls === n)
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: operation, path: String(args[0]) });
    return original(...args);
  };
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    (fs[operation] as unknown) = original;
    syncBuiltinESMExports();
  }
  return calls >= n;
}

const operations = ['openSync', 'writeSync', 'fsyncSync', 'renameSync'] as const;
for (const { operation, shards } of operations.flatMap((operation) =>
  [1, 2].map((shards) => ({ operation, shards })),
)) {
  test(`a fault at any ${operation}, of ${shards} parts, leaves nothing half, and the next run makes it whole`, async () => {
    let faults = 0;
    for (let n = 1; ; n++) {
      const out = join(temporaryFolder(), 'out');
      await call(out, 'the old text', shards);
      const old = contentOf(out);
      let failed = { code: -1, stderr: '' };
      const hit = await withFault(operation, n, async () => {
        failed = await call(out, 'a new text', shards);
      });
      if (!hit) break;
      faults++;
      assert.equal(failed.code, 3, `${operation} ${n}: ${failed.stderr}`);
      assert.match(failed.stderr, /the disk is full/);
      assert.deepEqual(
        filesBelow(out).filter((name) => name.includes('.tmp-')),
        [],
        `${operation} ${n} leaves temporary files`,
      );
      const report = readReport(out);
      // either the old output stands untouched, or nothing that would be taken for an output
      if (report?.options.text === 'the old text') assert.deepEqual(contentOf(out), old, `${operation} ${n}`);
      else assert.ok(!existsSync(join(out, 'report.json')) || isFresh(out, report!.id), `${operation} ${n}`);
      assert.equal((await call(out, 'a new text', shards)).code, 0);
      assert.deepEqual(contentOf(out), [
        ['a.txt', 'anewtext'],
        ['deep/b.txt', 'anewtext'],
      ]);
    }
    assert.ok(faults >= 3 * shards, `only ${faults} calls of ${operation}`);
  });
}

test('an output leaves alone what other outputs below its folder hold', async () => {
  const out = temporaryFolder();
  await call(join(out, 'whole'), 'a b');
  await call(join(out, 'parts'), 'a b', 2);
  rmSync(join(out, 'parts/report.json'));
  mkdirSync(join(out, 'deep'));
  writeFileSync(join(out, 'deep/part-00000-of-00001.arrow'), 'of an earlier run');
  const before = [...filesBelow(join(out, 'whole')), ...filesBelow(join(out, 'parts'))];
  assert.equal((await call(out, 'a b c', 1)).code, 0);
  assert.deepEqual([...filesBelow(join(out, 'whole')), ...filesBelow(join(out, 'parts'))], before);
  assert.deepEqual(readdirSync(join(out, 'deep')), ['b.txt']);
});

test('a fault while writing names the file', async () => {
  const out = temporaryFolder();
  let stderr = '';
  await withFault('writeSync', 1, async () => {
    ({ stderr } = await call(out, 'some text'));
  });
  assert.equal(
    stderr,
    `two_files: Cannot write ${join(out, 'a.txt')}: the disk is full; free some space and run the same command again\n`,
  );
});

test('a file cut off under a report that stands is written again', async () => {
  const out = temporaryFolder();
  await call(out, 'some text');
  truncateSync(join(out, 'a.txt'), 1);
  await call(out, 'some text');
  assert.equal(readFileSync(join(out, 'a.txt'), 'utf8'), 'sometext');
});

test('what a killed process left goes, also while nobody has taken notice of its end', async (t) => {
  if (!existsSync('/proc/self/stat')) return t.skip('no /proc');
  // a child that ends once its parent has become a program that never waits for it: a zombie
  const script = '(until [ "$(cat /proc/$$/comm)" = sleep ]; do :; done) & echo $!; exec sleep 30';
  const parent = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const pid = await new Promise<string>((resolve) =>
    parent.stdout.once('data', (text) => resolve(String(text).trim())),
  );
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')))
    await new Promise((resolve) => setTimeout(resolve, 10));
  const out = temporaryFolder();
  writeFileSync(join(out, `a.txt.tmp-${hostname()}-${pid}-abc123`), 'half');
  assert.equal((await call(out, 'whole')).code, 0);
  assert.deepEqual(
    filesBelow(out).filter((name) => name.includes('.tmp-')),
    [],
  );
  parent.kill();
});
