import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acousticScores } from './acoustic_scores.ts';
import type { BigramScores } from './bigram.ts';
import { collapse } from './ctc_collapse.ts';
import { ctcLoss } from './ctc_loss.ts';
import { type CtcPrefixSearchOptions, createCtcPrefixSearch } from './ctc_prefix_search.ts';
import { logSoftmax } from './log_softmax.ts';
import { createRandom, type Random } from './random.ts';

const plain = { acousticScale: 1, priorScale: 0, insertionPenalty: 0 };
const exact = 100_000;

/** Log-posteriors of so many frames. */
const posteriors = (random: Random, frames: number, vocabularySize: number, scale = 2): Float32Array =>
  logSoftmax(
    Float32Array.from({ length: frames * vocabularySize }, () => scale * random.normal()),
    vocabularySize,
  );

const evenPrior = (vocabularySize: number) => new Float64Array(vocabularySize).fill(-Math.log(vocabularySize));

function randomBigram(random: Random, wordCount: number, { ruledOut = 0 } = {}): BigramScores {
  const logs = new Float64Array((wordCount + 1) ** 2);
  for (let row = 0; row <= wordCount; row++) {
    const values = Float32Array.from({ length: wordCount + 1 }, () => 2 * random.normal());
    logs.set(logSoftmax(values, wordCount + 1), row * (wordCount + 1));
  }
  for (let i = 0; i < ruledOut; i++) logs[random.integer(logs.length)] = -Infinity;
  return { wordCount, logs };
}

/** All sequences of so many tokens. */
const sequences = (length: number, tokens: number): number[][] =>
  length === 0
    ? [[]]
    : sequences(length - 1, tokens).flatMap((rest) => Array.from({ length: tokens }, (_, token) => [...rest, token]));

interface Said {
  words: number[];
  score: number;
  /** Of the best single path. */
  path: number[];
}

/** What each word sequence comes to, by going through all paths. */
function allOf(
  logPosteriors: Float32Array,
  logPrior: Float64Array,
  weights: typeof plain,
  { tokenOfWord, vocabularySize, blank = 0, bigram }: Omit<CtcPrefixSearchOptions, 'beam'>,
): Said[] {
  const scores = acousticScores({ logPosteriors, logPrior }, weights);
  const found = new Map<string, { words: number[]; sum: number; best: number; path: number[] }>();
  const words = Array.from(tokenOfWord);
  for (const path of sequences(scores.length / vocabularySize, vocabularySize)) {
    if (path.some((token) => token !== blank && !words.includes(token))) continue;
    const score = path.reduce((sum, token, frame) => sum + scores[frame * vocabularySize + token]!, 0);
    const said = collapse(path, blank).map(({ token }) => words.indexOf(token));
    const entry = found.get(said.join()) ?? { words: said, sum: 0, best: -Infinity, path };
    entry.sum += Math.exp(score);
    if (score > entry.best) [entry.best, entry.path] = [score, path];
    found.set(said.join(), entry);
  }
  const priceOf = (said: readonly number[]): number => {
    if (!bigram) return 0;
    const { wordCount, logs } = bigram;
    const whole = [wordCount, ...said, wordCount];
    return whole.slice(1).reduce((sum, next, i) => sum + logs[whole[i]! * (wordCount + 1) + next]!, 0);
  };
  return [...found.values()].map(({ words, sum, path }) => ({
    ...{ words, path },
    score: Math.log(sum) + priceOf(words) - weights.insertionPenalty * words.length,
  }));
}

