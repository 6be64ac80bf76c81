import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { InputError, TrainingDiverged } from './errors.ts';
import { type Context, main, type OptionsOf, type OptionTable, runStage, type Stage } from './stage.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';

const options = {
  text: { type: 'string', demandOption: true, describe: 'what to write' },
  times: { type: 'number', default: 2, integer: true, min: 1, below: 10, describe: 'how often' },
  sizes: { type: 'numbers', default: [1, 2], above: 0, describe: 'sizes' },
  mode: {
    type: 'string',
    default: 'plain',
    choices: ['plain', 'throw', 'diverge', 'refuse'],
    describe: 'what happens',
  },
  source: { type: 'string', array: true, role: 'input', describe: 'folders of this very stage' },
  corpus: { type: 'string', role: 'corpus', describe: 'a file of the world' },
} as const satisfies OptionTable;

let runs = 0;
async function run({ text, times, mode }: OptionsOf<typeof options>, { out }: Context) {
  runs++;
  const sink = out.createFile('deep/text.txt');
  sink.write(Buffer.from(text.repeat(times)));
  if (mode === 'throw') throw new Error('a fault of ours');
  if (mode === 'diverge') throw new TrainingDiverged('loss is NaN');
  if (mode === 'refuse') throw new InputError('bad file');
  sink.close();
  return { length: text.length * times };
}
const stage: Stage = {
  name: 'echo',
  version: 1,
  summary: 'writes text',
  examples: ['$0 --text a --out b'],
  options,
  run,
};

const folder = temporaryFolder;
async function call(...argv: string[]) {
  let stdout = '';
  let stderr = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      stderr += chunk;
      done();
    },
  });
  const write = (text: string): void => {
    stdout += text;
  };
  const code = await main(stage, argv, { stdout: { write }, stderr: stream });
  return { code, stdout, stderr };
}
const filesBelow = (path: string) =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(path, name)).isFile());

test('a stage writes its files and one report, on stdout and beside the output', async () => {
  const out = join(folder(), 'a', 'b');
  const { code, stdout, stderr } = await call('--text', 'ab', '--out', out);
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout);
  assert.deepEqual(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')), report);
  assert.equal(report.length, 4);
  assert.equal(report.files['deep/text.txt'].bytes, 4);
  assert.deepEqual(filesBelow(out).sort(), ['deep/text.txt', 'report.json']);
});

test('a stage whose output stands does nothing; another option, a cut file or changed content does it again', async () => {
  const out = folder();
  const corpus = join(folder(), 'corpus.txt');
  writeFileSync(corpus, 'one');
  const argv = ['--text', 'ab', '--corpus', corpus, '--out', out];
  await call(...argv);
  const before = runs;
  assert.equal(JSON.parse((await call(...argv, '--quiet')).stdout).fresh, true);
  assert.equal(runs, before);
  assert.equal(JSON.parse((await call(...argv, '--times', '3')).stdout).length, 6);
  assert.equal(readFileSync(join(out, 'deep/text.txt'), 'utf8'), 'ababab');
  await call(...argv);
  assert.equal(runs, before + 2);
  truncateSync(join(out, 'deep/text.txt'), 1);
  await call(...argv);
  assert.equal(runs, before + 3);
  writeFileSync(corpus, 'two');
  await call(...argv);
  assert.equal(runs, before + 4);
});

test('the key follows the ids of the inputs, not their paths', async () => {
  const [a, b, c] = [folder(), folder(), folder()];
  await call('--text', 'same', '--out', a);
  await call('--text', 'same', '--out', b);
  await call('--text', 'other', '--out', c);
  const idOf = async (...sources: string[]) =>
    (await runStage(stage, { text: 'x', source: sources, out: folder() })).id;
  assert.equal(await idOf(a), await idOf(b));
  assert.notEqual(await idOf(a), await idOf(c));
  assert.notEqual(await idOf(a, c), await idOf(c, a));
});

const wrongCommandLines: [string, string[], RegExp][] = [
  ['an unknown flag', ['--text', 'a', '--out', 'x', '--temprature', '2'], /temprature/],
  ['a missing flag', ['--out', 'x'], /--text/],
  ['a number out of range', ['--text', 'a', '--out', 'x', '--times', '10'], /--times 10.*below 10/],
  [
    'a number that is none',
    ['--text', 'a', '--out', 'x', '--times', 'many'],
    /--times many is not a number: need a whole number, at least 1, below 10/,
  ],
  ['a broken number', ['--text', 'a', '--out', 'x', '--times', '1.5'], /whole number/],
  ['a bad list', ['--text', 'a', '--out', 'x', '--sizes', '1,,2'], /--sizes 1,,2/],
  ['a list out of range', ['--text', 'a', '--out', 'x', '--sizes', '1,0'], /--sizes 0 is out of range in 1,0/],
  ['a list with a word', ['--text', 'a', '--out', 'x', '--sizes', '1,two'], /--sizes two is not a number in 1,two/],
  ['a word that is no choice', ['--text', 'a', '--out', 'x', '--mode', 'fancy'], /fancy.*plain/],
  ['a flag given twice', ['--text', 'a', '--text', 'b', '--out', 'x'], /--text is given 2 times/],
  ['a stray word', ['--text', 'a', '--out', 'x', 'stray'], /stray/],
];
for (const [name, argv, message] of wrongCommandLines) {
  test(`main() answers 2 and one line to ${name}`, async () => {
    const { code, stdout, stderr } = await call(...argv);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1);
  });
}

