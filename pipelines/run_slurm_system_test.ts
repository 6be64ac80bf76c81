/**
 * Stages as jobs of a real Slurm, on nodes of this machine: parts as an array, failures, a node that dies, an
 * interruption; and the same bytes as without Slurm.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type SlurmCluster, slurmMissing, startSlurmCluster } from './testdata/slurm_cluster.ts';

const folder = mkdtempSync(join(tmpdir(), 'kd-run-slurm-'));
const missing = slurmMissing();
let cluster: SlurmCluster;
before(async () => {
  if (!missing) cluster = await startSlurmCluster(3);
});
const groups = new Set<number>();
after(async () => {
  for (const group of groups) process.kill(-group, 'SIGKILL');
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A test that needs Slurm. */
function slurmTest(name: string, run: () => Promise<void>): void {
  test(name, async (t: TestContext) => {
    if (!missing) return run();
    assert.ok(!process.env.CI, `missing: ${missing}`);
    t.skip(`missing: ${missing}`);
  });
}

/** Without what a surrounding make hands down: its jobs are not ours. */
const { MAKEFLAGS: _flags, MFLAGS: _more, MAKELEVEL: _level, ...environment } = process.env;

interface Ended {
  code: number | null;
  output: string;
}
/** Starts a program in a process group of its own. */
function start(program: string, argv: string[], env: Record<string, string> = {}) {
  const child = spawn(program, argv, { detached: true, env: { ...environment, ...cluster?.env, ...env } });
  let output = '';
  const take = (text: Buffer): void => {
    output += text;
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  groups.add(child.pid!);
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code) => {
      groups.delete(child.pid!);
      resolve({ code, output });
    }),
  );
  return { ended, interrupt: () => process.kill(-child.pid!, 'SIGINT') };
}

async function until(what: string, isSo: () => boolean, seconds = 90): Promise<void> {
  for (const end = Date.now() + 1000 * seconds; !isSo(); await setTimeout(100)) {
    assert.ok(Date.now() < end, `not within ${seconds} s: ${what}`);
  }
}

/** Runs lines of bash as a stage would be, in parts or in one. */
function runStage(name: string, lines: string, { parts, env }: { parts?: number; env?: Record<string, string> } = {}) {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'stage.sh'), lines);
  const array = parts === undefined ? [] : ['--array', String(parts)];
  const command = [...array, join(path, 'log'), 'bash', join(path, 'stage.sh'), 'a word', "it's"];
  return { path, ...start('pipelines/run_slurm.sh', command, env) };
}
const logOf = (path: string, part = ''): string => readFileSync(join(path, `log${part}`), 'utf8');

slurmTest('run_slurm.sh runs a stage as a job, its words as they were given, what it shows in the log', async () => {
  const { path, ended } = runStage('single', 'echo report; printf "<%s>" "$@" >&2');
  const { code, output } = await ended;
  assert.deepEqual([code, logOf(path)], [0, "<a word><it's>"]);
  assert.match(output, /^ *\d+ s {2}\S*single\n$/);
  assert.deepEqual(readdirSync(path).sort(), ['log', 'stage.sh']);
});

slurmTest('run_slurm.sh tries what failed once more, names what fails again, and keeps the rest', async () => {
  const lines = `cd "$(dirname "$0")"; echo "part $4" >&2; echo x >>"tries-\${4%/*}"
    case $4 in
      1/4) [ "$(wc -l <tries-1)" = 2 ] || exit 1 ;;
      2/4) echo 'wrong data' >&2; exit 3 ;;
      3/4) echo 'diverged' >&2; exit 4 ;;
    esac`;
  const { path, ended } = runStage('several', lines, { parts: 4 });
  const { code, output } = await ended;
  const tries = [0, 1, 2, 3].map((part) => readFileSync(join(path, `tries-${part}`), 'utf8').length / 2);
  assert.deepEqual(tries, [1, 2, 2, 1], output);
  assert.equal(code, 3);
  assert.match(output, /tried once more: \S*several, part 1, 2 of 4\n/);
  assert.match(output, /failed \(exit code 4\), part 3 of 4: bash .*\npart 3\/4\ndiverged\n/);
  assert.match(output, /failed \(exit code 3\), part 2 of 4: bash .*\npart 2\/4\nwrong data\npart 2\/4\nwrong data\n/);
  assert.doesNotMatch(output, /part [01] of 4:/);
  assert.equal(logOf(path, '-0'), 'part 0/4\n');
});