for (const withBigram of [false, true]) {
  test(`createCtcPrefixSearch() with a beam that holds all is exact${withBigram ? ', with a bigram too' : ''}`, () => {
    let several = 0;
    for (let seed = 0; seed < 60; seed++) {
      const random = createRandom('prefixes', String(withBigram), seed);
      const vocabularySize = 2 + random.integer(3);
      const frames = 1 + random.integer(5);
      const blank = random.integer(vocabularySize);
      const tokenOfWord = random.shuffle(
        Array.from({ length: vocabularySize }, (_, token) => token).filter((token) => token !== blank),
      );
      const bigram = withBigram ? randomBigram(random, tokenOfWord.length, { ruledOut: seed % 2 }) : undefined;
      const given = { tokenOfWord, vocabularySize, blank, bigram };
      const weights = {
        acousticScale: 0.5 + random.uniform(),
        priorScale: random.uniform(),
        insertionPenalty: random.normal(),
      };
      const logPosteriors = posteriors(random, frames, vocabularySize);
      const logPrior = Float64Array.from(posteriors(random, 1, vocabularySize, 1));
      const all = allOf(logPosteriors, logPrior, weights, given);
      const best = all.reduce((a, b) => (b.score > a.score ? b : a));
      const found = createCtcPrefixSearch({ ...given, beam: exact }).decode({ logPosteriors, logPrior }, weights)!;
      assert.deepEqual([...found.words], best.words, `seed ${seed}`);
      assert.ok(Math.abs(found.score - best.score) < 1e-6, `seed ${seed}: ${found.score}, not ${best.score}`);
      const times = collapse(best.path, blank);
      assert.deepEqual(
        [[...found.startFrames], [...found.endFrames]],
        [times.map(({ start }) => start), times.map(({ end }) => end)],
        `seed ${seed}: times are those of the best path`,
      );
      if (best.words.length > 1) several++;
    }
    assert.ok(several > 5, `only ${several} cases of several words`);
  });
}

test('decodeNBest() gives the best word sequences in their order, those that are ruled out left away', () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = createRandom('n-best', seed);
    const given = { tokenOfWord: [1, 2], vocabularySize: 3, bigram: randomBigram(random, 2, { ruledOut: seed % 3 }) };
    const weights = { ...plain, priorScale: random.uniform(), insertionPenalty: random.normal() };
    const logPosteriors = posteriors(random, 4, 3);
    const logPrior = evenPrior(3);
    const all = allOf(logPosteriors, logPrior, weights, given).filter(({ score }) => score > -Infinity);
    all.sort((a, b) => b.score - a.score);
    const search = createCtcPrefixSearch({ ...given, beam: exact });
    const { best, hypotheses } = search.decodeNBest({ logPosteriors, logPrior }, weights, 5);
    assert.deepEqual(best, search.decode({ logPosteriors, logPrior }, weights));
    assert.deepEqual(
      hypotheses.map(({ words }) => [...words]),
      all.slice(0, 5).map(({ words }) => words),
      `seed ${seed}`,
    );
    hypotheses.forEach(({ score }, i) => void assert.ok(Math.abs(score - all[i]!.score) < 1e-6, `seed ${seed}`));
    assert.equal(search.decodeNBest({ logPosteriors, logPrior }, weights, 1000).hypotheses.length, all.length);
  }
});

/** The published algorithm, word by word: probabilities in a table of all prefixes of a frame, the best of which stay. */
function plainSearch(
  scores: Float32Array,
  { tokenOfWord, vocabularySize, bigram, beam }: CtcPrefixSearchOptions,
  insertionPenalty: number,
): { words: number[]; score: number } {
  const { wordCount, logs } = bigram!;
  const price = (previous: number | undefined, next: number) =>
    Math.exp(logs[(previous ?? wordCount) * (wordCount + 1) + next]!);
  let best = new Map([['', { words: [] as number[], blank: 1, word: 0 }]]);
  for (let row = 0; row < scores.length; row += vocabularySize) {
    const p = (token: number) => Math.exp(scores[row + token]!);
    const next: typeof best = new Map();
    const entryOf = (words: number[]) => {
      if (!next.has(words.join())) next.set(words.join(), { words, blank: 0, word: 0 });
      return next.get(words.join())!;
    };
    for (const { words, blank, word } of best.values()) {
      const last = words.at(-1);
      const own = entryOf(words);
      own.blank += (blank + word) * p(0);
      if (last !== undefined) own.word += word * p(tokenOfWord[last]!);
      for (let added = 0; added < wordCount; added++) {
        const from = added === last ? blank : blank + word;
        const cost = price(last, added) * Math.exp(-insertionPenalty);
        entryOf([...words, added]).word += from * p(tokenOfWord[added]!) * cost;
      }
    }
    const ranked = [...next].sort(([, a], [, b]) => b.blank + b.word - a.blank - a.word);
    best = new Map(ranked.slice(0, beam));
  }
  const ends = [...best.values()].map(({ words, blank, word }) => ({
    words,
    score: Math.log((blank + word) * price(words.at(-1), wordCount)),
  }));
  return ends.reduce((a, b) => (b.score > a.score ? b : a));
}

