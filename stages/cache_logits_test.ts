/** Teachers of any origin in one ensemble: models and archives made by other tools, on our tokens and frames. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { openEngine } from '../shared/engine/open_engine.ts';
import { tokensDigest } from '../shared/io/digest.ts';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { openUtterances } from '../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../shared/io/utterance_writer.ts';
import { logSoftmax } from '../shared/math/log_softmax.ts';
import { createRandom } from '../shared/math/random.ts';
import { stage } from './cache_logits.ts';
import { stage as filterTargets } from './filter_targets.ts';
import {
  call,
  featureMetadata,
  spoken,
  tokensText,
  vocabularySize,
  writeStageFolder,
  writeTinyFeatures,
  writeTinyModel,
} from './testdata/tiny_corpus.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const made = resolve('shared/engine/testdata/foreign');
const own = writeTinyModel(at('own'));
const features = writeTinyFeatures(at('features'));
const bins = 5;
const fbank = { kind: 'fbank', frameLengthMs: 25, lowFrequencyHz: 20, highFrequencyHz: 0, snipEdges: false };

/** Other features of the same audio: what a foreign model eats. */
const values = (utterance: string) =>
  Float32Array.from({ length: 3 * spoken[utterance]!.labels.length * bins }, createRandom('theirs', utterance).normal);
const theirFeatures = writeStageFolder(at('theirs'), { id: 'theirs', stage: 'extract_features' }, (out) => {
  const metadata = { ...featureMetadata, 'kd.features': JSON.stringify(fbank) };
  const writer = createUtteranceWriter(out.createFile('features.arrow'), {
    columns: { features: 'list<float32>' },
    metadata,
  });
  for (const [utterance, { labels }] of Object.entries(spoken).reverse())
    writer.append({ utterance, frames: 3 * labels.length, features: values(utterance) });
  writer.close();
});

const eats = { ...fbank, bins, sampleRateHz: 8000, frameShiftMs: 10 };
const output = {
  values: 'logits',
  frameShiftMs: 30,
  firstFrameCentreMs: 5,
  tokens: join(made, 'tokens.txt'),
  ignoreCase: true,
  extra: 'drop',
};
const described = (changes: Record<string, unknown> = {}) => ({
  ...{ format: 'teacher', version: 1, name: 'theirs', origin: 'a test', licence: 'any', objective: 'frame', output },
  ...('posteriors' in changes ? {} : { model: { format: 'onnx', path: join(made, 'model.onnx'), features: eats } }),
  ...changes,
});
let count = 0;
function describe(changes: Record<string, unknown> = {}): string {
  const file = at(`teacher-${count++}.json`);
  writeFileSync(file, JSON.stringify(described(changes)));
  return file;
}
const withModel = (changes: Record<string, unknown>) => ({
  model: { format: 'onnx', path: join(made, 'model.onnx'), features: eats, ...changes },
});
const withFeatures = (changes: Record<string, unknown>) => withModel({ features: { ...eats, ...changes } });
const withOutput = (changes: Record<string, unknown>) => ({ output: { ...output, ...changes } });

/** What the network in testdata says, as `foreign_model_test` finds it right: [frames × TWO, UH, ONE, SIL]. */
async function theirLogits(features: Float32Array): Promise<Float32Array> {
  const engine = await openEngine({ engine: 'cpu', threads: 1 });
  const model = await engine.openForeignModel({ format: 'onnx', path: join(made, 'model.onnx') });
  const { values } = await model.forward({ values: features, columns: bins });
  await model.dispose();
  return values;
}
/** The same over our tokens, by hand: UH is dropped, words are two states alike; sil, one_1, one_2, two_1, two_2. */
function onOurTokens(logits: Float32Array): Float32Array {
  const rows: number[] = [];
  for (let i = 0; i < logits.length; i += 4) {
    const [two, , one, sil] = Array.from(logits.subarray(i, i + 4), Math.exp) as [number, number, number, number];
    rows.push(...[sil, one / 2, one / 2, two / 2, two / 2].map((value) => Math.log(value / (two + one + sil))));
  }
  return Float32Array.from(rows);
}

