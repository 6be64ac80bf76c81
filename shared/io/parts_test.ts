import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from './errors.ts';
import { withSums } from './parts.ts';
import { readReport, type StageReport } from './report_file.ts';
import { shareOf, tableName, textName } from './shard.ts';
import { type Context, type OptionsOf, type OptionTable, runStage, type Skipped, type Stage } from './stage.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';

const options = {
  words: { type: 'string', demandOption: true, describe: 'utterances, of a word each' },
} as const satisfies OptionTable;

const computed: string[] = [];
const weightOf = (word: string): number =>
  word.startsWith('i') ? Number.POSITIVE_INFINITY : word.startsWith('n') ? Number.NaN : 1 / word.length;

/** A word that begins with an x is at fault; one that begins with an i has infinite weight, one with an n none at all. */
async function run({ words }: OptionsOf<typeof options>, { out, shard, skip }: Context) {
  const table = out.createFile(tableName(shard));
  const text = out.createFile(textName('words.txt', shard));
  const tally = { letters: 0, weight: 0 };
  for (const word of words.split(' ')) if (word.startsWith('x')) skip([word], new InputError(`${word} is at fault`));
  for (const word of shareOf(words.split(' '), shard)) {
    if (word.startsWith('x')) continue;
    computed.push(word);
    table.write(Buffer.from(word));
    text.write(Buffer.from(`${word}\n`));
    tally.letters += word.length;
    tally.weight += weightOf(word);
  }
  table.close();
  text.close();
  out.writeText('all.txt', words);
  return { ...tally, of: words.length };
}
const stage: Stage = {
  name: 'letters',
  version: 1,
  summary: 'counts letters',
  examples: [],
  options,
  run,
  figures: (parts) => withSums(parts, ['letters', 'weight']),
  skips: true,
};

const words = 'one two three four five six seven';
const contentOf = (path: string) =>
  readdirSync(path)
    .filter((name) => !name.endsWith('.json'))
    .sort()
    .map((name) => [name, readFileSync(join(path, name), 'utf8')]);
const withoutTime = ({ timing, ...report }: StageReport) => report;
const onlyPart = (index: number, out: string, more = {}) =>
  runStage(stage, { words, out, shard: `${index}/3`, ...more });

test('a process for each part, in any order, gives what one process gives that computes all', async () => {
  const [one, many] = [temporaryFolder(), temporaryFolder()];
  const report = await runStage(stage, { words, out: one, shards: 3 });
  for (const index of [2, 0, 1]) await onlyPart(index, many);
  assert.equal(existsSync(join(many, 'report.json')), false);
  const finished = await runStage(stage, { words, out: many, shards: 3, finish: true });
  assert.deepEqual(withoutTime(finished), withoutTime(report));
  assert.deepEqual(contentOf(many), contentOf(one));
  assert.deepEqual(contentOf(one), [
    ['all.txt', words],
    ['part-00000-of-00003.arrow', 'onetwo'],
    ['part-00001-of-00003.arrow', 'threefour'],
    ['part-00002-of-00003.arrow', 'fivesixseven'],
    ['words.txt', `${words.replaceAll(' ', '\n')}\n`],
  ]);
  assert.deepEqual([report.letters, report.of, report.shards], [27, words.length, 3]);
  assert.deepEqual(
    Object.keys(report.files).sort(),
    contentOf(one).map(([name]) => name),
  );
});

test('the key and the text files are those of one part', async () => {
  const [one, three] = [temporaryFolder(), temporaryFolder()];
  const report = await runStage(stage, { words, out: one });
  const parts = await runStage(stage, { words, out: three, shards: 3 });
  assert.equal(parts.id, report.id);
  assert.equal(parts.letters, report.letters);
  assert.deepEqual(parts.files['words.txt'], report.files['words.txt']);
});

test('parts that are there are not computed again', async () => {
  const out = temporaryFolder();
  await onlyPart(1, out);
  computed.length = 0;
  assert.equal((await onlyPart(1, out)).fresh, true);
  await runStage(stage, { words, out, shards: 3 });
  assert.deepEqual(computed, ['one', 'two', 'five', 'six', 'seven']);
  const again = await runStage(stage, { words, out, shards: 3 });
  assert.deepEqual([again.fresh, computed.length], [true, 5]);
});

test('a part that is cut off is computed again, and no other', async () => {
  const out = temporaryFolder();
  for (const index of [0, 1, 2]) await onlyPart(index, out);
  truncateSync(join(out, 'part-00001-of-00003.arrow'), 1);
  computed.length = 0;
  await runStage(stage, { words, out, shards: 3 });
  assert.deepEqual(computed, ['three', 'four']);
  assert.equal(readFileSync(join(out, 'part-00001-of-00003.arrow'), 'utf8'), 'threefour');
});

