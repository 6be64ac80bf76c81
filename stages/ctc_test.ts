/** Connectionist temporal classification through the whole chain, on the tiny corpus with a token a word. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngine } from '../shared/engine/open_engine.ts';
import { sparseTargetsOfRow } from '../shared/io/essence.ts';
import { runStage, type Skipped, type Stage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { openUtterances } from '../shared/io/utterance_table.ts';
import { ctcLoss } from '../shared/math/ctc_loss.ts';
import { bigramArpaOf } from '../shared/text/arpa.ts';
import { openAcousticModel } from '../shared/training/acoustic_model.ts';
import { readModel } from '../shared/training/model_folder.ts';
import { stage as align } from './align_labels.ts';
import { stage as cache } from './cache_logits.ts';
import { stage as decode } from './decode.ts';
import { stage as filter } from './filter_targets.ts';
import {
  call,
  writeTinyAlignment,
  writeTinyData,
  writeTinyFeatures,
  writeTinyModel,
  writeTinyPosteriors,
} from './testdata/tiny_corpus.ts';
import { stage as train } from './train_student.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const language = { 'tokens.txt': '<blk> 0\none 1\ntwo 2\n', 'lexicon.txt': 'one one\ntwo two\n' };
const writeWords = (name: string, changes: Record<string, string | undefined> = {}) =>
  writeTinyData(at(name), { ...language, ...changes });
const data = writeWords('data');
const features = writeTinyFeatures(at('features'));
const small = { width: 8, dilations: [1], updates: 120, learningRate: 0.02, batchFrames: 10, evaluations: 4 };
const settings = { ...small, objective: 'ctc', features, data, devFeatures: features, devData: data, engine: 'cpu' };
const frames = 29;

interface Curve {
  update: number;
  devCtcNatsPerFrame: number;
  devGreedyTokenErrorRate: number;
}

await Promise.all([0, 1].map((seed) => runStage(train, { ...settings, seed, out: at(`teacher-${seed}`) })));
const model = at('teacher-0');
const logits = at('logits');
const cached = await runStage(cache, {
  ...{ features, teacher: [model, at('teacher-1')], engine: 'cpu', out: logits },
});

test('train_student --objective ctc learns transcripts without an alignment, and says so', async () => {
  const report = JSON.parse(readFileSync(join(model, 'report.json'), 'utf8'));
  const curves = report.curves as Curve[];
  assert.deepEqual(
    curves.map(({ update }) => update),
    [30, 60, 90, 120],
  );
  const last = curves.at(-1)!;
  assert.ok(last.devCtcNatsPerFrame < 0.1, JSON.stringify(curves));
  assert.equal(last.devGreedyTokenErrorRate, 0, JSON.stringify(curves));
  assert.equal(report.finalDevCtcNatsPerFrame, last.devCtcNatsPerFrame);
  assert.equal(report.finalDevGreedyTokenErrorRate, 0);
  assert.deepEqual(
    Object.keys(report).filter((name) => /CrossEntropy|FrameAccuracy/.test(name)),
    [],
  );
  const { objective, selfLoop, architecture, tokensText, prior } = readModel(model);
  assert.deepEqual([objective, selfLoop, architecture.tokens], ['ctc', undefined, 3]);
  assert.equal(tokensText, language['tokens.txt']);
  assert.ok(prior[0]! > 0.2, `the blank is no rare token: ${prior}`);
});

test('the dev curve of CTC has what ctcLoss() and the errors of decode --beam 1 come to', async () => {
  const out = at('early-days');
  const report = await runStage(train, { ...settings, updates: 10, evaluations: 1, dropout: 0.3, out });
  const greedy = { beam: 1, tune: true, priorScales: [0], out: at('greedy') };
  const decoded = await runStage(decode, { data, model: out, features, engine: 'cpu', ...greedy });
  const { wer } = decoded.tuning as { wer: number };
  assert.ok(wer > 0, 'the case shows nothing');
  assert.equal(report.finalDevGreedyTokenErrorRate, wer);
  const engine = await openEngine({ engine: 'cpu', threads: 1 });
  const model = openAcousticModel(engine, readModel(out));
  const table = await openUtterances(features);
  let nats = 0;
  for (const [utterance, labels] of Object.entries({ 's1-a': [1, 2], 's1-b': [2], 's2-a': [1, 1] })) {
    const logits = model.logPosteriors((await table.read(utterance)).features as Float32Array);
    const { utteranceNats } = ctcLoss({
      ...{ logits, vocabularySize: 3, utteranceOffsets: Int32Array.of(0, logits.length / 3) },
      ...{ labels: Int32Array.from(labels), labelOffsets: Int32Array.of(0, labels.length) },
    });
    nats += utteranceNats[0]!;
  }
  const found = report.finalDevCtcNatsPerFrame as number;
  assert.ok(Math.abs(found - nats / frames) < 1e-5, `${found}, not ${nats / frames}`); // float32
});

test('train_student --objective ctc writes the best weights by the CTC loss with --early-stopping', async () => {
  const given = { ...settings, learningRate: 0.2, warmUp: 0, dropout: 0.5, updates: 60, evaluations: 12 };
  const report = await runStage(train, { ...given, earlyStopping: true, out: at('early') });
  const losses = (report.curves as Curve[]).map(({ devCtcNatsPerFrame }) => devCtcNatsPerFrame);
  const lowest = Math.min(...losses);
  assert.notEqual(losses.at(-1), lowest, 'the case shows nothing');
  assert.equal(report.finalDevCtcNatsPerFrame, lowest);
  assert.equal(report.modelUpdate, (report.curves as Curve[])[losses.indexOf(lowest)]!.update);
});

test('decode finds the words of a CTC model by prefix search and by its best path, its acoustic scale fixed', async () => {
  const truth = readFileSync(join(data, 'text'), 'utf8');
  const given = { data, model, features, engine: 'cpu' };
  for (const beam of [undefined, 1]) {
    const [tuned, out] = [at(`tuned-${beam}`), at(`decoded-${beam}`)];
    const { decoding, tuning } = await runStage(decode, { ...given, beam, tune: true, out: tuned });
    const { acousticScale, insertionPenalty } = decoding as Record<string, number>;
    assert.equal(acousticScale, 1);
    if (beam === 1) assert.equal(insertionPenalty, 0);
    assert.equal((tuning as { errors: number }).errors, 0);
    await runStage(decode, { ...given, beam, decoding: tuned, out });
    assert.equal(readFileSync(join(out, 'hypotheses.txt'), 'utf8'), truth);
    const times = readFileSync(join(out, 'hypotheses.ctm'), 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      times.map((line) => [line.split(' ')[0], line.split(' ')[4]]),
      truth
        .trimEnd()
        .split('\n')
        .flatMap((line) => {
          const [id, ...words] = line.split(' ');
          return words.map((word) => [id, word]);
        }),
    );
    // a word begins where a word of its utterance ends, or later
    times.forEach((line, i) => {
      const [id, , start, duration] = line.split(' ');
      const [idBefore, , startBefore, durationBefore] = times[i - 1]?.split(' ') ?? [];
      assert.ok(Number(duration) > 0, line);
      if (id === idBefore) assert.ok(Number(start) > Number(startBefore) + Number(durationBefore) - 0.0015, line);
    });
  }
});

test('decode --language-model has its say in a prefix search: a word it rules out is not found', async () => {
  const fair = bigramArpaOf([['one', 'two'], ['two'], ['one', 'one'], []], ['one', 'two']);
  writeFileSync(at('fair.arpa'), fair);
  // lines are: log10 p, tab, word or pair (, tab, back-off)
  const unfair = fair.replace(/^-[\d.]+(?=\t(\S+ )?one(\t|$))/gm, '-99');
  assert.equal(unfair.match(/^-99\t/gm)?.length, 4); // "one", "one one", "<s> one", and <s> anyway
  writeFileSync(at('unfair.arpa'), unfair);
  const said = async (name: string) => {
    const given = { data, model, features, engine: 'cpu', priorScales: [0], insertionPenalties: [0] };
    await runStage(decode, { ...given, languageModel: at(`${name}.arpa`), tune: true, out: at(name) });
    return readFileSync(join(at(name), 'hypotheses.txt'), 'utf8');
  };
  assert.equal(await said('fair'), readFileSync(join(data, 'text'), 'utf8'));
  assert.doesNotMatch(await said('unfair'), /one/);
});

test('decode makes words of characters, by a lexicon or by the marks between them', async () => {
  const changes = {
    'tokens.txt': '<blk> 0\no 1\n| 2\n',
    'lexicon.txt': 'o o |\noo o o |\n',
    text: 's1-a o oo\ns1-b oo\ns2-a o o\n',
  };
  const spelled = writeTinyData(at('spelled'), { ...changes, ctm: undefined });
  const spelling: Record<string, number[]> = {
    ...{ 's1-a': [1, 2, 1, 0, 1, 2, 0], 's1-b': [1, 0, 1, 1, 2, 2], 's2-a': [0, 1, 2, 0, 1, 2] },
  };
  const posteriors = writeTinyPosteriors(at('spelled-posteriors'), {
    ...{ tokens: changes['tokens.txt'], labelsOf: (id) => spelling[id]!, metadata: { 'kd.objective': 'ctc' } },
    report: { selfLoop: undefined, prior: [0.4, 0.3, 0.3] },
  });
  for (const given of [{ vocabulary: 'lexicon' }, { vocabulary: 'open' }, { vocabulary: 'open', beam: 1 }]) {
    const out = at(`spelled-${given.vocabulary}-${given.beam ?? 'several'}`);
    const common = { data: spelled, posteriors, priorScales: [0], ...(!given.beam && { insertionPenalties: [0] }) };
    await runStage(decode, { ...common, ...given, tune: true, out });
    assert.equal(readFileSync(join(out, 'hypotheses.txt'), 'utf8'), changes.text, JSON.stringify(given));
    assert.equal(existsSync(join(out, 'lexicon.txt')), given.vocabulary === 'lexicon');
  }
});

test('the posteriors of an ensemble of CTC models are decoded like a model', async () => {
  assert.equal(cached.objective, 'ctc');
  const posteriors = at('posteriors');
  const report = await runStage(filter, { logits, select: 'all', out: posteriors });
  assert.equal(report.selfLoop, undefined);
  const decoded = await runStage(decode, { data, posteriors, tune: true, out: at('by-posteriors') });
  assert.equal((decoded.tuning as { errors: number }).errors, 0);
});

/** Weights of the frames of all utterances, and the posterior of the blank in them. */
async function gateOf(name: string, options: Record<string, unknown>) {
  const report = await runStage(filter, { logits, gate: 'blank', ...options, out: at(name) });
  const [gated, all] = [await openUtterances(at(name)), await openUtterances(at('posteriors'))];
  assert.equal(gated.metadata['kd.objective'], 'ctc');
  const weights: number[] = [];
  const blanks: number[] = [];
  for await (const row of gated.rows()) {
    weights.push(...sparseTargetsOfRow(row, gated.metadata).weight);
    const { tokens, logPosteriors } = sparseTargetsOfRow(await all.read(row.utterance), all.metadata);
    tokens.forEach((token, i) => {
      if (token === 0) blanks.push(Math.exp(logPosteriors[i]!));
    });
  }
  assert.equal(weights.length, frames);
  return { report, weights, blanks };
}

