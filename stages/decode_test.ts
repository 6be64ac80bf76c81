import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDataDirectory } from '../shared/io/data_directory.ts';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { bigramArpaOf } from '../shared/text/arpa.ts';
import { stage } from './decode.ts';
import {
  call,
  spoken,
  tokensText,
  writeTinyAlignment,
  writeTinyData,
  writeTinyFeatures,
  writeTinyModel,
  writeTinyPosteriors,
} from './testdata/tiny_corpus.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const data = writeTinyData(at('data'));
const features = writeTinyFeatures(at('features'));
const model = writeTinyModel(at('model'));
const posteriors = writeTinyPosteriors(at('posteriors'));
const truth = readFileSync(join(data, 'text'), 'utf8');
const grid = { acousticScales: [0.5, 1, 2], priorScales: [0, 0.5, 1], insertionPenalties: [-2, 0, 2] };

test('decode tunes on one set and takes the weights over on another', async () => {
  const tuned = await runStage(stage, { data, model, features, tune: true, ...grid, engine: 'cpu', out: at('tuned') });
  const { errors, words, wer } = tuned.tuning as Record<string, number>;
  assert.deepEqual({ errors, words, wer }, { errors: 0, words: 5, wer: 0 });
  assert.deepEqual(tuned.atEdge, []);
  const alignment = writeTinyAlignment(at('alignment'));
  const out = at('decoded');
  const report = await runStage(stage, { data, model, features, alignment, decoding: at('tuned'), engine: 'cpu', out });
  assert.equal(readFileSync(join(out, 'hypotheses.txt'), 'utf8'), truth);
  const times = readFileSync(join(out, 'hypotheses.ctm'), 'utf8');
  assert.equal(times.replace(/ 0\.\d{4}$/gm, ''), readFileSync(join(data, 'ctm'), 'utf8'));
  assert.ok(times.match(/ 0\.99\d\d$/gm)!.length === 5, 'the model is as good as sure of each word');
  assert.deepEqual(report.decoding, tuned.decoding);
  assert.equal(report.frameAccuracy, 1);
  assert.equal(report.utterances, 3);
  assert.equal(report.frames, 29);
  assert.ok(Math.abs((report.audioSeconds as number) - 29 * 0.03) < 1e-9);
  assert.ok((report.modelBytes as number) > 0 && report.modelBytes === 4 * (report.parameters as number));
  const { acousticScale, points } = JSON.parse(readFileSync(join(at('tuned'), 'decoding.json'), 'utf8'));
  assert.equal(acousticScale, (tuned.decoding as Record<string, number>).acousticScale);
  assert.equal(points.length, (tuned.tuning as Record<string, number>).pointsTried);
});

test('decode takes over how wide the search was when it was tuned', async () => {
  const beamOf = (name: string) => JSON.parse(readFileSync(join(at(name), 'decoding.json'), 'utf8')).beamNats;
  await runStage(stage, { data, posteriors, tune: true, ...grid, beamNats: 40, out: at('narrow') });
  await runStage(stage, { data, posteriors, decoding: at('narrow'), out: at('as-narrow') });
  await runStage(stage, { data, posteriors, decoding: at('narrow'), beamNats: 90, out: at('wider') });
  assert.deepEqual(['narrow', 'as-narrow', 'wider'].map(beamOf), [40, 40, 90]);
});

test('decode takes posteriors instead of a model, and counts frames right', async () => {
  const shifted = writeTinyAlignment(at('half-wrong'), (id) =>
    spoken[id]!.labels.map((label) => (label === 0 ? 1 : label)),
  );
  const out = at('by-posteriors');
  const report = await runStage(stage, { data, posteriors, alignment: shifted, tune: true, ...grid, out });
  assert.equal(readFileSync(join(out, 'hypotheses.txt'), 'utf8'), truth);
  assert.equal(report.frameAccuracy, 19 / 29);
  assert.equal(report.parameters, undefined);
});

test('decode widens a grid whose edge is best', async () => {
  const narrow = { acousticScales: [1], priorScales: [1], insertionPenalties: [12, 16, 20] };
  const report = await runStage(stage, { data, posteriors, tune: true, ...narrow, out: at('narrow') });
  const { extended, warning } = report.tuning as { extended: string[]; warning?: string };
  assert.deepEqual(extended, ['insertionPenalty']);
  const { insertionPenalty } = report.decoding as Record<string, number>;
  assert.ok(insertionPenalty! < 12);
  assert.equal(warning !== undefined, (report.atEdge as string[]).length > 0);
});

