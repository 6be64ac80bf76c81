/** Stages whose output is computed in parts, by one process or many: the same bytes, figures and counts. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StageReport } from '../shared/io/report_file.ts';
import { runStage, type Stage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { openUtterances, type Row } from '../shared/io/utterance_table.ts';
import { writeWav } from '../shared/io/wav.ts';
import { createRandom } from '../shared/math/random.ts';
import { stage as align } from './align_labels.ts';
import { stage as cache } from './cache_logits.ts';
import { stage as decode } from './decode.ts';
import { stage as extract } from './extract_features.ts';
import { stage as filter } from './filter_targets.ts';
import { call, tokensText } from './testdata/tiny_corpus.ts';
import { stage as train } from './train_student.ts';

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

/** Eleven utterances of noise by three speakers. */
function writeData(path: string): string {
  const ids = Array.from({ length: 11 }, (_, i) => `s${i % 3}-${String(i).padStart(2, '0')}`).sort();
  const lines = (text: (id: string) => string) => ids.map((id) => `${text(id)}\n`).join('');
  const files = {
    'wav.scp': lines((id) => `${id} ${id}.wav`),
    text: lines((id) => `${id} one two`),
    utt2spk: lines((id) => `${id} ${id.slice(0, 2)}`),
    'tokens.txt': tokensText,
    'lexicon.txt': 'one one_1 one_2\ntwo two_1 two_2\n',
  };
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(path, name), text);
  }
  for (const id of ids) {
    const random = createRandom(id);
    const wav: Uint8Array[] = [];
    const samples = Int16Array.from({ length: 4000 + random.integer(4000) }, () => 1000 * random.normal());
    writeWav({ write: (bytes) => void wav.push(bytes), close() {} }, samples, 8000);
    writeFileSync(join(path, `${id}.wav`), Buffer.concat(wav));
  }
  return path;
}

const data = writeData(at('data'));
const engine = 'cpu';
const features = at('extract_features');
const model = at('model');
const decoding = at('decoding');
const given: [Stage, Record<string, unknown>][] = [
  [extract, { data, bins: 8, cmvn: 'speaker', jobs: 1 }],
  [cache, { features, teacher: [model], engine }],
  [filter, { logits: at('cache_logits'), alignment: at('alignment'), select: 'top-p', tail: 'ghost' }],
  [decode, { data, features, model, alignment: at('alignment'), decoding, engine, jobs: 1 }],
];

/** What the stages need that are computed in one part: made once the features are. */
async function prepare(): Promise<void> {
  await runStage(align, { data, features, stride: 3, out: at('alignment') });
  const ends = { features, alignment: at('alignment'), devFeatures: features, devAlignment: at('alignment') };
  await runStage(train, { ...ends, width: 8, dilations: [1], updates: 20, engine, out: model });
  await runStage(decode, { data, features, model, tune: true, engine, jobs: 1, out: decoding });
}

const filesOf = (path: string) =>
  readdirSync(path)
    .filter((name) => !name.endsWith('.json'))
    .sort()
    .map((name) => [name, readFileSync(join(path, name)).toString('latin1')]);
const withoutTime = ({ timing, ...report }: StageReport) => report;

async function rowsOf(path: string): Promise<Row[]> {
  const table = await openUtterances(path);
  const rows: Row[] = [];
  for await (const row of table.rows()) rows.push(row);
  await table.close();
  return rows;
}

/** Numbers of a report, by path, that are figures. */
function numbersOf(value: unknown, path = ''): [string, number][] {
  if (typeof value === 'number') return [[path, value]];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, part]) => numbersOf(part, `${path}/${name}`));
}