test('filter_targets --gate blank weighs frames by 1 − p(blank), or leaves those of the blank out', async () => {
  const soft = await gateOf('gate-soft', {});
  soft.weights.forEach((weight, i) => {
    assert.ok(Math.abs(weight - (1 - soft.blanks[i]!)) < 2e-3, `${weight} and ${soft.blanks[i]}`); // eleven bits
  });
  const hard = await gateOf('gate-hard', { gateThreshold: 0.5 });
  assert.deepEqual(
    hard.weights,
    hard.blanks.map((blank) => (blank >= 0.5 ? 0 : 1)),
  );
  const shut = hard.weights.filter((weight) => weight === 0).length;
  assert.ok(shut > 0 && shut < frames);
  assert.equal(hard.report.gatedFrames, shut);
});

test('a CTC student learns from soft targets beside transcripts, from them alone, and of untranscribed audio', async () => {
  const targets = at('targets');
  await runStage(filter, { logits, select: 'top-k', k: 2, tail: 'ghost', gate: 'blank', out: targets });
  const untranscribed = { untranscribed: features, untranscribedTargets: targets };
  for (const [name, changes] of Object.entries({ half: { softWeight: 0.5 }, soft: { softWeight: 1 }, untranscribed })) {
    const report = await runStage(train, { ...settings, targets, ...changes, out: at(`student-${name}`) });
    assert.equal(report.tail, 'ghost');
    assert.ok((report.finalDevCtcNatsPerFrame as number) < 0.5, name);
    assert.equal(report.utterances, name === 'untranscribed' ? 6 : 3);
  }
  const weights = (name: string) => readFileSync(join(at(name), 'weights.bin'));
  assert.notDeepEqual(weights('student-half'), weights('student-soft'));
});