test('--finish names the parts that are missing', async () => {
  const out = temporaryFolder();
  await onlyPart(1, out);
  await assert.rejects(runStage(stage, { words, out, shards: 3, finish: true }), {
    name: 'InputError',
    message:
      /^Cannot finish .*: 2 of 3 parts are missing, or made from something else, first: 0\/3, 2\/3; compute each/,
  });
  assert.equal(existsSync(join(out, 'report.json')), false);
});

test('parts of several keys are not put together, even where the others only changed a file that all share', async () => {
  const out = temporaryFolder();
  for (const index of [0, 1, 2]) await onlyPart(index, out);
  await runStage(stage, { words: words.toUpperCase(), out, shard: '0/2' });
  await assert.rejects(runStage(stage, { words, out, shards: 3, finish: true }), /3 of 3 parts are missing/);
});

test('another number of parts leaves nothing behind of the former, nor does another key', async () => {
  const out = temporaryFolder();
  await runStage(stage, { words, out, shards: 3 });
  await runStage(stage, { words: `${words} eight`, out, shards: 2 });
  const names = readdirSync(out).sort();
  assert.deepEqual(
    names.filter((name) => name.includes('-of-00003')),
    [],
  );
  await runStage(stage, { words, out });
  assert.deepEqual(readdirSync(out).sort(), ['all.txt', 'part-00000-of-00001.arrow', 'report.json', 'words.txt']);
});

test('the output of one key does for any number of parts', async () => {
  const out = temporaryFolder();
  await runStage(stage, { words, out, shards: 3 });
  const past = new Date(2000, 0);
  utimesSync(join(out, 'report.json'), past, past);
  computed.length = 0;
  assert.equal((await runStage(stage, { words, out, shards: 2 })).fresh, true);
  assert.equal((await runStage(stage, { words, out, shard: '1/5' })).fresh, true);
  assert.deepEqual(computed, []);
});

test('what parts leave out is counted once, and --allow-missing is for all of them', async () => {
  const faulty = `${words} xa xb`;
  const out = temporaryFolder();
  const report = await runStage(stage, { words: faulty, out, shards: 3, allowMissing: 2 });
  assert.deepEqual(
    (report.skipped as Skipped[]).map(({ utterance }) => utterance),
    ['xa', 'xb'],
  );
  await assert.rejects(runStage(stage, { words: faulty, out, shards: 3, allowMissing: 1 }), /xb is at fault/);
});

test('a sum that is infinite in a part is infinite in the whole', async () => {
  const out = temporaryFolder();
  await runStage(stage, { words: 'a infinite b', out, shards: 3 });
  assert.equal((readReport(out, 'part-00001-of-00003.json')!.counted as Record<string, unknown>).weight, 'Infinity');
  rmSync(join(out, 'report.json'));
  const finished = await runStage(stage, { words: 'a infinite b', out, shards: 3 });
  assert.equal(finished.weight, Infinity);
});

test('a sum that nobody knows in a part is not known in the whole', async () => {
  const out = temporaryFolder();
  const finished = await runStage(stage, { words: 'a nobody b', out, shards: 3 });
  assert.equal(finished.weight, Number.NaN);
});

test('runs of several numbers of parts at once are all right', async () => {
  const out = temporaryFolder();
  const reports = await Promise.all([1, 2, 3, 3].map((shards) => runStage(stage, { words, out, shards })));
  for (const report of reports) assert.equal(report.letters, 27);
  const stands = readReport(out)!;
  for (const name of Object.keys(stands.files)) assert.ok(existsSync(join(out, name)), name);
  assert.deepEqual(
    readdirSync(out).filter((name) => name.endsWith('.arrow') && !(name in stands.files)),
    [],
  );
});

for (const { given, message } of [
  { given: { finish: true }, message: /--finish wants to know of how many parts/ },
  { given: { shard: '0/2', shards: 2 }, message: /leave out --shards and --finish/ },
  { given: { shard: '0/2', finish: true }, message: /leave out --shards and --finish/ },
  { given: { shard: '2/2' }, message: /--shard 2\/2 is not i\/n/ },
  { given: { shards: 0 }, message: /--shards 0 is out of range/ },
]) {
  test(`a stage refuses ${JSON.stringify(given)}`, async () => {
    await assert.rejects(runStage(stage, { words, out: temporaryFolder(), ...given }), { name: 'UsageError', message });
  });
}

test('withSums() adds up what is to be added, and refuses parts that do not belong together', () => {
  const parts = [
    { frames: 2, rate: 8000 },
    { frames: 3, rate: 8000 },
  ];
  assert.deepEqual(withSums(parts, ['frames']), { frames: 5, rate: 8000 });
  assert.throws(() => withSums([...parts, { frames: 1, rate: 16000 }], ['frames']), {
    name: 'InputError',
    message: /rate is 8000 in part 0 and 16000 in part 2; make all of them from the same data/,
  });
});
