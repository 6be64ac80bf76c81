import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngine } from '../shared/engine/open_engine.ts';
import { type Progress, quiet } from '../shared/io/progress.ts';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { openUtterances } from '../shared/io/utterance_table.ts';
import { createRandom } from '../shared/math/random.ts';
import { openAcousticModel } from '../shared/training/acoustic_model.ts';
import type { Source } from '../shared/training/batches.ts';
import { evaluateFrames } from '../shared/training/evaluate.ts';
import { readModel } from '../shared/training/model_folder.ts';
import { stage as cacheLogits } from './cache_logits.ts';
import { stage as filterTargets } from './filter_targets.ts';
import {
  call,
  spoken,
  tokensText,
  vocabularySize,
  writeTinyAlignment,
  writeTinyData,
  writeTinyFeatures,
  writeTinyModel,
} from './testdata/tiny_corpus.ts';
import { stage } from './train_student.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const features = writeTinyFeatures(at('features'));
const alignment = writeTinyAlignment(at('alignment'));
const model = writeTinyModel(at('model'));
const small = {
  width: 8,
  dilations: [1],
  updates: 100,
  learningRate: 0.01,
  batchFrames: 10,
  evaluations: 4,
  engine: 'cpu',
};
const settings = { ...small, features, alignment, devFeatures: features, devAlignment: alignment };
/** The same for networks of other kinds, whose layers have no dilations. */
const { dilations: _, ...ofAnyKind } = settings;

/** Soft targets of the tiny model. */
const logits = at('logits');
await runStage(cacheLogits, { features, teacher: [model, writeTinyModel(at('model-2'))], engine: 'cpu', out: logits });
const targets = at('targets');
await runStage(filterTargets, { logits, alignment, select: 'top-k', k: 2, tail: 'ghost', out: targets });

interface Curve {
  update: number;
  trainLoss: number;
  devCrossEntropy: number;
}

test('train_student learns the tiny corpus from hard labels and writes a complete model', async () => {
  const report = await runStage(stage, { ...settings, out: at('hard') });
  const curves = report.curves as Curve[];
  assert.deepEqual(
    curves.map(({ update }) => update),
    [25, 50, 75, 100],
  );
  assert.ok(curves.at(-1)!.devCrossEntropy < 0.5 * Math.log(vocabularySize), JSON.stringify(curves));
  const { architecture, prior, weights, tokensText: tokens, selfLoop } = readModel(at('hard'));
  assert.equal(weights.length, report.parameters);
  assert.equal(report.modelBytes, 4 * weights.length);
  assert.equal(architecture.tokens, vocabularySize);
  assert.equal(tokens, tokensText);
  assert.equal(selfLoop?.length, vocabularySize);
  assert.ok(Math.abs(prior.reduce((a, b) => a + b) - 1) < 1e-5);
});

test('train_student gives the same bytes for the same seed, others for another', async () => {
  const weightsOf = async (name: string, seed: number) => {
    await runStage(stage, { ...settings, dropout: 0.2, timeMasks: 1, seed, out: at(name) });
    return readFileSync(join(at(name), 'weights.bin'));
  };
  const first = await weightsOf('a', 1);
  assert.deepEqual(await weightsOf('b', 1), first);
  assert.notDeepEqual(await weightsOf('c', 2), first);
});

const openSourceOf = async (features: string, alignment: string): Promise<Source> => {
  const table = await openUtterances(features);
  return { features: table, utterances: table.utterances, labels: await openUtterances(alignment) };
};

/** Stops the run after some updates, as a fault would. */
const stopAfter = (updates: number): Progress => {
  let done = 0;
  const advance = (): void => {
    if (++done > updates) throw new Error('stopped');
  };
  return { ...quiet, advance };
};