/** The best word sequences of three utterances. */
async function nBest(name: string, count = 2): Promise<string> {
  const given = { data, model, features, engine: 'cpu', priorScales: [0], insertionPenalties: [0] };
  await runStage(decode, { ...given, tune: true, nBest: count, out: at(name) });
  return at(name);
}

test('decode --n-best writes several word sequences of each utterance, the best one first', async () => {
  const heard = await nBest('heard');
  const lines = readFileSync(join(heard, 'n_best.txt'), 'utf8').trimEnd().split('\n');
  const parts = lines.map((line) => line.split(' '));
  assert.deepEqual(
    parts.map(([utterance]) => utterance),
    ['s1-a', 's1-a', 's1-b', 's1-b', 's2-a', 's2-a'],
  );
  const best = parts.filter((_, i) => i % 2 === 0).map(([utterance, , ...words]) => [utterance, ...words].join(' '));
  assert.equal(`${best.join('\n')}\n`, readFileSync(join(heard, 'hypotheses.txt'), 'utf8'));
  const table = await openUtterances(features);
  const engine = await openEngine({ engine: 'cpu', threads: 1 });
  const acoustic = openAcousticModel(engine, readModel(model));
  for (const [utterance, score, ...words] of parts) {
    const logits = acoustic.logPosteriors((await table.read(utterance!)).features as Float32Array);
    const { utteranceNats } = ctcLoss({
      ...{ logits, vocabularySize: 3, utteranceOffsets: Int32Array.of(0, logits.length / 3) },
      labels: Int32Array.from(words, (word) => ['', 'one', 'two'].indexOf(word)),
      labelOffsets: Int32Array.of(0, words.length),
    });
    const difference = Math.abs(utteranceNats[0]! + Number(score));
    assert.ok(
      difference < 0.02 * (1 + utteranceNats[0]!),
      `${utterance} ${words}: ${score}, not ${-utteranceNats[0]!}`,
    );
  }
});

