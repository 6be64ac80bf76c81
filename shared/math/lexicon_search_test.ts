import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLexiconSearch, type LexiconSearchOptions } from './lexicon_search.ts';
import { createNgramBuilder, logProbability, type NgramModel, stateAfter } from './ngram_model.ts';
import { createRandom, type Random } from './random.ts';
import { randomNgrams } from './testdata/random_ngrams.ts';
import { type Transitions, transitionsOf } from './viterbi.ts';
import { type SearchWeights, searchUtterance } from './word_search.ts';

const silence = 0;
const vocabularySize = 4;
const wordCount = 2;
const pronunciations = [
  { word: 0, tokens: Uint16Array.of(1, 2) },
  { word: 1, tokens: Uint16Array.of(3) },
  { word: 1, tokens: Uint16Array.of(2, 1) },
];
const plain: SearchWeights = { acousticScale: 1, priorScale: 0, languageModelScale: 1, insertionPenalty: 0 };
const noPrior = new Float64Array(vocabularySize);

interface Task {
  logPosteriors: Float32Array;
  logPrior: Float64Array;
  transitions: Transitions;
  languageModel?: NgramModel;
  weights: SearchWeights;
}

/**
 * The score of each word sequence: the best of all ways to cut the frames into words and silences, each word's states
 * into runs. Without a language model, the last state of all is not left.
 */
function enumerate({ logPosteriors, logPrior, transitions, languageModel, weights }: Task): Map<string, number> {
  const frames = logPosteriors.length / vocabularySize;
  const emission = (frame: number, token: number) =>
    weights.acousticScale *
    (logPosteriors[frame * vocabularySize + token]! - (weights.priorScale && weights.priorScale * logPrior[token]!));
  const inside = (tokens: readonly number[], from: number, to: number): number => {
    const [token, ...rest] = tokens;
    let best = -Infinity;
    let run = 0;
    for (let end = from + 1; end <= to; end++) {
      run += emission(end - 1, token!) + (end > from + 1 ? transitions.stay[token!]! : 0);
      const left = run + transitions.leave[token!]!;
      if (rest.length > 0) best = Math.max(best, left + inside(rest, end, to));
      else if (end === to) best = Math.max(best, end === frames && !languageModel ? run : left);
    }
    return best;
  };
  const price = (state: number, word: number) =>
    weights.languageModelScale *
    (languageModel ? logProbability(languageModel, state, word) : word === wordCount ? 0 : -Math.log(wordCount));
  const found = new Map<string, number>();
  const walk = (from: number, state: number, said: number[], score: number, afterSilence: boolean): void => {
    if (from === frames) {
      const total = score + price(state, wordCount);
      found.set(said.join(), Math.max(total, found.get(said.join()) ?? -Infinity));
      return;
    }
    for (let to = from + 1; to <= frames; to++) {
      if (!afterSilence) walk(to, state, said, score + inside([silence], from, to), true);
      for (const { word, tokens } of pronunciations) {
        const next = languageModel ? stateAfter(languageModel, state, word) : 0;
        const own = price(state, word) - weights.insertionPenalty + inside([...tokens], from, to);
        walk(to, next, [...said, word], score + own, false);
      }
    }
  };
  walk(0, languageModel?.start ?? 0, [], 0, false);
  return found;
}

function randomTask(random: Random, frames: number, isModelled: boolean): Task {
  return {
    logPosteriors: Float32Array.from({ length: frames * vocabularySize }, () => random.normal() * 2),
    logPrior: Float64Array.from({ length: vocabularySize }, () => Math.log(0.05 + random.uniform())),
    transitions: transitionsOf(Array.from({ length: vocabularySize }, () => 0.9 * random.uniform())),
    ...(isModelled && { languageModel: randomNgrams(random, wordCount, { ruledOut: 0.05 }) }),
    weights: {
      acousticScale: 0.2 + random.uniform(),
      priorScale: random.uniform(),
      languageModelScale: isModelled ? 0.5 + random.uniform() : 1,
      insertionPenalty: random.normal(),
    },
  };
}

const searchOf = (task: Pick<Task, 'transitions' | 'languageModel'>, more: Partial<LexiconSearchOptions> = {}) =>
  createLexiconSearch({
    ...{ pronunciations, wordCount, silence, vocabularySize, ...more },
    transitions: task.transitions,
    ...(task.languageModel && { languageModel: task.languageModel }),
  });