test('train_student begins anew where its checkpoint is damaged', async () => {
  const given = { ...settings, updates: 60, checkpointSeconds: 1e-9, seed: 5 };
  const whole = await runStage(stage, { ...given, out: at('undamaged') });
  for (const damage of ['cut', 'changed', 'no head']) {
    const out = at(`damaged-${damage}`);
    await assert.rejects(runStage(stage, { ...given, out }, stopAfter(20)), /stopped/);
    const path = join(out, 'checkpoint.bin');
    const bytes = readFileSync(path);
    if (damage === 'cut') truncateSync(path, bytes.length - 4);
    else
      writeFileSync(
        path,
        bytes.fill(0x7f, ...(damage === 'changed' ? [bytes.length - 400, bytes.length - 396] : [0, 40])),
      );
    const notes: string[] = [];
    const resumed = await runStage(stage, { ...given, out }, { ...quiet, note: (text) => void notes.push(text) });
    assert.doesNotMatch(notes.join(), /goes on/);
    assert.deepEqual({ ...resumed, timing: 0, files: 0 }, { ...whole, timing: 0, files: 0 });
    assert.deepEqual(
      readFileSync(join(out, 'weights.bin')),
      readFileSync(join(at('undamaged'), 'weights.bin')),
      damage,
    );
  }
});

test('train_student goes on where a run was stopped, to the same bytes; not where another one was', async () => {
  const given = { ...settings, dropout: 0.2, timeMasks: 1, updates: 60, checkpointSeconds: 1e-9, seed: 5 };
  const whole = await runStage(stage, { ...given, out: at('whole') });
  const notes: string[] = [];
  const out = at('stopped');
  await assert.rejects(runStage(stage, { ...given, seed: 6, out }, stopAfter(20)), /stopped/);
  await assert.rejects(runStage(stage, { ...given, out }, stopAfter(41)), /stopped/);
  assert.deepEqual(readdirSync(out), ['checkpoint.bin']);
  // as if the first run had taken an hour
  const [line, ...rest] = readFileSync(join(out, 'checkpoint.bin'), 'latin1').split('\n');
  const { spent, ...standing } = JSON.parse(line!).standing;
  assert.ok(spent.seconds > 0 && spent.cpuSeconds > 0);
  const arrays = rest.join('\n');
  const longer = { ...standing, spent: { ...spent, seconds: 3600 } };
  const digest = createHash('sha256').update(JSON.stringify(longer)).update(arrays, 'latin1').digest('hex');
  const head = JSON.stringify({ ...JSON.parse(line!), digest, standing: longer });
  writeFileSync(join(out, 'checkpoint.bin'), `${head}\n${arrays}`, 'latin1');
  const resumed = await runStage(stage, { ...given, out }, { ...quiet, note: (text) => void notes.push(text) });
  assert.match(notes.join(), /goes on after update (2[1-9]|3\d|40) /);
  for (const name of ['weights.bin', 'architecture.json']) {
    assert.deepEqual(readFileSync(join(out, name)), readFileSync(join(at('whole'), name)), name);
  }
  assert.deepEqual({ ...resumed, timing: 0, files: 0 }, { ...whole, timing: 0, files: 0 });
  assert.ok(resumed.timing.seconds > 3600 && resumed.timing.seconds < 3660 && whole.timing.seconds < 60);
  assert.ok(!readdirSync(out).includes('checkpoint.bin'));
});

test('--average-last writes the mean of the weights after each of the last updates, stopped or not', async () => {
  const given = { ...settings, dropout: 0.2, updates: 8, evaluations: 1 };
  // an eighth of eight updates is the last one: its mean is itself
  const after: Float32Array[] = [];
  for (const averageLast of [0, 0.125]) {
    await runStage(stage, { ...given, averageLast, out: at(`last-${averageLast}`) });
    after.push(readModel(at(`last-${averageLast}`)).weights);
  }
  assert.deepEqual(after[1], after[0]);
  const half = await runStage(stage, { ...given, averageLast: 0.5, out: at('half') });
  assert.equal(half.averagedUpdates, 4);
  const { weights } = readModel(at('half'));
  assert.notDeepEqual(weights, after[0]);
  const longer = { ...given, updates: 60, averageLast: 0.5, checkpointSeconds: 1e-9 };
  await runStage(stage, { ...longer, out: at('averaged') });
  await assert.rejects(runStage(stage, { ...longer, out: at('averaged-stopped') }, stopAfter(47)), /stopped/);
  await runStage(stage, { ...longer, out: at('averaged-stopped') });
  assert.deepEqual(readFileSync(at('averaged-stopped/weights.bin')), readFileSync(at('averaged/weights.bin')));
});