test('a CTC student learns what teachers hear, without a true transcript, and of untranscribed audio', async () => {
  const heard = await nBest('teaching');
  const swapped = writeWords('all-wrong', { text: 's1-a two\ns1-b one\ns2-a two\n', ctm: undefined });
  const learning = { ...settings, hypotheses: heard };
  const untranscribed = { untranscribed: features, untranscribedHypotheses: heard };
  for (const [name, changes] of Object.entries({ alone: { data: swapped, softWeight: 1 }, more: untranscribed })) {
    const report = await runStage(train, { ...learning, ...changes, out: at(`taught-${name}`) });
    assert.ok((report.finalDevCtcNatsPerFrame as number) < 0.3, `${name}: ${report.finalDevCtcNatsPerFrame}`);
    assert.equal(report.finalDevGreedyTokenErrorRate, 0);
    assert.equal(report.utterances, name === 'more' ? 6 : 3);
  }
});

test('train_student --objective ctc goes to folds, and cache_logits --cross-fit answers by the one left out', async () => {
  const given = { ...settings, updates: 2, evaluations: 1, folds: 2 };
  for (const fold of [0, 1]) await runStage(train, { ...given, fold, out: at(`fold-${fold}`) });
  const teacher = [at('fold-0'), at('fold-1')];
  const report = await runStage(cache, { features, teacher, crossFit: true, engine: 'cpu', out: at('crossed') });
  const [one] = report.teachers as Record<string, unknown>[];
  assert.equal((one!.crossFit as { utterancesByOne: number }).utterancesByOne, 3);
  assert.equal(one!.selfLoop, undefined);
});

test('utterances too short for their transcripts are left out with --allow-missing, of training and dev', async () => {
  const crowded = writeWords('crowded', {
    text: 's1-a one two\ns1-b two two two two two\ns2-a one one\n',
    ctm: undefined,
  });
  const given = { ...settings, data: crowded, devData: crowded, updates: 2, evaluations: 1 };
  const why = /"s1-b": its 5 tokens need 9 output frames, it has 8; .*--allow-missing 1, and that makes 2/;
  await assert.rejects(runStage(train, { ...given, allowMissing: 1, out: at('refused') }), why);
  const report = await runStage(train, { ...given, allowMissing: 2, out: at('shorter') });
  assert.equal(report.utterances, 2);
  assert.deepEqual(
    (report.skipped as Skipped[]).map(({ utterance }) => utterance),
    ['s1-b', 's1-b'],
  );
});