let caches = 0;
async function cache(options: Record<string, unknown>) {
  const out = at(`logits-${caches++}`);
  const report = await runStage(stage, { features: [features, theirFeatures], engine: 'cpu', out, ...options });
  const table = await openUtterances(out, { format: 'logits' });
  const rows = new Map<string, Float32Array[]>();
  for await (const row of table.rows())
    rows.set(
      row.utterance,
      (report.teachers as unknown[]).map((_, i) => row[`logPosteriors_${i}`] as Float32Array),
    );
  await table.close();
  // biome-ignore lint/suspicious/noExplicitAny: figures of a report
  return { out, report: report as any, rows, metadata: table.metadata };
}
/** Half floats keep eleven bits. */
function assertAlike(found: Float32Array, expected: Float32Array, tolerance = 6e-3): void {
  assert.equal(found.length, expected.length);
  for (const [i, value] of found.entries())
    assert.ok(value === expected[i] || Math.abs(value - expected[i]!) < tolerance, `${i}: ${value}, ${expected[i]}`);
}

const alone = await cache({ teacher: [own] });

for (const [name, changes] of [
  ['an ONNX model', {}],
  ['a TF.js model', withModel({ format: 'tfjs', path: join(made, 'tfjs_graph', 'model.json') })],
] as const) {
  test(`cache_logits takes ${name} beside ours, on our tokens and frames`, async () => {
    const { report, rows, metadata } = await cache({ teacher: [describe(changes), own] });
    assert.deepEqual([...rows.keys()], Object.keys(spoken));
    for (const [utterance, [theirs, ours]] of rows) {
      assertAlike(theirs!, onOurTokens(await theirLogits(values(utterance))));
      assert.deepEqual(ours, alone.rows.get(utterance)![0]);
    }
    assert.equal(metadata['kd.tokens'], tokensDigest(tokensText));
    assert.deepEqual([report.outputFrameShiftMs, report.firstFrameCentreMs, report.reference], [30, 15, own]);
    const [theirs, ours] = report.teachers;
    assert.deepEqual(
      [theirs.name, theirs.origin, theirs.licence, theirs.features],
      ['theirs', 'a test', 'any', theirFeatures],
    );
    assert.deepEqual(theirs.tokens, { same: 1, split: 2, splitBy: 'prior', merged: 0, zero: [], dropped: ['UH'] });
    assert.deepEqual(theirs.frames, { shiftMs: 30, firstCentreMs: 5, rule: 'nearest' });
    assert.deepEqual([theirs.prior, theirs.selfLoop], [ours.prior, ours.selfLoop]);
    assert.ok(!('tokens' in ours) && !('frames' in ours));
  });
}

test('cache_logits takes a SavedModel with the native engine', async (t) => {
  if (!existsSync('.engine/node_modules')) return t.skip('the native engine is not installed');
  const teacher = describe(withModel({ format: 'saved-model', path: join(made, 'saved_model') }));
  const { rows } = await cache({ teacher: [own, teacher], engine: 'native' });
  for (const [utterance, [, theirs]] of rows) assertAlike(theirs!, onOurTokens(await theirLogits(values(utterance))));
});

/** Posteriors of others, written by hand in each format. */
const theirPosteriors = new Map<string, Float32Array>();
for (const utterance of Object.keys(spoken))
  theirPosteriors.set(utterance, logSoftmax(await theirLogits(values(utterance)), 4));