test('--early-stopping writes the best weights evaluated, and --patience ends the training, stopped or not', async () => {
  // a constant high rate: the curve goes up again
  const given = { ...settings, learningRate: 0.3, warmUp: 0, dropout: 0.5, updates: 120, evaluations: 24, seed: 3 };
  const plain = await runStage(stage, { ...given, out: at('to-the-end') });
  const curves = plain.curves as (Curve & { devFrameAccuracy: number })[];
  const lowest = Math.min(...curves.map(({ devCrossEntropy }) => devCrossEntropy));
  const best = curves.findIndex(({ devCrossEntropy }) => devCrossEntropy === lowest);
  const patience =
    1 +
    curves.slice(1, best + 1).reduce(
      // the longest stretch without a better one before the best: patience must survive it
      ({ low, stretch, longest }, { devCrossEntropy }) =>
        devCrossEntropy < low
          ? { low: devCrossEntropy, stretch: 0, longest }
          : { low, stretch: stretch + 1, longest: Math.max(longest, stretch + 1) },
      { low: curves[0]!.devCrossEntropy, stretch: 0, longest: 0 },
    ).longest;
  assert.ok(best + patience < curves.length - 1, `the case shows nothing: ${curves.map((c) => c.devCrossEntropy)}`);

  const early = { ...given, earlyStopping: true, patience, checkpointSeconds: 1e-9 };
  const report = await runStage(stage, { ...early, out: at('early') });
  assert.equal(report.modelUpdate, curves[best]!.update);
  assert.equal(report.updates, curves[best + patience]!.update);
  assert.deepEqual(report.curves, curves.slice(0, best + patience + 1));
  assert.equal(report.finalDevCrossEntropy, lowest);
  // the weights written are those that were evaluated
  const engine = await openEngine({ engine: 'cpu', threads: 1 });
  const model = readModel(at('early'));
  const source = await openSourceOf(features, alignment);
  const network = engine.createNetwork(model.architecture, model.weights);
  assert.equal((await evaluateFrames(network, source, model)).crossEntropyNats, lowest);
  network.dispose();

  const out = at('early-stopped');
  await assert.rejects(runStage(stage, { ...early, out }, stopAfter(curves[best]!.update + 2)), /stopped/);
  const resumed = await runStage(stage, { ...early, out });
  for (const name of ['weights.bin', 'architecture.json']) {
    assert.deepEqual(readFileSync(join(out, name)), readFileSync(join(at('early'), name)), name);
  }
  assert.deepEqual({ ...resumed, timing: 0, files: 0 }, { ...report, timing: 0, files: 0 });
});

/** One row of a cache, by column. */
const rowOf = async (path: string, utterance: string) => {
  const table = await openUtterances(path, { format: 'logits' });
  const row = await table.read(utterance);
  await table.close();
  return row as unknown as Record<string, Float32Array>;
};

