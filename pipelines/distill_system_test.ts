/**
 * The whole chain as a newcomer runs it, on the small settings: killed at random moments, started again,
 * done twice, with one knob changed, without engine; and its files read by another Arrow library.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { createRandom } from '../shared/math/random.ts';

const folder = mkdtempSync(join(tmpdir(), 'kd-distill-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const knobs = (name: string, ...more: string[]) => ['distill', 'FAST=1', `EXP=${join(folder, name)}`, ...more];

/** The rows of a report, ids included, without times and places. */
function rowsOf(name: string): unknown {
  const text = readFileSync(join(folder, name, 'report', 'report.json'), 'utf8');
  const { rows } = JSON.parse(text.replaceAll(join(folder, name), ''));
  assert.ok(rows.length >= 5, `only ${rows.length} rows`);
  return JSON.parse(JSON.stringify(rows, (key, value) => (/seconds/i.test(key) ? undefined : value)));
}

/** Without what a surrounding make hands down: its jobs are not ours. */
const { MAKEFLAGS: _flags, MFLAGS: _more, MAKELEVEL: _level, ...env } = process.env;

function make(...argv: string[]): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('make', argv, { encoding: 'utf8', env, maxBuffer: 1 << 26 });
  return { code: status, output: stdout + stderr };
}

const filesBelow = (path: string): string[] =>
  (readdirSync(path, { recursive: true, encoding: 'utf8' }) as string[]).filter((name) =>
    statSync(join(path, name)).isFile(),
  );

test('make distill runs from nothing to a table', () => {
  const { code, output } = make(...knobs('whole'));
  assert.equal(code, 0, output);
  for (const arm of ['ensemble', 'hard', 'full', 'essence'])
    assert.ok(output.includes(arm), `${arm} is not in\n${output}`);
});

test('a second make distill does nothing', () => {
  const before = filesBelow(join(folder, 'whole')).map((name) => [name, statSync(join(folder, 'whole', name)).mtimeMs]);
  const { code, output } = make(...knobs('whole'));
  assert.equal(code, 0, output);
  const after = filesBelow(join(folder, 'whole')).map((name) => [name, statSync(join(folder, 'whole', name)).mtimeMs]);
  assert.deepEqual(after, before);
});

test('a changed knob recomputes only what depends on it', () => {
  const { code, output } = make(...knobs('whole', 'top3.filter=--select top-k --k 2 --tail ghost'));
  assert.equal(code, 0, output);
  const called = [...output.matchAll(/^ *\d+ s {2}(\S+)$/gm)].map(([, out]) => out!.slice(folder.length + 1));
  for (const part of [
    'targets/top3',
    'model/essence-large',
    'decode/essence-large',
    'score/essence-large',
    'whole/report',
  ]) {
    assert.ok(
      called.some((out) => out.includes(part)),
      `${part} is not in ${called.join(' ')}`,
    );
  }
  assert.deepEqual(
    called.filter((out) => !/top3|essence|report$/.test(out)),
    [],
  );
  const { code: back } = make(...knobs('whole'));
  assert.equal(back, 0);
});

test('killed at random moments and started again, it ends in the same table', async () => {
  const random = createRandom('kills');
  let kills = 0;
  for (let finished = false; !finished; ) {
    const child: ChildProcess = spawn('make', knobs('killed'), { detached: true, stdio: 'ignore', env });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    const timer = setTimeout(
      () => process.kill(-child.pid!, kills % 3 === 2 ? 'SIGINT' : 'SIGKILL'),
      kills < 8 ? 2000 + random.integer(9000) : 600_000,
    );
    const code = await ended;
    clearTimeout(timer);
    finished = code === 0;
    if (!finished) kills++;
    assert.ok(kills <= 8, 'does not finish when left alone');
  }
  assert.ok(kills >= 3, `only ${kills} kills hit`);
  assert.deepEqual(rowsOf('killed'), rowsOf('whole'));
  assert.deepEqual(
    filesBelow(join(folder, 'killed')).filter((name) => name.includes('.tmp-') && !name.startsWith('report')),
    [],
  );
});

test('pyarrow reads every Arrow file', (t) => {
  const python = join(folder, 'python');
  const setUp = spawnSync('bash', ['-c', `python3 -m venv ${python} && ${python}/bin/pip install -q pyarrow==21.0.0`], {
    encoding: 'utf8',
  });
  if (setUp.status !== 0) {
    assert.ok(!process.env.CI, `pyarrow cannot be installed: ${setUp.stderr}`);
    return t.skip('pyarrow cannot be installed');
  }
  const files = filesBelow(join(folder, 'whole')).filter((name) => name.endsWith('.arrow'));
  assert.ok(files.length >= 10, `only ${files.length} Arrow files`);
  const script = `
import sys
from pyarrow import ipc
for path in sys.argv[1:]:
    table = ipc.open_file(path).read_all()
    table.validate(full=True)
    assert table.num_rows > 0 and b'kd.id' in table.schema.metadata, path
    assert table['utterance'].to_pylist() == sorted(table['utterance'].to_pylist()), path
print(len(sys.argv) - 1)`;
  const { status, stdout, stderr } = spawnSync(
    join(python, 'bin/python'),
    ['-c', script, ...files.map((name) => join(folder, 'whole', name))],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  assert.equal(Number(stdout), files.length);
});

test('the packed package runs by itself, from anywhere', () => {
  const pack = spawnSync('npm', ['pack', '--silent', '--pack-destination', folder], { encoding: 'utf8' });
  assert.equal(pack.status, 0, pack.stderr);
  const tarball = join(folder, pack.stdout.trim().split('\n').at(-1)!);
  assert.equal(spawnSync('tar', ['xzf', tarball, '-C', folder]).status, 0);
  symlinkSync(resolve('node_modules'), join(folder, 'package', 'node_modules'));
  const argv = [
    join(folder, 'package', 'dist', 'prepare_corpus.js'),
    '--source',
    join(folder, 'package', 'data', 'fsdd'),
    '--out',
    'corpus',
  ];
  const { status, stderr } = spawnSync(process.execPath, argv, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.ok(existsSync(join(folder, 'corpus', 'test', 'text')));
});
