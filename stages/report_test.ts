import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { main, runStage } from '../shared/io/stage.ts';
import { scoredUtteranceLine } from '../shared/report/scored_utterances.ts';
import { alignedUtterance } from '../shared/report/testdata/aligned_utterance.ts';
import { stage } from './report.ts';

const home = mkdtempSync(join(tmpdir(), 'report-'));
after(() => rmSync(home, { recursive: true }));

interface Folder {
  path: string;
  id: string;
}

/** The folder of a stage as far as its report goes. */
function folder(name: string, stageName: string, fields: Record<string, unknown> = {}): Folder {
  const path = join(home, name);
  const report = {
    schemaVersion: 1,
    stage: stageName,
    id: `id-of-${name}`,
    options: {},
    inputs: {},
    files: {},
    timing: { seconds: 30, cpuSeconds: 30 },
    ...fields,
  };
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'report.json'), JSON.stringify(report));
  return { path, id: report.id };
}

interface ArmOptions {
  arm: string;
  seed: number;
  substitutions: number[];
  targets?: Folder;
}

/** Model, hypotheses and score of an arm. */
function scored(experiment: string, { arm, seed, substitutions, targets }: ArmOptions): string {
  const name = `${experiment}/${arm}/s${seed}`;
  const model = folder(`${name}/model`, 'train_student', {
    parameters: 100,
    modelBytes: 400,
    inputs: targets ? { targets: [targets] } : {},
    curves: [{ update: 50, trainLoss: 1, devCrossEntropy: 0.5, devFrameAccuracy: 0.9 }],
  });
  const decode = folder(`${name}/decode`, 'decode', { inputs: { model: [model] }, frameAccuracy: 0.8, atEdge: [] });
  return scoreOf(name, { arm, seed, size: 'small' }, decode, substitutions);
}

function scoreOf(name: string, labels: Record<string, unknown>, decode: Folder, substitutions: number[]): string {
  const score = folder(`${name}/score`, 'score', {
    options: { ...labels, protocol: 'seen' },
    inputs: { hypotheses: [decode] },
  });
  const rows = substitutions.map((count, i) =>
    alignedUtterance({
      ...{ utterance: `u${i}`, speaker: `s${i % 2}`, words: 2 },
      ...{ insertions: 0, deletions: 0, substitutions: count },
    }),
  );
  writeFileSync(
    join(score.path, 'utterances.tsv'),
    rows.map((row) => scoredUtteranceLine(row, row.operations)).join(''),
  );
  return score.path;
}

const teachers = (name: string): Folder[] =>
  ['a', 'b'].map((one) => ({ path: `${name}/${one}`, id: `${name}-${one}` }));

/** Two arms of two seeds and the ensemble whose essence one of them learns from. */
function experiment(name: string): string[] {
  const logits = folder(`${name}/logits`, 'cache_logits', {
    inputs: { teacher: teachers(name) },
    teachers: [
      { name: 'a', id: `${name}-a`, parameters: 300, modelBytes: 1200 },
      { name: 'b', id: 'of-folds', crossFit: { members: [{ id: `${name}-b` }] }, parameters: 300, modelBytes: 1200 },
    ],
  });
  const essence = folder(`${name}/essence`, 'filter_targets', {
    inputs: { logits: [logits] },
    options: { select: 'top-k', k: 3, teachers: [0, 1] },
    keptMass: { mean: 0.98 },
    bytesPerFrame: 18,
  });
  const decode = folder(`${name}/ensemble/decode`, 'decode', {
    inputs: { posteriors: [essence] },
    frameAccuracy: 0.9,
    atEdge: [],
  });
  return [
    scoreOf(`${name}/ensemble`, { arm: 'ensemble', size: 'ensemble' }, decode, [0, 0, 0, 1]),
    ...[0, 1].map((seed) => scored(name, { arm: 'hard', seed, substitutions: [1, 1, 0, 1] })),
    ...[0, 1].map((seed) => scored(name, { arm: 'top3', seed, substitutions: [seed, 0, 0, 1], targets: essence })),
  ];
}

const report = (scores: string[], name: string, more: Record<string, unknown> = {}) =>
  runStage(stage, { scores, out: join(home, name), resamples: 200, ...more });