test('each utterance of a cross-fit is answered by the model that left it out, any other by the mean of all', async () => {
  // s1-b is not transcribed: no model sees it, and no fold holds it
  const some = writeTinyAlignment(at('some'), undefined, ['s1-a', 's2-a']);
  const given = { ...settings, alignment: some, devAlignment: alignment, allowMissing: 1, folds: 2, updates: 20 };
  const paths = [0, 1].map((fold) => at(`fold-${fold}`));
  const leftOut: string[][] = [];
  for (const [fold, out] of paths.entries()) {
    const report = await runStage(stage, { ...given, fold, out });
    leftOut.push(readModel(out).crossFit!.leftOut);
    assert.equal(readFileSync(join(out, 'left_out.txt'), 'utf8'), `${leftOut[fold]}\n`);
    assert.equal(report.utterances, 1);
    assert.equal((report.crossFit as { leftOut: number }).leftOut, 1);
  }
  assert.deepEqual(leftOut.flat().sort(), ['s1-a', 's2-a']);
  // statistics are those of what it was trained on
  assert.notDeepEqual(readModel(paths[0]!).normalisation, readModel(paths[1]!).normalisation);

  const cache = async (name: string, teacher: string[], crossFit: boolean) => {
    const report = await runStage(cacheLogits, { features, teacher, crossFit, engine: 'cpu', out: at(name) });
    return report.teachers as Record<string, unknown>[];
  };
  const [group, ...rest] = await cache('crossed', [...paths].reverse(), true);
  assert.deepEqual(rest, []);
  const { members, utterancesByOne, utterancesByMean } = group!.crossFit as Record<string, unknown>;
  assert.deepEqual(
    (members as { path: string }[]).map(({ path }) => path),
    paths,
  );
  assert.deepEqual([utterancesByOne, utterancesByMean], [2, 1]);
  await cache('apart', paths, false);
  for (const [fold, [utterance]] of leftOut.entries()) {
    const [crossed, apart] = [await rowOf(at('crossed'), utterance!), await rowOf(at('apart'), utterance!)];
    assert.deepEqual(crossed.logPosteriors_0, apart[`logPosteriors_${fold}`]);
    assert.notDeepEqual(crossed.logPosteriors_0, apart[`logPosteriors_${1 - fold}`]);
  }
  const [crossed, apart] = [await rowOf(at('crossed'), 's1-b'), await rowOf(at('apart'), 's1-b')];
  const [a, b] = [apart.logPosteriors_0!, apart.logPosteriors_1!] as const;
  assert.ok(
    a.some((value, i) => Math.abs(Math.exp(value) - Math.exp(b[i]!)) > 0.02),
    'the two models differ',
  );
  crossed.logPosteriors_0!.forEach((value, i) => {
    const mean = (Math.exp(a[i]!) + Math.exp(b[i]!)) / 2;
    // all three are rounded to eleven bits
    assert.ok(Math.abs(Math.exp(value) - mean) < 2e-3, `${i}: ${Math.exp(value)}, not ${mean}`);
  });
});

test('train_student --fold-by speaker leaves out all utterances of a speaker', async () => {
  const data = writeTinyData(at('data'));
  const given = { ...settings, updates: 1, evaluations: 1, folds: 2, foldBy: 'speaker', data };
  const leftOut: string[][] = [];
  for (const fold of [0, 1]) {
    await runStage(stage, { ...given, fold, out: at(`speaker-${fold}`) });
    leftOut.push(readModel(at(`speaker-${fold}`)).crossFit!.leftOut);
  }
  assert.deepEqual(leftOut.sort(), [['s1-a', 's1-b'], ['s2-a']]);
});

for (const [name, teacher, message] of [
  ['an incomplete cross-fit', ['fold-1'], /fold-1: of the 2 folds .* no model of fold 0; train with --folds 2/],
  ['a cross-fit of a model that saw all', ['fold-1', 'hard'], /hard: it was trained on all utterances/],
] as const) {
  test(`cache_logits refuses ${name}`, async () => {
    const paths = teacher.map(at);
    const argv = ['--features', features, '--teacher', ...paths, '--cross-fit', '--engine', 'cpu', '--out', at('bad')];
    const { code, stderr } = await call(cacheLogits, argv);
    assert.equal(code, 3, stderr);
    assert.match(stderr, message);
  });
}

test('train_student learns from soft targets, and from audio without transcripts', async () => {
  const soft = await runStage(stage, { ...settings, targets, softWeight: 1, out: at('soft') });
  assert.equal(soft.tail, 'ghost');
  assert.ok((soft.curves as Curve[]).at(-1)!.devCrossEntropy < Math.log(vocabularySize));
  const both = await runStage(stage, {
    ...settings,
    targets,
    untranscribed: features,
    untranscribedTargets: targets,
    out: at('both'),
  });
  assert.equal(both.utterances, 6);
});