test('decode says the same in all its files, and names several word sequences of frames with their scores', async () => {
  const out = at('forms');
  await runStage(stage, { data, posteriors, tune: true, ...grid, nBest: 3, out });
  const linesOf = (name: string) => readFileSync(join(out, name), 'utf8').trimEnd().split('\n');
  const records = linesOf('hypotheses.jsonl').map((line) => JSON.parse(line));
  const texts = records.map(({ utterance, text }) => `${utterance} ${text}`);
  assert.deepEqual(texts, truth.trimEnd().split('\n'));
  assert.deepEqual(linesOf('hypotheses.txt'), texts);
  assert.deepEqual(
    linesOf('hypotheses.trn'),
    records.map(({ utterance, text }) => `${text} (${utterance})`),
  );
  interface Word {
    word: string;
    startSeconds: number;
    endSeconds: number;
    confidence: number;
  }
  const timed = records.flatMap(({ utterance, words }: { utterance: string; words: Word[] }) =>
    words.map(({ word, startSeconds, endSeconds, confidence }) => {
      const times = [startSeconds, endSeconds - startSeconds].map((seconds) => seconds.toFixed(3));
      return [utterance, 1, ...times, word, confidence.toFixed(4)].join(' ');
    }),
  );
  assert.deepEqual(linesOf('hypotheses.ctm'), timed);
  interface Entry {
    text: string;
    score: number;
    posterior: number;
  }
  const several = records.flatMap(({ utterance, nBest }: { utterance: string; nBest: Entry[] }) => {
    assert.equal(new Set(nBest.map(({ text }) => text)).size, 3);
    assert.ok(Math.abs(nBest.reduce((sum, { posterior }) => sum + posterior, 0) - 1) < 2e-4);
    assert.ok(nBest.every(({ score }, i) => i === 0 || score <= nBest[i - 1]!.score));
    return nBest.map(({ text, score }) => [utterance, score.toFixed(4), ...(text === '' ? [] : [text])].join(' '));
  });
  assert.deepEqual(linesOf('n_best.txt'), several);
});

test('decode with a beam finds the same words', async () => {
  const out = at('beam');
  await runStage(stage, { data, posteriors, tune: true, ...grid, beamNats: 30, out });
  assert.equal(readFileSync(join(out, 'hypotheses.txt'), 'utf8'), truth);
});

const faults: { name: string; code: number; argv: () => string[]; message: RegExp }[] = [
  { name: 'neither model nor posteriors', code: 2, argv: () => ['--tune'], message: /either --model or --posteriors/ },
  {
    name: 'a model without features',
    code: 2,
    argv: () => ['--model', model, '--tune', '--engine', 'cpu'],
    message: /--model and --features together/,
  },
  { name: 'no weights', code: 2, argv: () => ['--posteriors', posteriors], message: /either --tune or --decoding/ },
  {
    name: 'a grid out of order',
    code: 2,
    argv: () => ['--posteriors', posteriors, '--tune', '--prior-scales', '1,0'],
    message: /--prior-scales 1,0 is not ascending/,
  },
  {
    name: 'scales of a language model that is not there',
    code: 2,
    argv: () => ['--posteriors', posteriors, '--tune', '--language-model-scales', '1'],
    message: /--language-model-scales weigh a --language-model/,
  },
  {
    name: 'an open vocabulary of frames',
    code: 2,
    argv: () => ['--posteriors', posteriors, '--tune', '--vocabulary', 'open'],
    message: /An open vocabulary needs objective ctc, and .*posteriors is of frames/,
  },
  {
    name: 'an acoustic scale of 0',
    code: 2,
    argv: () => ['--posteriors', posteriors, '--tune', '--acoustic-scales', '0,1'],
    message: /--acoustic-scales 0 is out of range/,
  },
  {
    name: 'weights tuned for another model',
    code: 3,
    argv: () => ['--posteriors', posteriors, '--decoding', at('tuned')],
    message: /it was tuned for .*model; run decode --tune/,
  },
  {
    name: 'weights tuned for posteriors of other teachers',
    code: 3,
    argv: () => {
      const others = writeTinyPosteriors(at('of-other-teachers'), { metadata: { 'kd.teachers': '["other"]' } });
      return ['--posteriors', others, '--decoding', at('by-posteriors')];
    },
    message: /of-other-teachers: it was tuned for .*posteriors; run decode --tune with the same model or ensemble/,
  },
  {
    name: 'a grid where nothing is tuned',
    code: 2,
    argv: () => ['--posteriors', posteriors, '--decoding', at('by-posteriors'), '--prior-scales', '0'],
    message: /--prior-scales is tried by --tune, and --decoding says what was found: leave it out/,
  },
  {
    name: 'posteriors over other tokens',
    code: 3,
    argv: () => {
      const other = tokensText.replaceAll('one_', 'eins_');
      const lexicon = 'one eins_1 eins_2\ntwo two_1 two_2\n';
      const path = writeTinyData(at('other-tokens'), { 'tokens.txt': other, 'lexicon.txt': lexicon });
      return ['--data', path, '--posteriors', posteriors, '--tune'];
    },
    message: /Cannot use .*posteriors with .*other-tokens: their tokens\.txt differ/,
  },
  {
    name: 'an essence that does not say its prior',
    code: 3,
    argv: () => ['--posteriors', writeTinyPosteriors(at('bare'), { report: { prior: undefined } }), '--tune'],
    message: /its report\.json has no prior/,
  },
  {
    name: 'labels of another length',
    code: 3,
    argv: () => {
      const short = writeTinyAlignment(at('short'), (id) => spoken[id]!.labels.slice(1));
      return ['--posteriors', posteriors, '--alignment', short, '--tune'];
    },
    message: /Cannot compare s1-a: 12 frames in .*short, 13 in .*posteriors/,
  },
];
for (const [i, { name, code, argv, message }] of faults.entries()) {
  test(`decode exits ${code} for ${name}`, async () => {
    const given = argv();
    const result = await call(stage, [
      ...(given.includes('--data') ? [] : ['--data', data]),
      ...given,
      '--out',
      at(`fault-${i}`),
    ]);
    assert.match(result.stderr, message);
    assert.equal(result.code, code);
  });
}