function writeArchive(
  name: string,
  only = Object.keys(spoken),
  transform: (value: number) => number = (value) => value,
): string {
  const matrices = only.map((utterance) => {
    const rows = Array.from(theirPosteriors.get(utterance)!, (value, i) => `${i % 4 ? '' : '\n '} ${transform(value)}`);
    return `${utterance}  [${rows.join('')} ]\n`;
  });
  writeFileSync(at(name), matrices.join(''));
  return at(name);
}
function writeArrays(name: string): string {
  mkdirSync(at(name));
  for (const [utterance, logs] of theirPosteriors) {
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${logs.length / 4}, 4), }`;
    const start = Buffer.from(`\x93NUMPY\x01\0\0\0${header}\n`, 'latin1');
    start.writeUInt16LE(header.length + 1, 8);
    writeFileSync(join(at(name), `${utterance}.npy`), Buffer.concat([start, Buffer.from(logs.map(Math.exp).buffer)]));
  }
  return at(name);
}

test('cache_logits takes archives of log-posteriors and arrays of posteriors side by side with what made them', async () => {
  const kaldi = describe({
    posteriors: { format: 'kaldi', path: writeArchive('theirs.ark') },
    ...withOutput({ values: 'log-posteriors' }),
  });
  const numpy = describe({
    posteriors: { format: 'numpy', path: writeArrays('arrays') },
    ...withOutput({ values: 'posteriors' }),
  });
  const { rows, report } = await cache({ teacher: [kaldi, own, describe(), numpy] });
  for (const [archived, , asked, arrays] of rows.values()) {
    assertAlike(archived!, asked!, 1e-2); // neighbours among half floats
    assertAlike(arrays!, asked!, 1e-2);
  }
  assert.equal(new Set(report.teachers.map(({ id }: { id: string }) => id)).size, 4);
});

test('cache_logits takes the teachers of a cache of ours, to the same bits', async () => {
  const first = await cache({ teacher: [own, describe()] });
  const { rows, report } = await cache({ teacher: [first.out] });
  assert.deepEqual(rows, first.rows);
  const figures = ({ id, prior, selfLoop, origin }: Record<string, unknown>) => ({ id, prior, selfLoop, origin });
  assert.deepEqual(report.teachers.map(figures), first.report.teachers.map(figures));
});

test('cache_logits takes foreign teachers alone, where --like names a model of ours', async () => {
  const { report, rows } = await cache({ teacher: [describe()], like: own });
  assert.equal(report.teachers.length, 1);
  assertAlike(rows.get('s1-a')![0]!, onOurTokens(await theirLogits(values('s1-a'))));
});

test('what cache_logits makes of foreign teachers is filtered as any other', async () => {
  const { out } = await cache({ teacher: [describe(), own] });
  const report = await runStage(filterTargets, { logits: out, select: 'all', out: at('essence') });
  assert.equal(
    report.frames,
    Object.values(spoken).reduce((sum, { labels }) => sum + labels.length, 0),
  );
  assert.equal((report.prior as number[]).length, vocabularySize);
});

test('cache_logits interpolates posteriors between the frames around, or takes the nearest', async () => {
  // frames of theirs at 35, 65, … would be ours at 15, 45, … two thirds of the way from the one before
  const teacher = describe(withOutput({ firstFrameCentreMs: 25 }));
  const [nearest, linear] = [
    await cache({ teacher: [own, teacher] }),
    await cache({ teacher: [own, teacher], frames: 'linear' }),
  ];
  for (const utterance of Object.keys(spoken)) {
    const theirs = onOurTokens(await theirLogits(values(utterance))).map(Math.exp);
    const frame = (j: number) => theirs.subarray(5 * j, 5 * j + 5);
    const frames = theirs.length / 5;
    assertAlike(nearest.rows.get(utterance)![1]!, theirs.map(Math.log));
    const between = Array.from({ length: frames }, (_, j) =>
      j === 0 ? [...frame(0)] : [...frame(j)].map((value, i) => (value * 2 + frame(j - 1)[i]!) / 3),
    );
    assertAlike(linear.rows.get(utterance)![1]!, Float32Array.from(between.flat(), Math.log));
  }
});

test('cache_logits gives a foreign model the normalisation and context it wants', async () => {
  const utt2spk = at('utt2spk');
  writeFileSync(
    utt2spk,
    Object.keys(spoken)
      .map((id) => `${id} ${id.slice(0, 2)}\n`)
      .join(''),
  );
  const normalisation = { over: 'speaker', deviation: true, deviationOffset: 0.5 };
  const { rows } = await cache({ teacher: [own, describe(withFeatures({ normalisation }))], utt2spk });
  const ofSpeaker = ['s1-a', 's1-b'].flatMap((id) => [...values(id)]);
  const column = (bin: number) => ofSpeaker.filter((_, i) => i % bins === bin);
  const meanOf = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
  const moments = Array.from({ length: bins }, (_, bin) => {
    const mean = meanOf(column(bin));
    return { mean, deviation: Math.sqrt(meanOf(column(bin).map((value) => (value - mean) ** 2))) };
  });
  const normalised = values('s1-b').map(
    (value, i) => (value - moments[i % bins]!.mean) / (moments[i % bins]!.deviation + 0.5),
  );
  assertAlike(rows.get('s1-b')![1]!, onOurTokens(await theirLogits(normalised)));

  const context = { left: 1, right: 0, as: 'padded' };
  const padded = await cache({
    teacher: [own, describe({ ...withFeatures({ context }), ...withOutput({ firstFrameCentreMs: -5 }) })],
  });
  const first = values('s1-a').subarray(0, bins);
  const longer = Float32Array.from([...first, ...values('s1-a')]);
  assertAlike(padded.rows.get('s1-a')![1]!, onOurTokens(await theirLogits(longer)).subarray(5));
});

test('the key of a described teacher is its use and its files, not its names and places', async () => {
  const folder = at('moved');
  mkdirSync(folder);
  cpSync(made, folder, { recursive: true });
  const moved = {
    ...described({ name: 'another', licence: 'none' }),
    ...withModel({ path: 'model.onnx' }),
    ...withOutput({ tokens: 'tokens.txt' }),
  };
  writeFileSync(join(folder, 'teacher.json'), JSON.stringify(moved));
  const idOf = async (teacher: string) => (await cache({ teacher: [own, teacher] })).report.teachers[1].id;
  const id = await idOf(describe());
  assert.equal(await idOf(folder), id);
  assert.notEqual(await idOf(describe(withOutput({ firstFrameCentreMs: 10 }))), id);
});

test('cache_logits combines foreign teachers with ours into a sparse cache', async () => {
  const given = { features: [features, theirFeatures], teacher: [describe(), own], engine: 'cpu' };
  const sparse = { format: 'sparse', combine: ['mean=linear'], k: vocabularySize, compress: 'zstd' };
  await runStage(stage, { ...given, ...sparse, out: at('sparse') });
  await runStage(stage, { ...given, out: at('dense') });
  const kept = { select: 'top-k', k: 3 };
  const fromSparse = await runStage(filterTargets, {
    ...kept,
    logits: at('sparse'),
    cache: 'mean',
    out: at('of-sparse'),
  });
  const fromDense = await runStage(filterTargets, { ...kept, logits: at('dense'), out: at('of-dense') });
  const mass = ({ keptMass }: Record<string, unknown>) => (keptMass as { mean: number }).mean;
  assert.ok(Math.abs(mass(fromSparse) - mass(fromDense)) < 1e-3, `${mass(fromSparse)}, ${mass(fromDense)}`);
});

/** A model of ours with a blank, and what theirs would be beside it. */
const ctc = writeTinyModel(at('ctc'), { text: '<blk> 0\none 1\ntwo 2\nuh 3\nsil 4\n', objective: 'ctc' });
const ofCtc = (changes: Record<string, unknown> = {}) => {
  const map = { ONE: ['one'], TWO: ['two'], SIL: ['sil'] };
  return describe({ objective: 'ctc', output: { ...output, blank: 'UH', map, missing: 'zero', ...changes } });
};

test('cache_logits puts the blank where ours is, and frames of one shift beside each other', async () => {
  const { rows, report } = await cache({ teacher: [ctc, ofCtc()] });
  assert.deepEqual(report.teachers[1].tokens, { same: 4, split: 0, merged: 0, zero: ['uh'], dropped: [] });
  for (const [utterance, [, theirs]] of rows) {
    const said = logSoftmax(await theirLogits(values(utterance)), 4);
    const expected = Float32Array.from({ length: (said.length / 4) * 5 }, (_, i) => {
      const source = [1, 2, 0, undefined, 3][i % 5]; // of theirs, two, uh, one, sil
      return source === undefined ? -Infinity : said[4 * Math.floor(i / 5) + source]!;
    });
    assertAlike(theirs!, expected);
  }
});

const refused: [name: string, options: () => Record<string, unknown>, code: number, message: RegExp][] = [
  [
    'a description that is none',
    () => ({ teacher: [own, describe({ licence: '', objective: 'words', extra: 1 })] }),
    3,
    /teacher-\d+\.json: licence is "", not a text; objective is "words", not one of frame, ctc; extra is not one of /,
  ],
  [
    'a folder that is no teacher',
    () => ({ teacher: [own, made] }),
    3,
    /Cannot use .* as a teacher: it has neither the report\.json of train_student or cache_logits nor a teacher\.json; .*shared\/training\/FORMATS\.md/,
  ],
  [
    'features in the place of a teacher',
    () => ({ teacher: [own, features] }),
    3,
    /features as a teacher: it has neither/,
  ],
  [
    'a teacher that is not there',
    () => ({ teacher: [own, at('nowhere')] }),
    3,
    /nowhere \(--teacher\): it is not there/,
  ],
  ['foreign teachers alone', () => ({ teacher: [describe()] }), 2, /No teacher is ours.*--like/],
  [
    'features of no folder',
    () => ({ teacher: [own, describe(withFeatures({ bins: 40 }))] }),
    3,
    /features: .*bins is 40 there and 5 here.*theirs: bins is 40 there and 5 here; add a folder of "extract_features --kind fbank --bins 40 --sample-rate 8000"/,
  ],
  [
    'speakers that nobody names',
    () => ({ teacher: [own, describe(withFeatures({ normalisation: { over: 'speaker', deviation: true } }))] }),
    2,
    /wants features normalised over speakers: say who speaks with --utt2spk/,
  ],
  [
    'tokens that we do not have',
    () => ({ teacher: [own, describe(withOutput({ extra: 'refuse' }))] }),
    3,
    /own and .*teacher-\d+\.json into one ensemble: .* has UH besides/,
  ],
  [
    'another objective',
    () => ({ teacher: [own, describe({ objective: 'ctc', ...withOutput({ blank: 'UH' }) })] }),
    3,
    /they differ in objective \(frame and ctc\)/,
  ],
  [
    'frames of CTC that would be interpolated',
    () => ({ teacher: [ctc, ofCtc()], frames: 'linear' }),
    3,
    /a frame each 30 ms from 15 ms .* from 5 ms .* neither left out, doubled nor interpolated/,
  ],
  [
    'frames of CTC of another shift',
    () => ({ teacher: [ctc, ofCtc({ frameShiftMs: 40 })] }),
    3,
    /ctc and .*: a frame each 30 ms from 15 ms on in the former and a frame each 40 ms/,
  ],
  [
    'a frame shift that is not so',
    () => ({ teacher: [own, describe(withOutput({ frameShiftMs: 10 }))] }),
    3,
    /own and .*: utterance "s1-a" has 13 frames from 15 to 375 ms in the former and 13 frames from 5 to 125 ms in the latter/,
  ],
  [
    'logits that are called log-posteriors',
    () => ({ teacher: [own, describe(withOutput({ values: 'log-posteriors' }))] }),
    3,
    /its log-posteriors sum to .* a frame, not to 1/,
  ],
  [
    'logits that are called posteriors',
    () => ({ teacher: [own, describe(withOutput({ values: 'posteriors' }))] }),
    3,
    /frame \d+ has a posterior of -/,
  ],
  [
    'an archive that lacks an utterance',
    () => ({ teacher: [own, describe({ posteriors: { format: 'kaldi', path: writeArchive('few.ark', ['s1-a']) } })] }),
    3,
    /2 of 3 utterances have no posteriors, first: s1-b/,
  ],
  [
    'NaN in an archive',
    () => ({
      teacher: [
        own,
        describe({ posteriors: { format: 'kaldi', path: writeArchive('inf.ark', undefined, () => -Infinity) } }),
      ],
    }),
    3,
    /"s1-a": teacher .* answers NaN in frame 0; check/,
  ],
  [
    'a model that is not there',
    () => ({ teacher: [own, describe(withModel({ path: 'absent.onnx' }))] }),
    3,
    /there is no .*absent\.onnx; check model\.path/,
  ],
  [
    'files of another size',
    () => ({ teacher: [own, describe({ files: { 'tokens.txt': { bytes: 1, sha256: '0'.repeat(64) } } })] }),
    3,
    /its files say nothing of .*tokens\.txt/,
  ],
  [
    'a SavedModel without TensorFlow',
    () => ({ teacher: [own, describe(withModel({ format: 'saved-model', path: join(made, 'saved_model') }))] }),
    3,
    /only TensorFlow's native library does/,
  ],
];
for (const [name, options, code, message] of refused) {
  test(`cache_logits refuses ${name} in one line`, async () => {
    const { teacher, ...others } = options() as { teacher: string[] };
    const flags = Object.entries(others).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
    const argv = [
      '--features',
      features,
      theirFeatures,
      '--teacher',
      ...teacher,
      ...flags,
      '--engine',
      'cpu',
      '--out',
      at('refused'),
    ];
    const { code: found, stderr } = await call(stage, argv);
    assert.equal(found, code, stderr);
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  });
}

test('ONNX Runtime is loaded where a teacher needs it, and not otherwise', () => {
  const loaded = (...others: string[]): boolean => {
    const program = `
      process.argv.splice(1, 1, ${JSON.stringify(resolve('dist/cache_logits.js'))});
      process.on('exit', () => console.error('loaded', Object.keys(require.cache).some((name) => name.includes('onnxruntime'))));
      import(process.argv[1]);`;
    const argv = [
      '--features',
      features,
      theirFeatures,
      '--teacher',
      own,
      ...others,
      '--engine',
      'cpu',
      '--out',
      at(`lazy-${count++}`),
    ];
    const { stderr, status } = spawnSync(process.execPath, ['-e', program, 'x', ...argv], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return /loaded true/.test(stderr);
  };
  assert.deepEqual([loaded(), loaded(describe())], [false, true]);
});