for (const kind of [
  { dilations: [1, 2] },
  { kind: 'lstm', layers: 1, bidirectional: false },
  { kind: 'gru', layers: 1, bidirectional: false },
]) {
  for (const targetDelayFrames of [0, 7]) {
    const name = `${kind.kind ?? 'tdnn'}, delay ${targetDelayFrames}`;
    test(`train_student --streaming hears no frame beyond its delay (${name})`, async () => {
      const out = at(`streaming-${name}`);
      const report = await runStage(stage, {
        ...ofAnyKind,
        ...kind,
        streaming: true,
        splice: 2,
        targetDelayFrames,
        out,
      });
      assert.equal(report.lookAheadMs, 10 * targetDelayFrames);
      const engine = await openEngine({ engine: 'cpu', threads: 1 });
      const model = openAcousticModel(engine, readModel(out));
      const random = createRandom('streamed');
      const heard = Float32Array.from({ length: 60 * vocabularySize }, random.normal);
      const before = model.logPosteriors(heard);
      const changed = 40;
      const after = model.logPosteriors(heard.fill(3, changed * vocabularySize));
      const same = before.findIndex((value, i) => value !== after[i]);
      // output frame j speaks of input frame 3j + 1, and hears so many beyond it
      assert.equal(Math.floor(same / vocabularySize), Math.ceil((changed - targetDelayFrames - 1) / 3));
    });
  }
}

for (const kind of ['lstm', 'gru', 'attention'] as const) {
  test(`train_student learns with --kind ${kind} as well, which then teaches beside another kind`, async () => {
    const out = at(kind);
    const report = await runStage(stage, {
      ...ofAnyKind,
      kind,
      layers: 1,
      ...(kind === 'attention' && { heads: 2 }),
      out,
    });
    const curves = report.curves as Curve[];
    assert.ok(curves.at(-1)!.devCrossEntropy < 0.5 * Math.log(vocabularySize), JSON.stringify(curves));
    assert.equal(readModel(out).architecture.kind, kind);
    const both = await runStage(cacheLogits, {
      features,
      teacher: [out, model],
      engine: 'cpu',
      out: at(`${kind}-both`),
    });
    assert.equal((both.teachers as unknown[]).length, 2);
    await assert.rejects(
      runStage(stage, { ...ofAnyKind, kind, width: 6, out: at(`${kind}-odd`) }),
      new RegExp(`--width 6 of --kind ${kind} is no multiple of 4`),
    );
  });
}

test('train_student learns from several folders, each with labels and targets of its own', async () => {
  const more = writeTinyFeatures(at('features-more'));
  const [one, two] = [
    await runStage(stage, { ...settings, targets, out: at('one-folder') }),
    await runStage(stage, {
      ...settings,
      features: [features, more],
      alignment: [alignment, writeTinyAlignment(at('alignment-more'))],
      targets: [targets, targets],
      out: at('two-folders'),
    }),
  ];
  assert.equal(two.utterances, 2 * (one.utterances as number));
  assert.notDeepEqual(readModel(at('two-folders')).weights, readModel(at('one-folder')).weights);
  const dev = ['--dev-features', features, '--dev-alignment', alignment, '--engine', 'cpu', '--out', at('unequal')];
  const argv = (flags: string[]) => ['--features', features, more, '--alignment', alignment, ...flags, ...dev];
  for (const [flags, why] of [
    [[], /--alignment names 1 folders, --features 2: give one for each/],
    [[alignment, '--targets', targets], /--targets names 1 folders, --features 2/],
    [[alignment, '--folds', '2', '--fold', '0'], /--folds goes with one folder of --features/],
  ] as const) {
    const { code, stderr } = await call(stage, argv([...flags]));
    assert.equal(code, 2, stderr);
    assert.match(stderr, why);
  }
});

test('train_student refuses dev data that do not fit what it learns from, and data of which nothing is left', async () => {
  const others = ['zzz'];
  const nothing = writeTinyAlignment(at('alignment-of-others'), () => [0], others);
  for (const [given, why] of [
    [
      { 'dev-features': writeTinyFeatures(at('mfcc'), { metadata: { 'kd.features': 'mfcc' } }) },
      /kd.features is mfcc there/,
    ],
    [
      { 'dev-alignment': writeTinyAlignment(at('twice'), (id) => [...spoken[id]!.labels, 0]) },
      /labels for \d+ frames.*; make both from the same features/,
    ],
    [{ alignment: nothing, 'allow-missing': '9' }, /features: no utterance of it is left/],
    [{ 'dev-alignment': nothing, 'allow-missing': '9' }, /features: no utterance of it is left/],
  ] as const) {
    const fitting = {
      features,
      alignment,
      'dev-features': features,
      'dev-alignment': alignment,
      engine: 'cpu',
      updates: '2',
    };
    const argv = Object.entries({ ...fitting, ...given, out: at('misfit') }).flatMap(([flag, value]) => [
      `--${flag}`,
      value,
    ]);
    const { code, stderr } = await call(stage, argv);
    assert.equal(code, 3, stderr);
    assert.match(stderr, why);
  }
});