slurmTest('run_slurm.sh says what Slurm has against a job', async () => {
  const { ended } = runStage('nowhere', 'true', { env: { PARTITION: 'nowhere' } });
  const { code, output } = await ended;
  assert.equal(code, 1);
  assert.match(output, /invalid partition specified: nowhere/);
});

slurmTest('run_slurm.sh hands its knobs on', async () => {
  const env = { PARTITION: 'main', TIME_LIMIT: '7', MEMORY: '1', SBATCH_FLAGS: '--comment=hello --nodelist=node2' };
  const { path, ended } = runStage('knobs', 'scontrol show job "$SLURM_JOB_ID" >&2', { env });
  assert.equal((await ended).code, 0);
  for (const part of ['Partition=main', 'TimeLimit=00:07:00', 'MinMemoryNode=1M', 'Comment=hello', 'NodeList=node2']) {
    assert.ok(logOf(path).includes(part), `${part} is not in\n${logOf(path)}`);
  }
});

slurmTest('run_slurm.sh cancels its jobs when it is interrupted', async () => {
  const { path, ended, interrupt } = runStage('interrupted', 'trap "echo ended >&2" EXIT; sleep 60 & wait', {
    parts: 5,
  });
  await until('three parts run', () => cluster.jobs().filter((job) => / node\d$/.test(job)).length === 3);
  interrupt();
  assert.equal((await ended).code, 130);
  await until('no job is left', () => cluster.jobs().length === 0, 30);
  assert.deepEqual(
    readdirSync(path).filter((name) => name.startsWith('slurm-')),
    [],
  );
});

const knobs = [
  'FAST=1',
  'UPDATES=20',
  'OBJECTIVE=ctc',
  'TEACHERS=t1 t2',
  'ARMS=essence',
  'BASELINE=essence',
  'SHARDS=3',
];
const make = (name: string, ...more: string[]) =>
  start('make', ['distill', ...knobs, `EXP=${join(folder, name)}`, ...more]);

/** All files of an experiment but logs and the page; of reports all but times and places. */
function contentOf(name: string): Map<string, string> {
  const path = join(folder, name);
  const names = (readdirSync(path, { recursive: true, encoding: 'utf8' }) as string[])
    .filter(
      (file) => statSync(join(path, file)).isFile() && !/(^|\/)log(-[^/]*)?$|^report\/report\.(html|md)$/.test(file),
    )
    .sort();
  return new Map(
    names.map((file) => {
      const text = readFileSync(join(path, file), file.endsWith('.arrow') || file.endsWith('.bin') ? 'latin1' : 'utf8');
      const withoutTimes = text.replaceAll(path, '').replace(/"[a-zA-Z]*[sS]econds": [\d.e-]+/g, '');
      // of the table, with the times of trainings, there is a digest
      return [file, file === 'report/report.json' ? withoutTimes.replace(/"files": {.*?\n },/s, '') : withoutTimes];
    }),
  );
}

slurmTest(
  'make distill RUN=slurm ends in the same bytes, with a node killed and an interruption on its way',
  async () => {
    const local = await make('local').ended;
    assert.equal(local.code, 0, local.output);

    // what is not computed in parts, and takes long, need not be done twice
    cpSync(join(folder, 'local/seen/data'), join(folder, 'slurm/seen/data'), { recursive: true });

    const first = make('slurm', 'RUN=slurm', 'JOBS=8');
    const part = join(folder, 'slurm', 'seen');
    let victim = '';
    await until('a node is about features', () => {
      victim =
        cluster
          .jobs()
          .find((job) => job.includes('features/train'))
          ?.split(' ')
          .find((word) => /^node\d$/.test(word)) ?? '';
      return victim !== '';
    });
    cluster.killNode(victim);
    await until('the node is down', () => /down/.test(cluster.stateOf(victim)), 60);
    await until('the features are there all the same', () => existsSync(join(part, 'features/train/report.json')), 120);
    await until('other jobs run', () => cluster.jobs().length > 0);
    first.interrupt();
    const { code, output } = await first.ended;
    assert.notEqual(code, 0, output);
    await until('no job is left', () => cluster.jobs().length === 0, 30);

    const second = await make('slurm', 'RUN=slurm', 'JOBS=8').ended;
    assert.equal(second.code, 0, second.output);
    const [expected, found] = [contentOf('local'), contentOf('slurm')];
    assert.deepEqual([...found.keys()], [...expected.keys()]);
    for (const [file, content] of expected) assert.ok(found.get(file) === content, `${file} differs`);
    assert.ok([...expected.keys()].filter((file) => file.includes('-of-00003.arrow')).length >= 12);
  },
);
