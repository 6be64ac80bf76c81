import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tokensDigest } from '../shared/io/digest.ts';
import { denseLogPosteriorsOfRow, sparseTargetsOfRow } from '../shared/io/essence.ts';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { openUtterances } from '../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../shared/io/utterance_writer.ts';
import { logSoftmax } from '../shared/math/log_softmax.ts';
import { createRandom } from '../shared/math/random.ts';
import type { SparseTargets } from '../shared/math/sparse_targets.ts';
import { stage } from './filter_targets.ts';
import {
  call,
  spoken,
  tokensId,
  tokensText,
  vocabularySize,
  writeStageFolder,
  writeTinyAlignment,
} from './testdata/tiny_corpus.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const totalFrames = Object.values(spoken).reduce((sum, { labels }) => sum + labels.length, 0);

/** What each teacher says: the label, more or less; the last teacher is wrong in every fifth frame. */
function posteriorsOf(utterance: string, teacher: number): Float32Array {
  const random = createRandom('tiny logits', utterance, teacher);
  const { labels } = spoken[utterance]!;
  const logits = Float32Array.from({ length: labels.length * vocabularySize }, random.normal);
  labels.forEach((label, frame) => {
    const heard = teacher === 2 && frame % 5 === 4 ? (label + 1) % vocabularySize : label;
    logits[frame * vocabularySize + heard]! += 3 + teacher;
  });
  return logSoftmax(logits, vocabularySize);
}

interface Changes {
  metadata?: Record<string, string>;
  values?: (values: Float32Array, utterance: string) => Float32Array;
  report?: Record<string, unknown>;
  text?: string;
}

/** A folder as cache_logits leaves it, of three teachers. */
function writeTinyLogits(
  path: string,
  { metadata = {}, values = (same) => same, report = {}, text = tokensText }: Changes = {},
): string {
  const teachers = [0, 1, 2].map((i) => ({
    name: `t${i}`,
    id: `id${i}`,
    prior: Array.from({ length: vocabularySize }, (_, token) => (token === i ? 1 : 0)),
    selfLoop: new Array(vocabularySize).fill(0.2 * (i + 1)),
  }));
  const figures = { id: path, stage: 'cache_logits', frames: totalFrames, vocabularySize, teachers, ...report };
  return writeStageFolder(path, figures, (out) => {
    const writer = createUtteranceWriter(out.createFile('part-00000-of-00001.arrow'), {
      columns: { logPosteriors_0: 'list<float16>', logPosteriors_1: 'list<float16>', logPosteriors_2: 'list<float16>' },
      metadata: {
        ...{
          'kd.format': 'logits',
          'kd.version': '1',
          'kd.tokens': tokensId,
          'kd.vocabularySize': String(vocabularySize),
        },
        ...{ 'kd.frameShiftMs': '30', 'kd.firstFrameCentreMs': '15', 'kd.sampleRateHz': '8000', ...metadata },
      },
    });
    for (const [utterance, { labels }] of Object.entries(spoken)) {
      const column = (teacher: number) => values(posteriorsOf(utterance, teacher), utterance);
      writer.append({
        ...{ utterance, frames: labels.length },
        ...{ logPosteriors_0: column(0), logPosteriors_1: column(1), logPosteriors_2: column(2) },
      });
    }
    writer.close();
    out.writeText('tokens.txt', text);
  });
}

const logits = writeTinyLogits(at('logits'));
const alignment = writeTinyAlignment(at('alignment'));

let calls = 0;
/** Runs the stage and reads back what it wrote. */
async function filter(given: Record<string, unknown>) {
  const out = at(`out-${calls++}`);
  const report = await runStage(stage, { logits, ...given, out });
  const table = await openUtterances(out, { format: 'essence' });
  const targets: Record<string, SparseTargets> = {};
  const dense: Record<string, () => Float32Array> = {};
  for await (const row of table.rows()) {
    targets[row.utterance] = sparseTargetsOfRow(row, table.metadata);
    dense[row.utterance] = () => denseLogPosteriorsOfRow(row, vocabularySize);
  }
  await table.close();
  return { out, report, metadata: table.metadata, columns: table.columns, targets, dense };
}