/** Models and soft targets of frames, over as many tokens as the others. */
const frameModel = writeTinyModel(at('frame-model'));
const frameLogits = at('frame-logits');
await runStage(cache, { features, teacher: [frameModel], engine: 'cpu', out: frameLogits });
await runStage(filter, { logits: frameLogits, out: at('frame-targets') });
const frameData = writeTinyData(at('frame-data'));
const alignment = writeTinyAlignment(at('alignment'));

const flags = (given: Record<string, string | undefined>) =>
  Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`, value]));
const training = (changes: Record<string, string | undefined>) => () =>
  flags({
    ...{ objective: 'ctc', features, data, 'dev-features': features, 'dev-data': data, engine: 'cpu', updates: '2' },
    ...changes,
  });

const bad: [string, Stage, () => string[], number, RegExp][] = [
  ['no transcripts', train, training({ data: undefined }), 2, /--objective ctc needs --data/],
  ['no transcripts of dev', train, training({ 'dev-data': undefined }), 2, /--objective ctc needs --dev-data/],
  ['an alignment', train, training({ alignment }), 2, /--alignment belongs to --objective frame, not to ctc/],
  [
    'label smoothing',
    train,
    training({ 'label-smoothing': '0.1' }),
    2,
    /--label-smoothing belongs to --objective frame/,
  ],
  [
    'frames without labels',
    train,
    training({ objective: 'frame', 'dev-data': undefined }),
    2,
    /--objective frame needs --alignment/,
  ],
  [
    'frames with transcripts',
    train,
    training({ objective: 'frame', alignment, 'dev-alignment': alignment, data: undefined }),
    2,
    /--dev-data belongs to --objective ctc, not to frame/,
  ],
  [
    'frames with a data directory for nothing',
    train,
    training({ objective: 'frame', alignment, 'dev-alignment': alignment, 'dev-data': undefined }),
    2,
    /--fold-by speaker and --data go together/,
  ],
  [
    'states in place of words',
    train,
    training({ data: frameData, 'dev-data': frameData }),
    3,
    /token 0 of tokens\.txt is sil, not the blank <blk>; make it with prepare_corpus --units words, or --objective ctc/,
  ],
  [
    'a word said as a blank',
    train,
    training({ data: writeWords('blank', { 'lexicon.txt': 'one <blk>\ntwo two\n' }) }),
    3,
    /word "one" has the token of the blank/,
  ],
  [
    'data without text',
    train,
    training({ data: writeWords('mute', { text: undefined, ctm: undefined }) }),
    3,
    /3 of 3 utterances have no transcript, first: s1-a/,
  ],
  [
    'data without words',
    train,
    training({ data: writeWords('silent', { text: 's1-a\ns1-b\ns2-a\n', ctm: undefined }) }),
    3,
    /no words are said in it/,
  ],
  [
    'dev data of other tokens',
    train,
    training({
      'dev-data': writeWords('swapped', { 'tokens.txt': '<blk> 0\ntwo 1\none 2\n' }),
    }),
    3,
    /Cannot evaluate on .*swapped what learns from .*data: their tokens\.txt differ/,
  ],
  [
    'soft targets of frames',
    train,
    training({ targets: at('frame-targets') }),
    3,
    /frame-targets with --objective ctc: its teachers were trained with --objective frame/,
  ],
  [
    'what teachers hear beside their posteriors',
    train,
    training({ hypotheses: model, targets: at('targets') }),
    2,
    /--targets and --hypotheses are two ways to learn from teachers: give one of them/,
  ],
  [
    'frames with what teachers hear',
    train,
    training({ objective: 'frame', alignment, 'dev-alignment': alignment, 'dev-data': undefined, hypotheses: model }),
    2,
    /--hypotheses belongs to --objective ctc, not to frame/,
  ],
  [
    'a model for what it hears',
    train,
    training({ hypotheses: model }),
    3,
    /n_best\.txt: it is not there; run decode with/,
  ],
  [
    'words that are not in the lexicon',
    train,
    training({
      hypotheses: at('heard'),
      data: writeWords('three', {
        'lexicon.txt': 'three one\ntwo two\n',
        text: 's1-a two\ns1-b two\ns2-a two\n',
        ctm: undefined,
      }),
    }),
    3,
    /n_best\.txt:\d+: word "one" is not in the lexicon of .*three; decode with the same data/,
  ],
  [
    'untranscribed audio without teachers',
    train,
    training({ untranscribed: features }),
    2,
    /--untranscribed goes with --untranscribed-targets or --untranscribed-hypotheses/,
  ],
  [
    'untranscribed audio that other teachers hear',
    train,
    training({ untranscribed: features, 'untranscribed-hypotheses': at('heard') }),
    2,
    /--untranscribed-hypotheses needs --hypotheses/,
  ],
  [
    'teachers of both kinds',
    cache,
    () => flags({ features, teacher: model, engine: 'cpu' }).concat('--teacher', frameModel),
    3,
    /they differ in objective \(ctc and frame\)/,
  ],
  [
    'a gate of the blank for frames',
    filter,
    () => flags({ logits: frameLogits, gate: 'blank' }),
    2,
    /--gate blank belongs to teachers of --objective ctc/,
  ],
  [
    'labels of frames for CTC',
    filter,
    () => flags({ logits, alignment }),
    2,
    /--alignment gives the hard label of each/,
  ],
  [
    'an alignment by a CTC model',
    align,
    () => flags({ data, features, model, engine: 'cpu' }),
    3,
    /Cannot align with .*teacher-0: a model of --objective ctc says which words there are, not where/,
  ],
  [
    'a beam for frames',
    decode,
    () => [...flags({ data: frameData, model: frameModel, features, beam: '4', engine: 'cpu' }), '--tune'],
    2,
    /--beam belongs to objective ctc, and .*frame-model is of frames/,
  ],
  [
    'a language model for the best path',
    decode,
    () => [...flags({ data, model, features, beam: '1', 'language-model': at('fair.arpa'), engine: 'cpu' }), '--tune'],
    2,
    /--beam 1 takes the best token of each frame: leave out --language-model/,
  ],
  [
    'more than the beam holds',
    decode,
    () => [...flags({ data, model, features, 'n-best': '9', engine: 'cpu' }), '--tune'],
    2,
    /--n-best 9 is more than the 8 of the search: widen --beam/,
  ],
  [
    'a beam in nats',
    decode,
    () => [...flags({ data, model, features, 'beam-nats': '9', engine: 'cpu' }), '--tune'],
    2,
    /--beam-nats belongs to objective frame, and .*teacher-0 is of ctc/,
  ],
  [
    'an open vocabulary without marks',
    decode,
    () => [...flags({ data, model, features, vocabulary: 'open', engine: 'cpu' }), '--tune'],
    3,
    /no token of tokens.txt marks where words begin or end/,
  ],
  [
    'a scale of nothing but sound',
    decode,
    () => [...flags({ data, model, features, 'acoustic-scales': '0.5,1', engine: 'cpu' }), '--tune'],
    2,
    /--acoustic-scales has nothing to weigh against in a CTC search/,
  ],
  [
    'a penalty of the best path',
    decode,
    () => [...flags({ data, model, features, beam: '1', 'insertion-penalties': '0,1', engine: 'cpu' }), '--tune'],
    2,
    /--beam 1 takes the best token of each frame, at no price/,
  ],
  [
    'a beam of 0',
    decode,
    () => [...flags({ data, model, features, beam: '0', engine: 'cpu' }), '--tune'],
    2,
    /--beam 0 is out of range/,
  ],
];
for (const [i, [name, stage, argv, code, message]] of bad.entries()) {
  test(`${stage.name} exits ${code} for ${name}`, async () => {
    const result = await call(stage, [...argv(), '--out', at(`bad-${i}`)]);
    assert.match(result.stderr, message);
    assert.equal(result.code, code);
  });
}

test('train_student of frames refuses soft targets of CTC', async () => {
  const targets = at('ctc-targets');
  await runStage(filter, { logits, out: targets });
  const given = { ...settings, objective: 'frame', data: undefined, devData: undefined, targets, out: at('mixed') };
  await assert.rejects(
    runStage(train, { ...given, alignment, devAlignment: alignment }),
    /ctc-targets with --objective frame: its teachers were trained with --objective ctc/,
  );
});