test('createCtcPrefixSearch() keeps the prefixes that the published algorithm keeps, whatever the beam', () => {
  let differing = 0;
  for (let seed = 0; seed < 60; seed++) {
    const random = createRandom('beams', seed);
    const bigram = randomBigram(random, 3);
    const logPosteriors = posteriors(random, 1 + random.integer(12), 4, 1);
    const found = [2, 3, 5, 9].map((beam) => {
      const given = { tokenOfWord: [1, 2, 3], vocabularySize: 4, bigram, beam };
      const weights = { acousticScale: 0.7, priorScale: 0, insertionPenalty: -0.5 };
      const { words, score } = createCtcPrefixSearch(given).decode({ logPosteriors, logPrior: evenPrior(4) }, weights)!;
      const scores = acousticScores({ logPosteriors, logPrior: evenPrior(4) }, weights);
      const expected = plainSearch(scores, given, weights.insertionPenalty);
      assert.deepEqual([...words], expected.words, `seed ${seed}, beam ${beam}`);
      assert.ok(Math.abs(score - expected.score) < 1e-9, `seed ${seed}, beam ${beam}`);
      return words.join();
    });
    if (new Set(found).size > 1) differing++;
  }
  assert.ok(differing > 5, `beams matter in ${differing} cases only`);
});

test('without weights, the score of createCtcPrefixSearch() is the log-probability that ctcLoss() has for its words', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom('probability', seed);
    const logPosteriors = posteriors(random, 12, 4);
    const search = createCtcPrefixSearch({ tokenOfWord: [1, 2, 3], vocabularySize: 4, beam: 2000 });
    const { words, score } = search.decode({ logPosteriors, logPrior: evenPrior(4) }, plain)!;
    const { utteranceNats } = ctcLoss({
      logits: logPosteriors,
      vocabularySize: 4,
      utteranceOffsets: Int32Array.of(0, 12),
      labels: words.map((word) => word + 1),
      labelOffsets: Int32Array.of(0, words.length),
    });
    assert.ok(score <= -utteranceNats[0]! + 1e-6 && score > -utteranceNats[0]! - 0.01, `seed ${seed}`);
  }
});

test('createCtcPrefixSearch() with beam 1 is the best token of each frame, collapsed', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom('greedy', seed);
    const logPosteriors = posteriors(random, 1 + random.integer(20), 4);
    const path = Array.from({ length: logPosteriors.length / 4 }, (_, frame) => {
      const row = [...logPosteriors.subarray(4 * frame, 4 * frame + 4)];
      return row.indexOf(Math.max(...row));
    });
    const search = createCtcPrefixSearch({ tokenOfWord: [1, 2, 3], vocabularySize: 4, beam: 1 });
    const found = search.decode({ logPosteriors, logPrior: evenPrior(4) }, plain)!;
    assert.deepEqual(
      Array.from(found.words, (word, i) => ({
        ...{ token: word + 1, start: found.startFrames[i]!, end: found.endFrames[i]! },
      })),
      collapse(path),
    );
  }
});

test('a larger beam of createCtcPrefixSearch() adds paths, and where it matters other words', () => {
  // the best path is blank blank (0.36), but all paths of word 0 together have 0.64
  const logPosteriors = Float32Array.from([0.6, 0.4, 0.6, 0.4], Math.log);
  const decode = (beam: number) =>
    createCtcPrefixSearch({ tokenOfWord: [1], vocabularySize: 2, beam }).decode(
      { logPosteriors, logPrior: evenPrior(2) },
      plain,
    )!;
  assert.deepEqual([...decode(1).words], []);
  assert.deepEqual([...decode(2).words], [0]);
  assert.ok(Math.abs(decode(2).score - Math.log(0.64)) < 1e-6);
});