test('filter_targets keeps the best three tokens and says what it left out', async () => {
  const { out, report, metadata, columns, targets } = await filter({ alignment });
  assert.deepEqual(Object.keys(targets), Object.keys(spoken));
  assert.equal(metadata['kd.k'], '3');
  assert.equal(columns.offsets, undefined);
  assert.deepEqual(
    [report.utterances, report.frames, report.tokensPerFrame, report.gatedFrames],
    [3, totalFrames, 3, 0],
  );
  assert.deepEqual(
    [report.tail, report.temperature, metadata['kd.tail'], metadata['kd.temperature']],
    ['ghost', 1, 'ghost', '1'],
  );
  for (const { offsets, tokens, logPosteriors, logTail } of Object.values(targets)) {
    for (let frame = 0; frame + 1 < offsets.length; frame++) {
      const [from, to] = [offsets[frame]!, offsets[frame + 1]!];
      const kept = logPosteriors.slice(from, to);
      assert.deepEqual(kept, kept.slice().sort().reverse(), 'best first');
      assert.equal(new Set(tokens.slice(from, to)).size, 3);
      const mass = kept.reduce((sum, value) => sum + Math.exp(value), Math.exp(logTail[frame]!));
      assert.ok(Math.abs(mass - 1) < 0.01, `kept and tail make ${mass}`); // half floats
    }
  }
  assert.equal(readFileSync(join(out, 'tokens.txt'), 'utf8'), tokensText);
  const { meanPosterior } = report as unknown as { meanPosterior: number[] };
  assert.ok(Math.abs(meanPosterior.reduce((sum, p) => sum + p, 0) - 1) < 1e-6);
  assert.deepEqual(report.prior, [1 / 3, 1 / 3, 1 / 3, 0, 0], "the mean of the teachers' own, not of this data");
  assert.deepEqual(
    (report.selfLoop as number[]).map((p) => p.toFixed(6)),
    new Array(vocabularySize).fill('0.400000'),
  );
  const { mean, p01, p50 } = report.keptMass as Record<string, number>;
  assert.ok(0 < p01! && p01! <= p50! && p50! <= 1 && mean! > 0.9 && mean! < 1);
  assert.ok((report.kl as number) > 0);
  assert.ok((report.labelKept as number) > 0.9 && (report.frameAccuracy as number) > 0.8);
  assert.deepEqual(
    [report.outputFrameShiftMs, report.firstFrameCentreMs, report.denseFloat16BytesPerFrame],
    [30, 15, 10],
  );
  assert.ok((report.bytesPerFrame as number) > 3 * 4 + 6);
});

test('filter_targets --select all is the ensemble: dense rows, nothing lost', async () => {
  const { report, targets, dense, metadata } = await filter({ select: 'all', teachers: [1] });
  assert.deepEqual([report.tail, report.kl, metadata['kd.k'], report.tokensPerFrame], ['renormalise', 0, '5', 5]);
  assert.deepEqual(report.keptMass, { mean: 1, p01: 1, p05: 1, p50: 1 });
  for (const [utterance, read] of Object.entries(dense)) {
    assert.ok(targets[utterance]!.logTail.every((value) => value === -Infinity));
    const expected = posteriorsOf(utterance, 1);
    read().forEach((value, i) => void assert.ok(Math.abs(value - expected[i]!) < 0.01 * Math.max(1, -value)));
  }
});

const same: { name: string; one: Record<string, unknown>; other: Record<string, unknown> }[] = [
  {
    name: 'k of all tokens and all',
    one: { select: 'top-k', k: vocabularySize, tail: 'renormalise' },
    other: { select: 'all' },
  },
  { name: 'top-p of all mass and all', one: { select: 'top-p', p: 1, tail: 'renormalise' }, other: { select: 'all' } },
  {
    name: 'a threshold of 1 and the best token',
    one: { select: 'threshold', threshold: 1 },
    other: { select: 'top-k', k: 1 },
  },
  {
    name: 'linear and geometric of one teacher',
    one: { teachers: [2] },
    other: { teachers: [2], combine: 'geometric' },
  },
  { name: 'best of one teacher and that teacher', one: { teachers: [2] }, other: { teachers: [2], combine: 'best' } },
  { name: 'all weight on one teacher and that teacher', one: { weights: [0, 4, 0] }, other: { teachers: [1] } },
  { name: 'equal weights and none', one: { weights: [2, 2, 2] }, other: {} },
  { name: 'a gate that is never shut and none', one: { gate: 'confidence', gateThreshold: 0 }, other: {} },
];
for (const { name, one, other } of same) {
  test(`filter_targets writes the same targets for ${name}`, async () => {
    const [a, b] = [await filter(one), await filter(other)];
    assert.deepEqual(a.targets, b.targets);
    for (const figure of ['kl', 'prior', 'selfLoop']) assert.deepEqual(a.report[figure], b.report[figure], figure);
  });
}

