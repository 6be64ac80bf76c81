import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { openUtterances } from '../shared/io/utterance_table.ts';
import { stage } from './align_labels.ts';
import {
  call,
  spoken,
  tokensId,
  tokensText,
  writeTinyData,
  writeTinyFeatures,
  writeTinyModel,
} from './testdata/tiny_corpus.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const data = writeTinyData(at('data'));
const features = writeTinyFeatures(at('features'));
const model = writeTinyModel(at('model'));

async function labelsIn(out: string) {
  const table = await openUtterances(out, { format: 'alignment' });
  const labels: Record<string, number[]> = {};
  for await (const row of table.rows()) labels[row.utterance] = Array.from(row.labels as Uint16Array);
  await table.close();
  return { labels, metadata: table.metadata };
}

test('align_labels finds what was said with a model that hears it', async () => {
  const out = at('by-model');
  const report = await runStage(stage, { data, features, model, engine: 'cpu', out });
  const { labels, metadata } = await labelsIn(out);
  for (const [id, { labels: truth }] of Object.entries(spoken)) assert.deepEqual(labels[id], truth, id);
  assert.equal(metadata['kd.tokens'], tokensId);
  assert.equal(metadata['kd.frameShiftMs'], '30');
  assert.equal(metadata['kd.firstFrameCentreMs'], '15');
  assert.equal(readFileSync(join(out, 'tokens.txt'), 'utf8'), tokensText);
  assert.equal(report.utterances, 3);
  assert.equal(report.frames, 29);
  assert.ok(Number.isFinite(report.meanScore));
  const { boundaries, meanMs, shareWithin50Ms } = report.boundaryError as Record<string, number>;
  assert.deepEqual([boundaries, shareWithin50Ms], [10, 1]);
  assert.ok(meanMs! < 1);
  const { prior, selfLoop } = report as unknown as { prior: number[]; selfLoop: number[] };
  assert.ok(Math.abs(prior.reduce((a, b) => a + b) - 1) < 1e-12);
  assert.ok(Math.abs(prior[0]! - 10 / 29) < 1e-12);
  assert.ok(selfLoop.every((probability) => probability > 0 && probability < 1));
});

test('align_labels without a model spreads the words over the speech', async () => {
  const out = at('linear');
  const report = await runStage(stage, { data, features, out });
  const { labels, metadata } = await labelsIn(out);
  const runs = (values: number[]) => values.filter((label, i) => label !== 0 && label !== values[i - 1]);
  for (const [id, { labels: truth }] of Object.entries(spoken)) {
    assert.equal(labels[id]!.length, truth.length);
    assert.deepEqual(runs(labels[id]!), runs(truth), id);
  }
  assert.equal(metadata['kd.firstFrameCentreMs'], '15');
  assert.equal(report.engine, undefined);
  assert.equal(report.meanScore, 0);
});

test('align_labels gives no boundary errors where true times are not known', async () => {
  const untimed = writeTinyData(at('untimed'), { ctm: undefined });
  const report = await runStage(stage, { data: untimed, features, out: at('untimed-out') });
  assert.equal(report.boundaryError, undefined);
});

const text = (words: string) => `s1-a ${words}\ns1-b two\ns2-a one one\n`;
const faults: { name: string; code: number; argv: () => string[]; message: RegExp }[] = [
  {
    name: 'a word that is not in the lexicon',
    code: 3,
    argv: () => [
      '--data',
      writeTinyData(at('unknown'), { text: text('one three'), ctm: undefined }),
      '--features',
      features,
    ],
    message: /text, line 1: word "three" is not in lexicon\.txt/,
  },
  {
    name: 'more states than frames',
    code: 3,
    argv: () => {
      const long = writeTinyData(at('long'), { text: text('one two one two one two one'), ctm: undefined });
      return ['--data', long, '--features', features, '--model', model, '--engine', 'cpu'];
    },
    message: /Cannot align s1-a: its 7 words need 14 frames, it has 13/,
  },
  {
    name: 'more states than frames without a model',
    code: 3,
    argv: () => ['--data', at('long'), '--features', features],
    message: /Cannot align s1-a: its 7 words need 14 frames, it has 13/,
  },
  {
    name: 'a model of other tokens',
    code: 3,
    argv: () => {
      const other = writeTinyModel(at('other-tokens'), { text: tokensText.replace('one_1', 'eins_1') });
      return ['--data', data, '--features', features, '--model', other, '--engine', 'cpu'];
    },
    message: /Cannot use .*other-tokens with .*data: their tokens\.txt differ/,
  },
  {
    name: 'features of another kind than the model was trained on',
    code: 3,
    argv: () => {
      const other = writeTinyFeatures(at('other-features'), { metadata: { 'kd.sampleRateHz': '16000' } });
      return ['--data', data, '--features', other, '--model', model, '--engine', 'cpu'];
    },
    message: /kd\.sampleRateHz is 8000 in the model and 16000 in the features/,
  },
  {
    name: 'a negative prior scale',
    code: 2,
    argv: () => ['--data', data, '--features', features, '--model', model, '--prior-scale', '-1'],
    message: /--prior-scale -1 is out of range/,
  },
  {
    name: 'an acoustic scale of 0',
    code: 2,
    argv: () => ['--data', data, '--features', features, '--model', model, '--acoustic-scale', '0'],
    message: /--acoustic-scale 0 is out of range/,
  },
  ...['--prior-scale', '--acoustic-scale'].map((flag) => ({
    name: `${flag} without a model`,
    code: 2,
    argv: () => ['--data', data, '--features', features, flag, '1'],
    message: new RegExp(`${flag} belongs to --model: give both, or leave it out`),
  })),
  ...['--stride', '--edge-silence'].map((flag) => ({
    name: `${flag} with a model`,
    code: 2,
    argv: () => ['--data', data, '--features', features, '--model', model, flag, '1'],
    message: new RegExp(`${flag} does not go with --model: leave out one of them`),
  })),
];
for (const [i, { name, code, argv, message }] of faults.entries()) {
  test(`align_labels exits ${code} for ${name}`, async () => {
    const result = await call(stage, [...argv(), '--out', at(`fault-${i}`)]);
    assert.match(result.stderr, message);
    assert.equal(result.code, code);
  });
}