test('createCtcPrefixSearch() follows a bigram where the sound is undecided, and a penalty to fewer words', () => {
  const logPosteriors = Float32Array.from([0.05, 0.85, 0.05, 0.05, 0.05, 0.05, 0.45, 0.45], Math.log);
  const decode = (next: number, insertionPenalty = 0) => {
    const logs = new Float64Array(16).fill(Math.log(1 / 4));
    logs[0 * 4 + next] = 0; // after word 0
    const bigram = { wordCount: 3, logs };
    const search = createCtcPrefixSearch({ tokenOfWord: [1, 2, 3], vocabularySize: 4, beam: 8, bigram });
    return [
      ...search.decode({ logPosteriors, logPrior: evenPrior(4) }, { ...plain, acousticScale: 0.5, insertionPenalty })!
        .words,
    ];
  };
  assert.deepEqual(decode(1), [0, 1]);
  assert.deepEqual(decode(2), [0, 2]);
  assert.deepEqual(decode(3, 2), [0]); // the end is likely
  assert.deepEqual(decode(1, 5), []);
});

test('createCtcPrefixSearch() has no words for no frames, and no answer where every path is ruled out', () => {
  const search = createCtcPrefixSearch({ tokenOfWord: [1], vocabularySize: 2, beam: 4 });
  const nothing = search.decode({ logPosteriors: new Float32Array(0), logPrior: evenPrior(2) }, plain)!;
  assert.deepEqual([nothing.words.length, nothing.score], [0, 0]);
  for (const beam of [1, 4]) {
    const ruledOut = createCtcPrefixSearch({ tokenOfWord: [1], vocabularySize: 2, beam }).decode(
      { logPosteriors: Float32Array.of(0, -1), logPrior: [-Infinity, -Infinity] },
      { ...plain, priorScale: 1 },
    );
    assert.equal(ruledOut, undefined);
  }
});

test('createCtcPrefixSearch() never says a token that is no word', () => {
  const logPosteriors = Float32Array.from([0.2, 0.1, 0.7, 0.1, 0.3, 0.6], Math.log);
  for (const beam of [1, 4]) {
    const search = createCtcPrefixSearch({ tokenOfWord: [1], vocabularySize: 3, beam });
    const { words, startFrames } = search.decode({ logPosteriors, logPrior: evenPrior(3) }, plain)!;
    assert.deepEqual([...words, ...startFrames], [0, 1], `beam ${beam}`);
  }
});

test('createCtcPrefixSearch() leaves what it reads alone and refuses what does not fit', () => {
  const good = { tokenOfWord: [1, 2], vocabularySize: 3, beam: 4 };
  const logPosteriors = posteriors(createRandom('input'), 5, 3);
  const before = logPosteriors.slice();
  createCtcPrefixSearch(good).decode({ logPosteriors, logPrior: evenPrior(3) }, { ...plain, priorScale: 1 });
  assert.deepEqual(logPosteriors, before);
  const faults: [Partial<CtcPrefixSearchOptions>, RegExp][] = [
    [{ beam: 0 }, /beam 0; give 1 or more/],
    [{ beam: 1.5 }, /beam 1.5/],
    [{ tokenOfWord: [1, 0] }, /word 1: its token 0 is the blank/],
    [{ tokenOfWord: [1, 1] }, /word 1: its token 1 is another word's/],
    [{ tokenOfWord: [1, 3] }, /word 1: its token 3 is not one of 3/],
    [{ bigram: { wordCount: 1, logs: new Float64Array(4) } }, /bigram of 1 words and 4 numbers: there are 2 words/],
    [{ bigram: { wordCount: 2, logs: new Float64Array(4) } }, /bigram of 2 words and 4 numbers/],
    [{ beam: 1, bigram: { wordCount: 2, logs: new Float64Array(9) } }, /bigram with beam 1/],
  ];
  for (const [change, message] of faults) {
    assert.throws(
      () => createCtcPrefixSearch({ ...good, ...change }),
      (error) => error instanceof RangeError && message.test(error.message),
    );
  }
  assert.throws(
    () => createCtcPrefixSearch(good).decode({ logPosteriors: new Float32Array(4), logPrior: evenPrior(3) }, plain),
    /4 scores: not a multiple of 3 tokens/,
  );
});