test('filter_targets --gate shuts frames, stores nothing of them and counts them', async () => {
  const { report, targets } = await filter({ alignment, gate: 'correct', teachers: [2] });
  let gated = 0;
  for (const [utterance, { offsets, weight, logTail }] of Object.entries(targets)) {
    const values = posteriorsOf(utterance, 2);
    spoken[utterance]!.labels.forEach((label, frame) => {
      const row = values.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
      const correct = row.indexOf(Math.max(...row)) === label;
      if (!correct) gated++;
      assert.deepEqual([weight[frame], offsets[frame + 1]! - offsets[frame]!], correct ? [1, 3] : [0, 0]);
      if (!correct) assert.equal(logTail[frame], 0);
    });
  }
  assert.ok(gated > 0);
  assert.equal(report.gatedFrames, gated);
  assert.equal(report.frameError, gated / totalFrames);
  assert.equal(report.frameAccuracy, 1 - gated / totalFrames);
  assert.equal(report.tokensPerFrame, (3 * (totalFrames - gated)) / totalFrames);
});

test('filter_targets weighs frames by trust where there is no threshold', async () => {
  for (const gate of ['confidence', 'entropy', 'agreement']) {
    const { targets, report } = await filter({ gate });
    const weights = Object.values(targets).flatMap(({ weight }) => [...weight]);
    assert.ok(weights.every((weight) => weight >= 0 && weight <= 1) && new Set(weights).size > 1, gate);
    assert.ok((report.meanWeight as number) > 0.3);
  }
});

test('filter_targets --tail to-label leaves nothing over', async () => {
  const { targets, report } = await filter({ alignment, k: 1, tail: 'to-label' });
  for (const [utterance, { offsets, tokens, logPosteriors, logTail }] of Object.entries(targets)) {
    spoken[utterance]!.labels.forEach((label, frame) => {
      const [from, to] = [offsets[frame]!, offsets[frame + 1]!];
      assert.ok(tokens.slice(from, to).includes(label) && to - from <= 2);
      assert.ok(Math.abs(logPosteriors.slice(from, to).reduce((sum, value) => sum + Math.exp(value), 0) - 1) < 2e-3);
      assert.equal(logTail[frame], -Infinity);
    });
  }
  assert.ok((report.keptMass as Record<string, number>).mean! < 1);
});

test('filter_targets --select sample draws the same for the same seed, and the ensemble on average', async () => {
  const [a, b, c] = [
    await filter({ select: 'sample', samples: 4, seed: 1 }),
    await filter({ select: 'sample', samples: 4, seed: 1 }),
    await filter({ select: 'sample', samples: 4, seed: 2 }),
  ];
  assert.deepEqual(a.targets, b.targets);
  assert.notDeepEqual(a.targets, c.targets);
  assert.equal(a.report.kl, null);
  const many = await filter({ select: 'sample', samples: 60000 });
  const full = await filter({ select: 'all' });
  for (const [utterance, { offsets, tokens, logPosteriors }] of Object.entries(many.targets)) {
    const dense = full.dense[utterance]!();
    for (let frame = 0; frame + 1 < offsets.length; frame++) {
      for (let i = offsets[frame]!; i < offsets[frame + 1]!; i++) {
        const expected = Math.exp(dense[frame * vocabularySize + tokens[i]!]!);
        assert.ok(Math.abs(Math.exp(logPosteriors[i]!) - expected) < 0.015);
      }
    }
  }
});

test('filter_targets takes the temperature before it combines', async () => {
  const { targets, metadata } = await filter({ select: 'all', temperature: 1e4 });
  assert.equal(metadata['kd.temperature'], '10000');
  for (const { logPosteriors } of Object.values(targets)) {
    assert.ok(logPosteriors.every((value) => Math.abs(value + Math.log(vocabularySize)) < 2e-3));
  }
});