for (const isModelled of [false, true]) {
  const what = isModelled ? 'a trigram model' : 'no language model';
  test(`createLexiconSearch() with ${what} finds the best of all word sequences, and those after it`, () => {
    for (let seed = 0; seed < 25; seed++) {
      for (let frames = 1; frames <= 6; frames++) {
        const task = randomTask(createRandom(seed, frames, what), frames, isModelled);
        const expected = [...enumerate(task)].filter(([, score]) => score > -Infinity).sort(([, a], [, b]) => b - a);
        for (const nBest of [1, 4, 500]) {
          const found = searchUtterance(searchOf(task, { nBest }), task, task.weights, nBest);
          const where = `seed ${seed}, ${frames} frames, ${nBest}`;
          assert.deepEqual(
            found.map(({ words }) => words.join()),
            expected.slice(0, nBest).map(([words]) => words),
            where,
          );
          found.forEach(({ score }, i) => void assert.ok(Math.abs(score - expected[i]![1]) < 1e-9, where));
        }
      }
    }
  });

  test(`createLexiconSearch() with ${what} finds the same frame by frame, and what it calls stable stays`, () => {
    let early = 0;
    for (let seed = 0; seed < 30; seed++) {
      const frames = 40;
      const task = randomTask(createRandom(seed, 'pieces', what), frames, isModelled);
      // a model tells "nothing was said so far" from all else: without a beam that path stays
      const search = searchOf(task, isModelled ? { beamNats: 15 } : {});
      const [whole] = searchUtterance(search, task, task.weights);
      search.begin(task.weights, task.logPrior);
      for (let frame = 0; frame < frames; frame++) {
        search.push(task.logPosteriors.subarray(frame * vocabularySize, (frame + 1) * vocabularySize));
        const stable = search.stableWords();
        assert.deepEqual(stable, whole!.words.subarray(0, stable.length), `seed ${seed}, frame ${frame}`);
        if (stable.length > 0 && frame < frames / 2) early++;
      }
      assert.deepEqual(search.finish(1), [whole]);
    }
    assert.ok(early > 20, `${early} times words were stable in the first half`);
  });
}

test('createLexiconSearch() gives words in order, within the frames, with confidences, and the same when asked again', () => {
  const random = createRandom(7, 'order');
  const [long, short] = [randomTask(random, 60, true), randomTask(random, 9, true)];
  const search = searchOf(long);
  const [first] = searchUtterance(search, long, long.weights);
  searchUtterance(search, short, long.weights);
  assert.deepEqual(searchUtterance(search, long, long.weights), [first]);
  let end = 0;
  first!.words.forEach((_, i) => {
    assert.ok(first!.startFrames[i]! >= end && first!.endFrames[i]! > first!.startFrames[i]!);
    end = first!.endFrames[i]!;
  });
  assert.ok(first!.words.length > 3 && end <= 60);
});

const said = (...tokens: number[]) =>
  Float32Array.from(tokens.flatMap((spoken) => [0, 1, 2, 3].map((token) => Math.log(token === spoken ? 0.97 : 0.01))));
const even = { transitions: transitionsOf([0.5, 0.5, 0.5, 0.5]) };

test('createLexiconSearch() finds words, where they lie, how sure they are, and what of silence is none', () => {
  const logPosteriors = said(0, 0, 1, 2, 2, 3, 0, 3, 2, 1);
  logPosteriors.set(Float32Array.from([0.1, 0.1, 0.1, 0.7], Math.log), 4 * 5);
  const [found] = searchUtterance(searchOf(even), { logPosteriors, logPrior: noPrior }, plain);
  assert.deepEqual([...found!.words], [0, 1, 1, 1]);
  assert.deepEqual([...found!.startFrames], [2, 5, 7, 8]);
  assert.deepEqual([...found!.endFrames], [5, 6, 8, 10]);
  assert.deepEqual(
    Array.from(found!.confidences, (value) => value.toFixed(3)),
    ['0.970', '0.700', '0.970', '0.970'],
  );
  assert.deepEqual(
    searchUtterance(searchOf(even), { logPosteriors: said(0, 0), logPrior: noPrior }, plain).map(({ words }) => words),
    [new Int32Array(0)],
  );
});

test('quietFrames() of createLexiconSearch() are those since the last word', () => {
  const search = searchOf(even);
  search.begin(plain, noPrior);
  const quiet = [0, 0, 3, 3, 0, 0, 0, 1, 2].map((token) => {
    search.push(said(token));
    return search.quietFrames();
  });
  assert.deepEqual(quiet, [1, 2, 0, 0, 1, 2, 3, 0, 0]);
});