test('report shows what models cost, where it was measured', async () => {
  const scores = experiment('costs');
  const measure = (name: string, models: Folder[], figures: Record<string, unknown>) =>
    folder(`costs/measure/${name}`, 'measure_model', {
      inputs: { model: models },
      ...figures,
      timing: { seconds: 1, cpuSeconds: 1, realTimeFactor: 0.0125, peakMemoryBytes: 2e8 },
    }).path;
  const model = { path: join(home, 'costs/top3/s0/model'), id: 'id-of-costs/top3/s0/model' };
  const measures = [
    measure('top3', [model], { multiplyAddsPerSecond: 4.25e6, lookAheadMs: 60 }),
    measure('ensemble', teachers('costs'), { multiplyAddsPerSecond: 9e6, lookAheadMs: null }),
  ];
  await report(scores, 'costs/report', { measures });
  const table = readFileSync(join(home, 'costs/report/report.md'), 'utf8');
  assert.match(table, /\| model bytes \| M multiply-adds\/s \| look-ahead ms \| real-time factor \| peak memory \|/);
  assert.match(table, /\| top3 +\| +100 \| +400 \| +4\.25 \| +60 \| +0\.0125 \| +200\.0 MB \|/);
  assert.match(table, /\| ensemble \(1\) +\| +600 \| +2,400 \| +9\.00 \| +all \|/);
  assert.match(table, /\| hard +\| +100 \| +400 \| +– \| +– \|/);
  await assert.rejects(
    report(scores, 'costs/wrong', { measures: [scores[0]!] }),
    /as --measures: it is a folder of score/,
  );
});

test('report puts every arm into a row with what its chain says', async () => {
  const { rows, comparisons } = (await report(experiment('whole'), 'whole/report')) as unknown as {
    rows: Record<string, unknown>[];
    comparisons: number;
  };
  assert.deepEqual(
    rows.map(({ size, arm }) => [size, arm]),
    [
      ['ensemble', 'ensemble'],
      ['small', 'hard'],
      ['small', 'top3'],
    ],
  );
  const [ensemble, hard, top3] = rows as [Record<string, unknown>, Record<string, unknown>, Record<string, unknown>];
  assert.deepEqual([ensemble.parameters, ensemble.modelBytes, ensemble.bytesPerFrame], [600, 2400, 18]);
  assert.deepEqual(
    [hard.parameters, hard.trainingSeconds, hard.keptMass, hard.frameAccuracy],
    [100, 30, undefined, 0.8],
  );
  assert.deepEqual([top3.keptMass, top3.bytesPerFrame], [0.98, 18]);
  assert.equal(comparisons, 3);
});

test('report writes a page that says how to make it again', async () => {
  const scores = experiment('page');
  await report(scores, 'page/report', { title: "Digits, it's", attribution: 'Somebody, CC BY-SA' });
  const page = readFileSync(join(home, 'page/report/report.html'), 'utf8');
  assert.ok(page.includes('Somebody, CC BY-SA') && page.includes(scores[0]!));
  assert.ok(page.includes(`--title &#39;Digits, it&#39;\\&#39;&#39;s&#39;`) && page.includes('--resamples 200 '));
});