/** A folder as filter_targets --tune leaves it, for the three teachers. */
const writeCombination = (name: string, found: Record<string, unknown> = {}): string =>
  writeStageFolder(at(name), { id: name, stage: 'filter_targets' }, (out) =>
    out.writeJson('combination.json', {
      ...{ teachers: ['id0', 'id1', 'id2'], teacherTemperatures: [1, 1, 1], weights: [1, 0, 0], atEdge: [], ...found },
    }),
  );

test('filter_targets --tune calibrates the teachers and filters with that, --combination does it again', async () => {
  const tuned = await filter({ alignment, tune: true, select: 'all' });
  const found = JSON.parse(readFileSync(join(tuned.out, 'combination.json'), 'utf8'));
  assert.deepEqual(found.teachers, ['id0', 'id1', 'id2']);
  assert.deepEqual(tuned.report.atEdge, found.atEdge);
  assert.equal(tuned.metadata['kd.teacherTemperatures'], JSON.stringify(found.teacherTemperatures));
  assert.deepEqual(
    tuned.report.teachers,
    [0, 1, 2].map((i) => ({ name: `t${i}`, id: `id${i}`, temperature: found.teacherTemperatures[i] })),
  );
  const rows = found.table as Record<string, unknown>[];
  assert.equal(rows.length, 14);
  assert.deepEqual([rows[1]!.teacher, rows[1]!.rule, rows[1]!.calibrated], ['t1', 'alone', false]);
  const row = rows.find(({ rule, calibrated }) => rule === 'linear' && calibrated)!;
  const { crossEntropyNats, frameError, calibrationError, frameAccuracy } = tuned.report;
  assert.deepEqual(
    { crossEntropyNats, frameError, calibrationError },
    {
      crossEntropyNats: row.crossEntropyNats,
      frameError: row.frameError,
      calibrationError: row.calibrationError,
    },
    'the report is of the combination that was used',
  );
  assert.equal(frameAccuracy, 1 - (frameError as number));

  const again = await filter({ combination: tuned.out, select: 'all' });
  assert.deepEqual(again.targets, tuned.targets);
  assert.equal(again.report.crossEntropyNats, undefined, 'there is nothing to compare with');
  assert.notDeepEqual((await filter({ select: 'all' })).targets, tuned.targets);

  const weighted = await filter({ combination: tuned.out, select: 'all', combine: 'weighted', alignment });
  assert.equal(
    weighted.report.crossEntropyNats,
    rows.find(({ rule, calibrated }) => rule === 'weighted' && calibrated)!.crossEntropyNats,
  );
  assert.deepEqual(
    (weighted.report.teachers as { weight: number }[]).map(({ weight }) => weight),
    found.weights,
  );
});

test('filter_targets writes the same targets for teachers at temperature 1 and for such that were not tuned', async () => {
  const combination = writeCombination('ones');
  for (const combine of ['linear', 'geometric', 'best']) {
    const [a, b] = [await filter({ combine, combination, temperature: 2 }), await filter({ combine, temperature: 2 })];
    assert.deepEqual(a.targets, b.targets);
  }
  const [a, b] = [await filter({ combine: 'weighted', combination }), await filter({ weights: [1, 0, 0] })];
  assert.deepEqual(a.targets, b.targets);
});

test("filter_targets multiplies a teacher's own temperature by that of the distillation", async () => {
  const combination = writeCombination('twos', { teacherTemperatures: [2, 2, 2] });
  const [a, b] = [await filter({ combination, temperature: 1.5 }), await filter({ temperature: 3 })];
  assert.deepEqual(a.targets, b.targets);
  assert.equal(a.report.temperature, 1.5);
});