for (const [stage, options] of given) {
  test(`${stage.name} gives the same in one part and in several, by one process and by many`, async () => {
    const report = await runStage(stage, { ...options, out: at(stage.name) });
    if (stage === extract) await prepare();
    const [one, many] = [at(`${stage.name}-one`), at(`${stage.name}-many`)];
    const parts = await runStage(stage, { ...options, out: one, shards: 4 });
    for (const index of [3, 1, 0, 2]) await runStage(stage, { ...options, out: many, shard: `${index}/4` });
    const finished = await runStage(stage, { ...options, out: many, shards: 4, finish: true });
    assert.deepEqual(withoutTime(finished), withoutTime(parts));
    assert.deepEqual(filesOf(many), filesOf(one));

    assert.equal(parts.id, report.id);
    if (stage === decode) assert.deepEqual(filesOf(one), filesOf(at(stage.name)));
    else assert.deepEqual(await rowsOf(one), await rowsOf(at(stage.name)));
    const { shards: _, files: _files, timing: _timing, bytesPerFrame: _bytes, ...figures } = parts;
    const { files: _ownFiles, timing: _ownTiming, bytesPerFrame: _ownBytes, ...own } = report;
    const expected = numbersOf(own);
    assert.ok(expected.length > 5);
    for (const [i, [name, value]] of numbersOf(figures).entries()) {
      assert.equal(name, expected[i]![0]);
      assert.ok(Math.abs(value - expected[i]![1]) <= 1e-12 * Math.abs(value), `${name}: ${value}, ${expected[i]![1]}`);
    }
    const { verified } = (await runStage(stage, { ...options, out: many, verify: true })) as unknown as {
      verified: Record<string, number>;
    };
    assert.equal(verified.utterancesRemade! > 0, stage !== decode);
  });

  test(`${stage.name} computes more parts than there are utterances`, async () => {
    const out = at(`${stage.name}-13`);
    const report = await runStage(stage, { ...options, out, shards: 13 });
    assert.equal(report.utterances, 11);
    if (stage !== decode) assert.deepEqual(await rowsOf(out), await rowsOf(at(stage.name)));
  });
}

for (const stage of [filter, decode]) {
  test(`${stage.name} does not tune on a part`, async () => {
    const argv: Record<string, string[]> = {
      filter_targets: ['--logits', at('cache_logits'), '--alignment', at('alignment')],
      decode: ['--data', data, '--features', features, '--model', model, '--engine', engine],
    };
    const { code, stderr } = await call(stage, [
      ...argv[stage.name]!,
      '--tune',
      '--shard',
      '0/2',
      '--out',
      at('tuned'),
    ]);
    assert.deepEqual(
      [code, stderr],
      [2, `${stage.name}: --tune needs all utterances at once: leave out --shards and --shard\n`],
    );
  });
}

test('filter_targets --tune verifies its files, and makes no part of them again', async () => {
  const options = { logits: at('cache_logits'), alignment: at('alignment'), tune: true, out: at('tuned-essence') };
  await runStage(filter, options);
  const report = await runStage(filter, { ...options, verify: true });
  const { files, utterancesRemade } = report.verified as Record<string, number>;
  assert.deepEqual([files, utterancesRemade], [3, 0]);
});

test('cache_logits computes several sparse caches in parts', async () => {
  const options = {
    features,
    teacher: [model, at('decoding-model')],
    format: 'sparse',
    combine: ['mean=linear', 'sure=best'],
  };
  await runStage(train, {
    ...{ features, alignment: at('alignment'), devFeatures: features, devAlignment: at('alignment') },
    ...{ width: 8, dilations: [1], updates: 5, engine, seed: 1, out: at('decoding-model') },
  });
  const sparse = { ...options, k: 3, temperatures: [2], engine };
  const [one, many] = [at('sparse-one'), at('sparse-many')];
  const report = await runStage(cache, { ...sparse, out: at('sparse') });
  const parts = await runStage(cache, { ...sparse, out: one, shards: 3 });
  for (const index of [1, 2, 0]) await runStage(cache, { ...sparse, out: many, shard: `${index}/3` });
  const finished = await runStage(cache, { ...sparse, out: many, shards: 3, finish: true });
  assert.deepEqual(withoutTime(finished), withoutTime(parts));
  for (const name of ['mean', 'sure']) {
    assert.deepEqual(filesOf(join(many, name)), filesOf(join(one, name)));
    assert.deepEqual(await rowsOf(join(one, name)), await rowsOf(at('sparse', name)));
    const [kl, expected] = [parts, report].map(({ caches }) => (caches as Record<string, { kl: number }>)[name]!.kl);
    assert.ok(expected! > 0 && Math.abs(kl! - expected!) < 1e-12 * expected!, `${kl}, ${expected}`);
  }
  const { verified } = await runStage(cache, { ...sparse, out: many, verify: true });
  assert.ok((verified as Record<string, number>).utterancesRemade! >= 18, JSON.stringify(verified));
  await runStage(cache, { ...sparse, out: many, shards: 2 });
});