test('main() leaves no half file behind a failure, and what stood before stays', async () => {
  const out = folder();
  await call('--text', 'good', '--out', out);
  for (const [mode, expected] of [
    ['throw', 1],
    ['refuse', 3],
    ['diverge', 4],
  ] as const) {
    const { code, stdout } = await call('--text', 'bad', '--mode', mode, '--out', out);
    assert.equal(code, expected);
    assert.equal(stdout, '');
    assert.deepEqual(filesBelow(out).sort(), ['deep/text.txt', 'report.json']);
    assert.equal(readFileSync(join(out, 'deep/text.txt'), 'utf8'), 'goodgood');
  }
});

test('main() removes what a killed run left, and only that', async () => {
  const out = folder();
  await call('--text', 'good', '--out', out);
  const { hostname } = await import('node:os');
  const dead = `deep/text.txt.tmp-${hostname()}-999999999-abc123`;
  const alive = `deep/text.txt.tmp-${hostname()}-${process.pid}-abc123`;
  writeFileSync(join(out, dead), 'half');
  writeFileSync(join(out, alive), 'half');
  await call('--text', 'new', '--out', out);
  assert.deepEqual(filesBelow(out).sort(), ['deep/text.txt', alive, 'report.json'].sort());
});

test('main() answers 3 and one line to an input that is not there, or not finished', async () => {
  for (const [flag, path, why] of [
    ['source', '/nowhere', /Cannot read \/nowhere \(--source\): it is not there; check the path/],
    ['corpus', '/nowhere', /Cannot read \/nowhere \(--corpus\): it is not there; check the path/],
    ['source', folder(), /has no report.json of a finished stage/],
  ] as const) {
    const { code, stderr } = await call('--text', 'a', `--${flag}`, path, '--out', folder());
    assert.equal(code, 3);
    assert.match(stderr, why);
  }
});

test('main() answers 2 where the output would take the place of an input, or of another stage', async () => {
  const [made, other] = [folder(), folder()];
  await call('--text', 'a', '--out', made);
  writeFileSync(join(other, 'report.json'), JSON.stringify({ id: 'x', stage: 'another', files: {} }));
  for (const [argv, why] of [
    [['--source', made, '--out', join(made, '.')], /--out .* is what --source reads: give another folder/],
    [['--corpus', made, '--out', `${made}/`], /--out .* is what --corpus reads/],
    [['--out', other], /--out .* holds what another made: give another folder, or remove it/],
  ] as const) {
    const { code, stderr } = await call('--text', 'b', ...argv);
    assert.equal(code, 2, stderr);
    assert.match(stderr, why);
  }
  assert.equal(readFileSync(join(made, 'deep/text.txt'), 'utf8'), 'aa');
});

test('main() answers 3 when the output folder cannot be made', async () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  const { code, stderr } = await call('--text', 'a', '--out', join(file, 'below'));
  assert.equal(code, 3, stderr);
  assert.equal(stderr.trim().split('\n').length, 1);
});

test('--dry-run writes nothing, not even the folder, and knows what a short run takes', async () => {
  const out = join(folder(), 'new');
  const { code, stdout } = await call('--text', 'a', '--out', out, '--dry-run');
  assert.equal(code, 0);
  const { dryRun, tried, estimatedBytes, freeBytes } = JSON.parse(stdout);
  assert.deepEqual([dryRun, tried, estimatedBytes], [true, 1, 2]);
  assert.ok(freeBytes > 0, 'what the disk has, though the folder is not there yet');
  assert.ok(!existsSync(out));
});

test('--help shows each flag with its range and default, and the examples', async () => {
  const { code, stdout } = await call('--help');
  assert.equal(code, 0);
  for (const part of [
    '--times',
    'how often',
    'whole, ≥ 1, < 10',
    'default: 2',
    '[number]',
    '--text a --out b',
    'Exit codes',
  ]) {
    assert.ok(stdout.includes(part), `${part} is not in\n${stdout}`);
  }
});

test('two runs into one folder at once are both right', async () => {
  const out = join(folder(), 'shared');
  mkdirSync(out);
  const reports = await Promise.all([1, 2, 3].map(() => runStage(stage, { text: 'same', out })));
  assert.equal(new Set(reports.map(({ id }) => id)).size, 1);
  assert.equal(readFileSync(join(out, 'deep/text.txt'), 'utf8'), 'samesame');
  assert.deepEqual(filesBelow(out).sort(), ['deep/text.txt', 'report.json']);
});