const faults: { name: string; code: number; argv: string[] | (() => string[]); message: RegExp }[] = [
  {
    name: 'a tail where all is kept',
    code: 2,
    argv: ['--select', 'all', '--tail', 'ghost'],
    message: /--select all leaves no mass over/,
  },
  {
    name: 'a tail of samples',
    code: 2,
    argv: ['--select', 'sample', '--tail', 'uniform'],
    message: /unbiased: leave out --tail/,
  },
  { name: 'to-label without labels', code: 2, argv: ['--tail', 'to-label'], message: /name it with --alignment/ },
  { name: 'correct without labels', code: 2, argv: ['--gate', 'correct'], message: /name it with --alignment/ },
  {
    name: 'agreement of one',
    code: 2,
    argv: ['--gate', 'agreement', '--teachers', '1'],
    message: /two teachers or more/,
  },
  {
    name: 'a threshold of no gate',
    code: 2,
    argv: ['--gate-threshold', '0.5'],
    message: /--gate-threshold belongs to/,
  },
  {
    name: 'weights of one teacher',
    code: 2,
    argv: ['--combine', 'best', '--weights', '1,1,1'],
    message: /leave out --weights/,
  },
  { name: 'tuning without labels', code: 2, argv: ['--tune'], message: /--tune compares .* --alignment/ },
  {
    name: 'tuning and a combination',
    code: 2,
    argv: () => ['--tune', '--alignment', alignment, '--combination', writeCombination('either')],
    message: /leave out one of them/,
  },
  {
    name: 'tuned weights that were not tuned',
    code: 2,
    argv: ['--combine', 'weighted'],
    message: /takes its weights from --tune or --combination/,
  },
  {
    name: 'tuned weights and others',
    code: 2,
    argv: () => ['--combine', 'weighted', '--combination', writeCombination('both'), '--weights', '1,1,1'],
    message: /has weights of its own/,
  },
  {
    name: 'a combination of other teachers',
    code: 3,
    argv: () => ['--combination', writeCombination('others', { teachers: ['id0', 'id9', 'id2'] })],
    message: /others: it was tuned for teachers id0,id9,id2, and not for id0,id1,id2; run filter_targets --tune/,
  },
  {
    name: 'a combination of more teachers',
    code: 3,
    argv: () => ['--combination', writeCombination('more'), '--teachers', '0,1'],
    message: /tuned for teachers id0,id1,id2, and not for id0,id1;/,
  },
  {
    name: 'a folder that was not tuned',
    code: 3,
    argv: () => ['--combination', alignment],
    message: /alignment: it has no combination\.json; make it with filter_targets --tune/,
  },
  {
    name: 'a combination that is none',
    code: 3,
    argv: () => ['--combination', writeCombination('broken', { teacherTemperatures: [1, 0, 1] })],
    message: /lacks valid teacherTemperatures or weights/,
  },
  {
    name: 'NaN in the cache that it tunes on',
    code: 3,
    argv: () => [
      '--logits',
      writeTinyLogits(at('nan-tuned'), {
        values: (values, id) => (id === 's1-b' ? values.fill(Number.NaN, 12, 13) : values),
      }),
      ...['--tune', '--alignment', alignment],
    ],
    message: /utterance "s1-b": what .*nan-tuned says of frame 2 is no distribution/,
  },
  { name: 'two weights for three', code: 2, argv: ['--weights', '1,1'], message: /one number for each teacher/ },
  { name: 'no weight at all', code: 2, argv: ['--weights', '0,0,0'], message: /--weights are all 0/ },
  {
    name: 'an option of another selection',
    code: 2,
    argv: ['--p', '0.9'],
    message: /--p belongs to --select top-p, not to top-k/,
  },
  { name: 'more tokens than there are', code: 2, argv: ['--k', '6'], message: /--k 6 is more than the 5 tokens/ },
  { name: 'no token', code: 2, argv: ['--k', '0'], message: /--k 0 is out of range/ },
  { name: 'half a token', code: 2, argv: ['--k', '1.5'], message: /--k 1.5 is out of range/ },
  { name: 'no mass', code: 2, argv: ['--select', 'top-p', '--p', '0'], message: /--p 0 is out of range/ },
  { name: 'temperature 0', code: 2, argv: ['--temperature', '0'], message: /--temperature 0 is out of range/ },
  {
    name: 'a temperature that is no number',
    code: 2,
    argv: ['--temperature', 'warm'],
    message: /--temperature warm is not a number: need a number, above 0/,
  },
  { name: 'a teacher that is not there', code: 2, argv: ['--teachers', '0,3'], message: /name each once, from 0 to 2/ },
  { name: 'a teacher twice', code: 2, argv: ['--teachers', '1,1'], message: /name each once, from 0 to 2/ },
  {
    name: 'labels over other tokens',
    code: 3,
    argv: () => [
      '--logits',
      writeTinyLogits(at('other-tokens'), { metadata: { 'kd.tokens': tokensDigest('a 0\n') }, text: 'a 0\n' }),
      '--alignment',
      alignment,
    ],
    message: /Cannot use .*other-tokens with .*alignment: kd\.tokens is/,
  },
  {
    name: 'a token list of another cache',
    code: 3,
    argv: () => ['--logits', writeTinyLogits(at('swapped'), { text: 'a 0\n' })],
    message: /its tokens\.txt is not the one it was made with/,
  },
  {
    name: 'labels that lack an utterance',
    code: 3,
    argv: () => {
      const path = writeStageFolder(at('lacking'), { id: 'lacking', stage: 'align_labels' }, (out) => {
        const metadata = { 'kd.format': 'alignment', 'kd.tokens': tokensId };
        const writer = createUtteranceWriter(out.createFile('alignment.arrow'), {
          columns: { labels: 'list<uint16>' },
          metadata,
        });
        writer.append({ utterance: 's1-a', frames: 13, labels: Uint16Array.from(spoken['s1-a']!.labels) });
        writer.close();
      });
      return ['--alignment', path];
    },
    message: /2 of 3 utterances have no hard labels, first: s1-b, s2-a/,
  },
  {
    name: 'labels of another length',
    code: 3,
    argv: () => ['--alignment', writeTinyAlignment(at('short'), (id) => spoken[id]!.labels.slice(1))],
    message: /"s1-a": .*short has labels for 12 frames, .*logits has 13/,
  },
  {
    name: 'a label that is no token',
    code: 3,
    argv: () => ['--alignment', writeTinyAlignment(at('beyond'), (id) => spoken[id]!.labels.map(() => 5))],
    message: /label 5 in .*beyond is not one of 5 tokens/,
  },
  {
    name: 'NaN in the cache',
    code: 3,
    argv: () => [
      '--logits',
      writeTinyLogits(at('nan'), {
        values: (values, id) => (id === 's1-b' ? values.fill(Number.NaN, 12, 13) : values),
      }),
    ],
    message: /utterance "s1-b": what .*nan says of frame 2 is no distribution/,
  },
  {
    name: 'a frame cut off',
    code: 3,
    argv: () => ['--logits', writeTinyLogits(at('cut-row'), { values: (values) => values.subarray(1) })],
    message: /teacher 0 in .*cut-row has 64 values, 13 frames of 5 tokens need 65/,
  },
  {
    name: 'teachers without a description',
    code: 3,
    argv: () => ['--logits', writeTinyLogits(at('bare'), { report: { teachers: undefined } })],
    message: /its report\.json does not describe teacher 0/,
  },
  {
    name: 'an essence for logits',
    code: 3,
    argv: () => ['--logits', alignment],
    message: /it is alignment, not logits/,
  },
  {
    name: 'a file cut off',
    code: 3,
    argv: () => {
      const path = writeTinyLogits(at('cut'));
      truncateSync(join(path, 'part-00000-of-00001.arrow'), 400);
      return ['--logits', path];
    },
    message: /part-00000-of-00001\.arrow has 400 bytes instead of/,
  },
  {
    name: 'a foreign file of the same size',
    code: 3,
    argv: () => {
      const path = writeTinyLogits(at('foreign'));
      const file = join(path, 'part-00000-of-00001.arrow');
      writeFileSync(file, Buffer.alloc(readFileSync(file).length, 'x'));
      return ['--logits', path];
    },
    message: /not an Arrow file, or cut off/,
  },
  {
    name: 'no folder',
    code: 3,
    argv: () => ['--logits', at('nowhere')],
    message: /nowhere \(--logits\): it is not there/,
  },
];
for (const [i, { name, code, argv, message }] of faults.entries()) {
  test(`filter_targets exits ${code} for ${name}`, async () => {
    const given = typeof argv === 'function' ? argv() : argv;
    const result = await call(stage, [
      ...(given.includes('--logits') ? [] : ['--logits', logits]),
      ...given,
      '--out',
      at(`fault-${i}`),
    ]);
    assert.match(result.stderr, message);
    assert.equal(result.code, code);
    assert.equal(result.stderr.trimEnd().includes('\n'), false, 'one line');
  });
}