test('decode exits 3 for an utterance that the posteriors lack', async () => {
  const ids = ['s1-a', 's1-b', 's2-a', 's2-b'];
  const lines = (value: (id: string) => string) => ids.map((id) => `${id} ${value(id)}\n`).join('');
  const more = writeTinyData(at('more'), {
    'wav.scp': lines((id) => (id === 's2-b' ? 's2-a.wav' : `${id}.wav`)),
    text: lines(() => 'one'),
    utt2spk: lines((id) => id.slice(0, 2)),
    ctm: undefined,
  });
  const { code, stderr } = await call(stage, [
    '--data',
    more,
    '--posteriors',
    posteriors,
    '--tune',
    '--out',
    at('lacking'),
  ]);
  assert.match(stderr, /1 of 4 utterances have no posteriors, first: s2-b/);
  assert.equal(code, 3);
});

const arpaOf = (sentences: readonly string[]): string => {
  const { lexicon } = readDataDirectory(data);
  return bigramArpaOf(
    sentences.map((line) => line.split(' ').slice(1)),
    lexicon.words,
  );
};

test('decode --language-model lets a bigram decide where the sound does not', async () => {
  const lines = truth.trimEnd().split('\n');
  writeFileSync(at('lm.arpa'), arpaOf(lines));
  const out = at('with-lm');
  const tuned = await runStage(stage, { data, posteriors, tune: true, ...grid, languageModel: at('lm.arpa'), out });
  assert.equal((tuned.tuning as { errors: number }).errors, 0);
  assert.match(readFileSync(join(out, 'decoding.json'), 'utf8'), /"languageModel": ?"[0-9a-f]{64}"/);
  writeFileSync(at('other.arpa'), arpaOf([...lines, lines[0]!]));
  for (const [flags, why] of [
    [[], /tuned with another language model/],
    [['--language-model', at('other.arpa')], /tuned with another language model/],
  ] as const) {
    const args = ['--data', data, '--posteriors', posteriors, '--decoding', out, ...flags, '--out', at('refused-lm')];
    const { code, stderr } = await call(stage, args);
    assert.equal(code, 3);
    assert.match(stderr, why);
  }
  const report = await runStage(stage, {
    data,
    posteriors,
    decoding: out,
    languageModel: at('lm.arpa'),
    out: at('lm-2'),
  });
  assert.equal(report.utterances, 3);
});

test('decode refuses a language model that is not whole, by its file', async () => {
  writeFileSync(at('short.arpa'), arpaOf(truth.trimEnd().split('\n')).replace(/^ngram 2=.*$/m, 'ngram 2=1'));
  const args = [
    '--data',
    data,
    '--posteriors',
    posteriors,
    '--tune',
    '--language-model',
    at('short.arpa'),
    '--out',
    at('o'),
  ];
  const { code, stderr } = await call(stage, args);
  assert.equal(code, 3);
  assert.match(stderr, /Cannot use a language model: .*short.arpa, line \d+: has \d+ of 1 2-grams that it announces/);
});