test('report shows a table instead of JSON', async () => {
  const table = stage.render(await report(experiment('table'), 'table/report'));
  assert.equal(table, readFileSync(join(home, 'table/report/report.md'), 'utf8'));
  assert.match(table, /^## seen\n\n\| size +\| arm +\|/);
  assert.match(table, /\| small +\| top3 +\| +100 \| +400 \| +18\.75 \[/);
});

test('report by speaker says so, and how many gain and lose', async () => {
  const made = await report(experiment('speakers'), 'speakers/report', { unit: 'speaker' });
  const table = readFileSync(join(home, 'speakers/report/report.md'), 'utf8');
  assert.equal(stage.render(made), table);
  assert.match(table, /bootstrap over speakers and seeds;.*p by sign flips over speakers,/);
  assert.match(
    table,
    /\nSpeakers better\/equal\/worse than with "hard", p of signs: top3 \(small\) 2\/0\/0, p 0\.500\.\n/,
  );
  assert.match(
    table,
    /\nSpeakers .* "ensemble", .* hard \(small\) 0\/0\/2, p 0\.500; top3 \(small\) 0\/1\/1, p 1\.000\.\n/,
  );
  assert.doesNotMatch(table, /over utterances/);
  const page = readFileSync(join(home, 'speakers/report/report.html'), 'utf8');
  assert.match(page, /4 utterances of 2 speakers, 8 words per seed/);
  assert.match(page, /independently, speakers \(pigeonhole[\s\S]*Training data are held[\s\S]*difference per speaker/);
  assert.match(page, /--unit speaker /);
});

test('report refuses scores whose utterances cannot be read', async () => {
  const scores = experiment('nameless');
  writeFileSync(join(scores[0]!, 'utterances.tsv'), 'u0\ts0\tCC\nu1\ts1\tCX\n');
  await assert.rejects(report(scores, 'nameless/report'), {
    exitCode: 3,
    message: /utterances\.tsv, line 2: "u1\ts1\tCX" is not utterance, speaker and steps C, S, I and D; score again/,
  });
});

test('report compares hypotheses that come from elsewhere', async () => {
  const elsewhere = (arm: string, substitutions: number[]) => {
    const file = join(home, `${arm}.trn`);
    writeFileSync(file, 'two words (s0-u0)\n');
    return scoreOf(`files/${arm}`, { arm, size: 'model' }, { path: file, id: arm }, substitutions);
  };
  const scores = [elsewhere('whisper', [0, 1, 0, 0]), elsewhere('hard', [1, 1, 0, 1])];
  await report(scores, 'files/report');
  const table = readFileSync(join(home, 'files/report/report.md'), 'utf8');
  assert.match(table, /\| model +\| whisper \(1\) +\|.* 12\.50 \[/);
  assert.match(table, /\nMAPSSWE against "hard", .*: whisper \(model\) p 0\.046\.\n/);
});

test('report refuses a folder that changed since, and names both ids', async () => {
  const scores = experiment('changed');
  folder('changed/essence', 'filter_targets', { id: 'another' });
  await assert.rejects(report(scores, 'changed/report'), {
    exitCode: 3,
    message:
      /changed\/ensemble\/decode: it was made from .*changed\/essence with id id-of-changed\/essence, which now holds filter_targets another; run decode again/,
  });
});

test('report finds what stages were given by paths relative to where they ran, from anywhere', async () => {
  const scores = experiment('elsewhere');
  const expected = await report(scores, 'elsewhere/report-absolute');
  for (const name of readdirSync(join(home, 'elsewhere'), { recursive: true, encoding: 'utf8' })) {
    const file = join(home, 'elsewhere', name);
    if (!name.endsWith('report.json')) continue;
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`"path":"${home}/`, '"path":"'));
  }
  const { rows } = await report(scores, 'elsewhere/report-relative');
  assert.deepEqual(rows, expected.rows);
});

test('report refuses a folder whose origin is gone', async () => {
  const scores = experiment('gone');
  rmSync(join(home, 'gone/top3/s1/model'), { recursive: true });
  await assert.rejects(report(scores, 'gone/report'), {
    exitCode: 3,
    message: /gone\/top3\/s1\/model .*is gone or unfinished; run decode again/,
  });
});

test('report refuses folders of other stages and scores that do not fit', async () => {
  const [first, ...others] = experiment('wrong') as [string, ...string[]];
  await assert.rejects(report([join(home, 'wrong/essence')], 'wrong/report'), {
    exitCode: 3,
    message: /folder of filter_targets; give folders of score/,
  });
  await assert.rejects(report([first, first, ...others], 'wrong/report'), { exitCode: 3, message: /scored twice/ });
});

test('report does without baseline and ensemble, and says so', async () => {
  const { notes } = (await report(
    [scored('lone', { arm: 'top3', seed: 0, substitutions: [0, 1] })],
    'lone/report',
  )) as unknown as { notes: string[] };
  assert.equal(notes.length, 2);
});

test('report on the command line prints the table and nothing else', async () => {
  const out = join(home, 'line/report');
  const printed: string[] = [];
  const stdout = { write: (text: string) => printed.push(text) };
  const argv = ['--scores', ...experiment('line'), '--resamples', '200', '--out', out, '--quiet'];
  assert.equal(await main(stage, argv, { stdout, stderr: process.stderr }), 0);
  assert.equal(printed.join(''), readFileSync(join(out, 'report.md'), 'utf8'));
});