test('train_student evaluates after every update where more evaluations are asked for', async () => {
  const report = await runStage(stage, { ...settings, updates: 10, evaluations: 15, out: at('often') });
  assert.deepEqual(
    (report.curves as Curve[]).map(({ update }) => update),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
});

test('cache_logits keeps a column a teacher, and what decoding needs of each', async () => {
  const report = await runStage(cacheLogits, { features, teacher: [model, at('hard')], engine: 'cpu', out: at('two') });
  const teachers = report.teachers as { prior: number[]; selfLoop: number[] }[];
  assert.equal(teachers.length, 2);
  assert.ok(
    teachers.every(({ prior, selfLoop }) => prior.length === vocabularySize && selfLoop.length === vocabularySize),
  );
  assert.equal(report.frames, 29);
});

const flags = (changes: Record<string, string> = {}) => {
  const all: Record<string, string> = {
    features,
    alignment,
    'dev-features': features,
    'dev-alignment': alignment,
    engine: 'cpu',
    updates: '5',
    out: at('bad'),
    ...changes,
  };
  return Object.entries(all).flatMap(([flag, value]) => [`--${flag}`, value]);
};
const strangers = writeTinyModel(at('strangers'), { text: tokensText.replaceAll('one', 'uno') });

const nan = writeTinyFeatures(at('nan'), { replaced: (id, i) => (id === 's1-b' && i === 7 ? Number.NaN : undefined) });
const fewer = writeTinyAlignment(at('fewer'), undefined, ['s1-a', 's2-a']);
const cut = writeTinyAlignment(at('cut'));
truncateSync(join(cut, 'alignment.arrow'), 300);

const bad: [string, Record<string, string>, number, RegExp][] = [
  ['soft targets for untranscribed audio alone', { 'untranscribed-targets': targets }, 2, /needs --targets/],
  [
    'untranscribed audio without soft targets',
    { untranscribed: features },
    2,
    /--untranscribed goes with --untranscribed-targets or/,
  ],
  ['a delay of what hears all', { 'target-delay-frames': '3' }, 2, /belongs to --streaming/],
  ['attention to a stream', { kind: 'attention', streaming: 'true' }, 2, /does not go with --kind attention/],
  ['heads that do not fit', { kind: 'attention', width: '20' }, 2, /--width 20 .* no multiple of 4 · --heads 4/],
  ['a backward pass over a stream', { kind: 'lstm', streaming: 'true' }, 2, /needs --no-bidirectional/],
  ['patience without early stopping', { patience: '2' }, 2, /--patience belongs to --early-stopping: give both, or/],
  [
    'a soft weight of nothing',
    { 'soft-weight': '0.9' },
    2,
    /--soft-weight belongs to --targets or --hypotheses: give one/,
  ],
  ['gates of nothing', { gated: 'drop' }, 2, /--gated belongs to --targets: give both, or leave it out/],
  [
    'dilations of what has none',
    { kind: 'lstm', dilations: '1' },
    2,
    /--dilations belongs to --kind tdnn, not to lstm/,
  ],
  [
    'layers of a tdnn',
    { layers: '2' },
    2,
    /--layers belongs to --kind lstm, gru, attention, not to tdnn: leave it out/,
  ],
  ['directions of a tdnn', { bidirectional: 'false' }, 2, /--bidirectional belongs to --kind lstm, gru, not to tdnn/],
  ['heads of a gru', { kind: 'gru', heads: '4' }, 2, /--heads belongs to --kind attention, not to gru/],
  ['the reach of a tdnn', { reach: '4' }, 2, /--reach belongs to --kind attention, not to tdnn/],
  [
    'a width of no band',
    { 'frequency-mask-bins': '4' },
    2,
    /--frequency-mask-bins belongs to --frequency-masks above 0/,
  ],
  [
    'a length of no stretch',
    { 'time-masks': '0', 'time-mask-frames': '5' },
    2,
    /--time-mask-frames belongs to --time-masks above 0/,
  ],
  ['what is dealt into no folds', { 'fold-by': 'utterance' }, 2, /--fold-by belongs to --folds: give both/],
  ['a fold of none', { fold: '0' }, 2, /--folds and --fold go together/],
  ['a fold beyond the last', { folds: '2', fold: '2' }, 2, /--fold 2 is not one of --folds 2/],
  ['speakers from nowhere', { folds: '2', fold: '0', 'fold-by': 'speaker' }, 2, /--fold-by speaker and --data go/],
  ['more folds than utterances', { folds: '4', fold: '0' }, 3, /3 utterances do not fill 4 folds/],
  ['a share above one', { 'average-last': '1.5' }, 2, /--average-last 1.5 is out of range/],
  ['a width of zero', { width: '0' }, 2, /--width 0/],
  ['NaN in the features', { features: nan }, 3, /"s1-b".*NaN in frame 1, bin 2/],
  ['labels that lack utterances', { alignment: fewer }, 3, /1 of 3 utterances have no hard labels, first: s1-b/],
  ['a truncated alignment', { alignment: cut }, 3, /alignment.arrow has 300 bytes instead of/],
  ['features in the place of labels', { alignment: features }, 3, /it is features, not alignment/],
  [
    'a learning rate that makes the loss leave the numbers',
    { 'learning-rate': '1e30', updates: '50', 'warm-up': '0' },
    4,
    /the loss is .* lower --learning-rate \(1e\+30\)/,
  ],
  [
    'a learning rate that drives the weights apart, within the numbers',
    { 'learning-rate': '1000', updates: '30' },
    4,
    /the loss on dev data is \d+\.\d nats a frame at update 30, where knowing nothing makes 1\.6; lower --learning-rate/,
  ],
  [
    'an only update that makes the weights leave the numbers',
    { 'learning-rate': '1e30', updates: '1' },
    4,
    /the loss on dev data is \S+ nats a frame at update 1, .*lower --learning-rate/,
  ],
];
for (const [name, changes, code, message] of bad) {
  test(`train_student refuses ${name} in one line`, async () => {
    const { code: found, stderr } = await call(stage, flags(changes));
    assert.equal(found, code, stderr);
    assert.match(stderr, message);
    const lines = stderr
      .trim()
      .split('\n')
      .filter((line) => !line.includes(': training'));
    assert.equal(lines.length, 1, stderr);
  });
}

test('cache_logits refuses a teacher that is there twice, also where one is in a cache', async () => {
  for (const [teacher, why] of [
    [[model, model], /--teacher names one teacher twice, as .*model: name it once/],
    [[model, logits], /--teacher names one teacher twice, as .*model and .*logits: name it once/],
  ] as const) {
    const argv = ['--features', features, '--teacher', ...teacher, '--engine', 'cpu', '--out', at('bad')];
    const { code, stderr } = await call(cacheLogits, argv);
    assert.equal(code, 2, stderr);
    assert.match(stderr, why);
  }
});

test('train_student says in its report what was in force, given or not', async () => {
  const { options } = await runStage(stage, { ...settings, updates: 1, out: at('in-force') });
  const { softWeight, layers, frequencyMaskBins, dilations } = options;
  assert.deepEqual([softWeight, layers, frequencyMaskBins, dilations], [0.9, 2, 8, [1]]);
});

test('cache_logits refuses teachers of different tokens, naming both', async () => {
  const { code, stderr } = await call(cacheLogits, [
    '--features',
    features,
    '--teacher',
    model,
    strangers,
    '--engine',
    'cpu',
    '--out',
    at('bad'),
  ]);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /model and .*strangers into one ensemble: they differ in tokens.txt/);
});