test('createLexiconSearch() enters fewer words the more a word costs', () => {
  const task = randomTask(createRandom('penalty'), 40, false);
  const counts = [-4, 0, 4, 30].map((insertionPenalty) => {
    const [found] = searchUtterance(searchOf(task), task, { ...plain, insertionPenalty });
    return found!.words.length;
  });
  assert.deepEqual(
    counts,
    [...counts].sort((a, b) => b - a),
  );
  assert.ok(counts[0]! > counts[3]!);
});

test('createLexiconSearch() with a beam finds what it finds without, where it is wide, and less where it is not', () => {
  const task = randomTask(createRandom('beam'), 60, true);
  const decode = (more: Partial<LexiconSearchOptions>) => searchUtterance(searchOf(task, more), task, task.weights)[0];
  const all = decode({});
  assert.deepEqual(decode({ beamNats: 40 }), all);
  assert.ok(!(decode({ beamNats: 0.5 })?.score === all!.score), 'the beam prunes nothing');
});

test('createLexiconSearch() follows a strong model, also through silence, where the sound says nothing', () => {
  const builder = createNgramBuilder(wordCount, [0, 1]);
  for (const word of [0, 1, 2]) builder.add([word], Math.log(1 / 3), Math.log(0.03));
  builder.add([0, 1], Math.log(0.98), 0);
  builder.add([1, 0], Math.log(0.98), 0);
  const languageModel = builder.model();
  const row = (token: number) => Array.from({ length: vocabularySize }, (_, v) => (v === token ? 0 : -20));
  // word 1 by token 3; silence; then "1 2" (word 0) or "2 1" (the other pronunciation of word 1) alike
  const unsure = [-20, -1, -1, -20];
  const logPosteriors = Float32Array.from([row(3), row(0), row(0), unsure, unsure].flat());
  const [found] = searchUtterance(searchOf({ ...even, languageModel }), { logPosteriors, logPrior: noPrior }, plain);
  assert.deepEqual([...found!.words], [1, 0]);
});

test('createLexiconSearch() takes the pronunciation listed first, and words before silence, at equal scores', () => {
  const search = createLexiconSearch({
    pronunciations: [
      { word: 0, tokens: Uint16Array.of(2) },
      { word: 1, tokens: Uint16Array.of(3) },
    ],
    ...{ wordCount: 1, silence, vocabularySize, ...even },
    languageModel: undefined,
  } as unknown as LexiconSearchOptions);
  const logPosteriors = new Float32Array(2 * vocabularySize);
  const [found] = searchUtterance(search, { logPosteriors, logPrior: noPrior }, plain);
  assert.deepEqual([...found!.words, ...found!.startFrames, ...found!.endFrames], [0, 0, 2]);
});

test('createLexiconSearch() rules out tokens of prior 0, and everything when nothing is left', () => {
  const logPosteriors = said(3, 3);
  const never = Float64Array.of(-1, -1, -1, -Infinity);
  const decode = (logPrior: Float64Array, priorScale: number) =>
    searchUtterance(searchOf(even), { logPosteriors, logPrior }, { ...plain, priorScale })[0];
  assert.deepEqual([...decode(never, 0)!.words], [1]);
  assert.ok(![...decode(never, 1)!.words].includes(1) || decode(never, 1)!.score < -9);
  assert.equal(decode(new Float64Array(4).fill(-Infinity), 1), undefined);
});

test('createLexiconSearch() decodes no frames as no words, refuses half frames and what does not fit', () => {
  const [nothing] = searchUtterance(searchOf(even), { logPosteriors: said(), logPrior: noPrior }, plain);
  assert.deepEqual([nothing!.words.length, nothing!.score], [0, 0]);
  const half = { logPosteriors: new Float32Array(3), logPrior: noPrior };
  assert.throws(() => searchUtterance(searchOf(even), half, plain), /multiple of 4/);
  const empty = [{ word: 0, tokens: new Uint16Array(0) }];
  assert.throws(() => searchOf(even, { pronunciations: empty }), /pronunciation 0: it has no states/);
  const languageModel = randomNgrams(createRandom(1), 3);
  assert.throws(() => searchOf({ ...even, languageModel }), /2 words by a language model of 3/);
  const found = searchOf(even);
  found.begin(plain, noPrior);
  assert.throws(() => found.finish(2), /Cannot give 2 word sequences: 1 are followed/);
});
