import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acousticScores } from './acoustic_scores.ts';
import { collapse } from './ctc_collapse.ts';
import { ctcLoss } from './ctc_loss.ts';
import { type CtcSearchOptions, createCtcSearch } from './ctc_search.ts';
import { logSoftmax } from './log_softmax.ts';
import { createNgramBuilder, logProbability, type NgramModel, stateAfter } from './ngram_model.ts';
import { createRandom, type Random } from './random.ts';
import { lexiconSpeller, openSpeller, type Speller } from './speller.ts';
import { randomNgrams } from './testdata/random_ngrams.ts';
import { type Posteriors, type SearchWeights, searchUtterance } from './word_search.ts';

const plain: SearchWeights = { acousticScale: 1, priorScale: 0, languageModelScale: 1, insertionPenalty: 0 };
const exact = 100_000;

/** Log-posteriors of so many frames. */
const posteriors = (random: Random, frames: number, vocabularySize: number, scale = 2): Float32Array =>
  logSoftmax(
    Float32Array.from({ length: frames * vocabularySize }, () => scale * random.normal()),
    vocabularySize,
  );

const evenPrior = (vocabularySize: number) => new Float64Array(vocabularySize).fill(-Math.log(vocabularySize));

const namesOf = (count: number) => Array.from({ length: count }, (_, word) => `word ${word}`);

/** A token for each word. */
const wholeWords = (...tokens: number[]): Speller =>
  lexiconSpeller(
    tokens.map((token, word) => ({ word, tokens: [token] })),
    namesOf(tokens.length),
  );

const find = (options: CtcSearchOptions, given: Posteriors, weights = plain) =>
  searchUtterance(createCtcSearch(options), given, weights)[0];

/** All sequences of so many tokens. */
const sequences = (length: number, tokens: number): number[][] =>
  length === 0
    ? [[]]
    : sequences(length - 1, tokens).flatMap((rest) => Array.from({ length: tokens }, (_, token) => [...rest, token]));

interface Said {
  words: string[];
  score: number;
}

type Spelling = (tokens: number[]) => string[][];

/** What each word sequence comes to, by going through all paths and all that their tokens may spell. */
function allOf(
  { logPosteriors, logPrior }: Posteriors,
  weights: SearchWeights,
  {
    vocabularySize,
    blank = 0,
    spelling,
    model,
    words,
  }: {
    vocabularySize: number;
    blank?: number;
    spelling: Spelling;
    model?: NgramModel | undefined;
    words: readonly string[];
  },
): Said[] {
  const scores = acousticScores({ logPosteriors, logPrior }, weights);
  const sums = new Map<string, number>();
  for (const path of sequences(scores.length / vocabularySize, vocabularySize)) {
    const score = path.reduce((sum, token, frame) => sum + scores[frame * vocabularySize + token]!, 0);
    for (const said of spelling(collapse(path, blank).map(({ token }) => token))) {
      sums.set(said.join('/'), (sums.get(said.join('/')) ?? 0) + Math.exp(score));
    }
  }
  const priceOf = (said: readonly string[]): number => {
    if (!model) return 0;
    let [state, log] = [model.start, 0];
    for (const name of said) {
      const word = words.indexOf(name) < 0 ? words.length + 1 : words.indexOf(name);
      log += logProbability(model, state, word);
      state = stateAfter(model, state, word);
    }
    return weights.languageModelScale * (log + logProbability(model, state, model.wordCount));
  };
  return [...sums]
    .map(([key, sum]): Said => {
      const said = key === '' ? [] : key.split('/');
      return { words: said, score: Math.log(sum) + priceOf(said) - weights.insertionPenalty * said.length };
    })
    .filter(({ score }) => score > -Infinity)
    .sort((a, b) => b.score - a.score);
}

const lexicon = {
  words: ['a', 'ab', 'b'],
  pronunciations: [
    { word: 0, tokens: [1] },
    { word: 1, tokens: [1, 2] },
    { word: 1, tokens: [2, 2] },
    { word: 2, tokens: [2] },
  ],
};
/** Every way to read tokens as words of the lexicon, several pronunciations of a word once each. */
const byLexicon: Spelling = (tokens) =>
  tokens.length === 0
    ? [[]]
    : lexicon.pronunciations.flatMap(({ word, tokens: own }) =>
        own.every((token, i) => tokens[i] === token)
          ? byLexicon(tokens.slice(own.length)).map((rest) => [lexicon.words[word]!, ...rest])
          : [],
      );
const symbols = ['<blk>', 'x', '▁', '▁y'];
const byMarks: Spelling = (tokens) => [
  tokens
    .map((token) => symbols[token]!)
    .join('')
    .split('▁')
    .filter((word) => word !== ''),
];
const bySingleTokens: Spelling = (tokens) =>
  tokens.some((token) => token > 2) ? [] : [tokens.map((token) => lexicon.words[token - 1]!)];

const spellings: {
  name: string;
  vocabularySize: number;
  speller: () => Speller;
  spelling: Spelling;
  words: string[];
}[] = [
  {
    name: 'whole words',
    vocabularySize: 4, // token 3 is no word
    speller: () =>
      lexiconSpeller(
        lexicon.pronunciations
          .filter(({ tokens }) => tokens.length === 1)
          .slice(0, 2)
          .map(({ tokens }, word) => ({ word, tokens })),
        ['a', 'ab'],
      ),
    spelling: bySingleTokens,
    words: ['a', 'ab'],
  },
  {
    name: 'a lexicon whose words are parts of others',
    vocabularySize: 3,
    speller: () => lexiconSpeller(lexicon.pronunciations, lexicon.words),
    spelling: byLexicon,
    words: lexicon.words,
  },
  {
    name: 'characters and word pieces with marks',
    vocabularySize: 4,
    speller: () => openSpeller(symbols, ['x', 'yx']),
    spelling: byMarks,
    words: ['x', 'yx'],
  },
];
for (const { name, vocabularySize, speller, spelling, words } of spellings) {
  for (const isModelled of [false, true]) {
    test(`createCtcSearch() with a beam that holds all is exact: ${name}${isModelled ? ', with a model' : ''}`, () => {
      let several = 0;
      for (let seed = 0; seed < 30; seed++) {
        const random = createRandom('prefixes', name, String(isModelled), seed);
        const frames = 1 + random.integer(6);
        const model = isModelled ? randomNgrams(random, words.length, { ruledOut: 0.05 }) : undefined;
        const weights = {
          acousticScale: 0.5 + random.uniform(),
          priorScale: random.uniform(),
          languageModelScale: random.uniform() * 2,
          insertionPenalty: random.normal(),
        };
        const given = {
          logPosteriors: posteriors(random, frames, vocabularySize),
          logPrior: Float64Array.from(posteriors(random, 1, vocabularySize, 1)),
        };
        const own = speller();
        const search = createCtcSearch({
          speller: own,
          vocabularySize,
          beam: exact,
          ...(model && { languageModel: model }),
        });
        const expected = allOf(given, weights, { vocabularySize, spelling, model, words });
        const found = searchUtterance(search, given, weights, 1000);
        const spelled = found.map(({ words }) => Array.from(words, (word) => own.words[word]!).join('/'));
        assert.equal(found.length, expected.length, `seed ${seed}`);
        // those of nearly equal scores may change places
        found.forEach(({ score }, i) => {
          assert.ok(Math.abs(score - expected[i]!.score) < 1e-5, `seed ${seed}: ${score}, not ${expected[i]!.score}`);
          const of = expected.find(({ words }) => words.join('/') === spelled[i])!;
          assert.ok(Math.abs(score - of.score) < 1e-5, `seed ${seed}: ${spelled[i]}`);
        });
        if (expected[0] && expected[0].words.length > 1) several++;
      }
      assert.ok(several > 1, `only ${several} cases of several words`);
    });
  }

  test(`createCtcSearch() finds the same frame by frame, and what it calls stable stays: ${name}`, () => {
    let early = 0;
    for (let seed = 0; seed < 20; seed++) {
      const frames = 60;
      const random = createRandom(seed, 'pieces', name);
      const given = {
        logPosteriors: posteriors(random, frames, vocabularySize, 4),
        logPrior: evenPrior(vocabularySize),
      };
      const search = createCtcSearch({ speller: speller(), vocabularySize, beam: 4 });
      const [whole] = searchUtterance(search, given, plain);
      search.begin(plain, given.logPrior);
      for (let frame = 0; frame < frames; frame++) {
        search.push(given.logPosteriors.subarray(frame * vocabularySize, (frame + 1) * vocabularySize));
        const stable = search.stableWords();
        if (whole) assert.deepEqual(stable, whole.words.subarray(0, stable.length), `seed ${seed}, frame ${frame}`);
        if (stable.length > 0 && frame < frames / 2) early++;
      }
      assert.deepEqual(search.finish(1)[0], whole);
    }
    assert.ok(early > 50, `${early} times words were stable in the first half`);
  });
}

test('createCtcSearch() says where words are on the best path, and how sure it is of their tokens', () => {
  const path = [0, 1, 1, 0, 2, 0, 0, 3, 0];
  const logPosteriors = Float32Array.from(
    path.flatMap((spoken, frame) =>
      [0, 1, 2, 3].map((token) => Math.log(token === spoken ? (frame === 2 ? 0.5 : 0.8) : 0.05)),
    ),
  );
  const pronunciations = [
    { word: 0, tokens: [1, 2] },
    { word: 1, tokens: [3] },
  ];
  const speller = lexiconSpeller(pronunciations, namesOf(2));
  const found = find({ speller, vocabularySize: 4, beam: 20 }, { logPosteriors, logPrior: evenPrior(4) })!;
  assert.deepEqual(
    [[...found.words], [...found.startFrames], [...found.endFrames]],
    [
      [0, 1],
      [1, 7],
      [5, 8],
    ],
  );
  assert.deepEqual(
    Array.from(found.confidences, (value) => value.toFixed(4)),
    ['0.6840', '0.8000'],
  );
});

/** The published algorithm, word by word: probabilities in a table of all prefixes of a frame, the best of which stay. */
function plainSearch(
  scores: Float32Array,
  { vocabularySize, model, beam }: { vocabularySize: number; model: NgramModel; beam: number },
  insertionPenalty: number,
): { words: number[]; score: number } {
  const { wordCount } = model;
  const price = (said: readonly number[], next: number) =>
    Math.exp(
      logProbability(
        model,
        said.reduce((state, word) => stateAfter(model, state, word), model.start),
        next,
      ),
    );
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
      if (last !== undefined) own.word += word * p(last + 1);
      for (let added = 0; added < wordCount; added++) {
        const from = added === last ? blank : blank + word;
        const cost = price(words, added) * Math.exp(-insertionPenalty);
        entryOf([...words, added]).word += from * p(added + 1) * cost;
      }
    }
    const ranked = [...next].sort(([, a], [, b]) => b.blank + b.word - a.blank - a.word);
    best = new Map(ranked.slice(0, beam));
  }
  const ends = [...best.values()].map(({ words, blank, word }) => ({
    words,
    score: Math.log((blank + word) * price(words, wordCount)),
  }));
  return ends.reduce((a, b) => (b.score > a.score ? b : a));
}

test('createCtcSearch() keeps the prefixes that the published algorithm keeps, whatever the beam', () => {
  let differing = 0;
  for (let seed = 0; seed < 60; seed++) {
    const random = createRandom('beams', seed);
    const model = randomNgrams(random, 3);
    const logPosteriors = posteriors(random, 1 + random.integer(12), 4, 1);
    const found = [2, 3, 5, 9].map((beam) => {
      const weights = { ...plain, acousticScale: 0.7, insertionPenalty: -0.5 };
      const given = { logPosteriors, logPrior: evenPrior(4) };
      const options = { speller: wholeWords(1, 2, 3), vocabularySize: 4, languageModel: model, beam };
      const { words, score } = find(options, given, weights)!;
      const scores = acousticScores(given, weights);
      const expected = plainSearch(scores, { vocabularySize: 4, model, beam }, weights.insertionPenalty);
      assert.deepEqual([...words], expected.words, `seed ${seed}, beam ${beam}`);
      assert.ok(Math.abs(score - expected.score) < 1e-9, `seed ${seed}, beam ${beam}`);
      return words.join();
    });
    if (new Set(found).size > 1) differing++;
  }
  assert.ok(differing > 5, `beams matter in ${differing} cases only`);
});

test('without weights, the score of createCtcSearch() is the log-probability that ctcLoss() has for its words', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom('probability', seed);
    const logPosteriors = posteriors(random, 12, 4);
    const options = { speller: wholeWords(1, 2, 3), vocabularySize: 4, beam: 2000 };
    const { words, score } = find(options, { logPosteriors, logPrior: evenPrior(4) })!;
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

test('createCtcSearch() with beam 1 is the best token of each frame, collapsed', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom('greedy', seed);
    const logPosteriors = posteriors(random, 1 + random.integer(20), 4);
    const path = Array.from({ length: logPosteriors.length / 4 }, (_, frame) => {
      const row = [...logPosteriors.subarray(4 * frame, 4 * frame + 4)];
      return row.indexOf(Math.max(...row));
    });
    const given = { logPosteriors, logPrior: evenPrior(4) };
    const found = find({ speller: wholeWords(1, 2, 3), vocabularySize: 4, beam: 1 }, given)!;
    assert.deepEqual(
      Array.from(found.words, (word, i) => ({
        ...{ token: word + 1, start: found.startFrames[i]!, end: found.endFrames[i]! },
      })),
      collapse(path),
    );
    const speller = openSpeller(symbols);
    const open = find({ speller, vocabularySize: 4, beam: 1 }, given)!;
    const [expected] = byMarks(collapse(path).map(({ token }) => token));
    assert.deepEqual(
      Array.from(open.words, (word) => speller.words[word]),
      expected,
    );
  }
});

test('a larger beam of createCtcSearch() adds paths, and where it matters other words', () => {
  // the best path is blank blank (0.36), but all paths of word 0 together have 0.64
  const given = { logPosteriors: Float32Array.from([0.6, 0.4, 0.6, 0.4], Math.log), logPrior: evenPrior(2) };
  const decode = (beam: number) => find({ speller: wholeWords(1), vocabularySize: 2, beam }, given)!;
  assert.deepEqual([...decode(1).words], []);
  assert.deepEqual([...decode(2).words], [0]);
  assert.ok(Math.abs(decode(2).score - Math.log(0.64)) < 1e-6);
});

test('createCtcSearch() follows a model where the sound is undecided, and a penalty to fewer words', () => {
  const logPosteriors = Float32Array.from([0.05, 0.85, 0.05, 0.05, 0.05, 0.05, 0.45, 0.45], Math.log);
  const decode = (next: number, insertionPenalty = 0) => {
    const builder = createNgramBuilder(3, [0, 1, 2]);
    for (const word of [0, 1, 2, 3]) builder.add([word], Math.log(1 / 4), 0);
    builder.add([0, next], 0, 0);
    const options = { speller: wholeWords(1, 2, 3), vocabularySize: 4, beam: 8, languageModel: builder.model() };
    const weights = { ...plain, acousticScale: 0.5, insertionPenalty };
    return [...find(options, { logPosteriors, logPrior: evenPrior(4) }, weights)!.words];
  };
  assert.deepEqual(decode(1), [0, 1]);
  assert.deepEqual(decode(2), [0, 2]);
  assert.deepEqual(decode(3, 2), [0]); // the end is likely
  assert.deepEqual(decode(1, 5), []);
});

test('createCtcSearch() has no words for no frames, and no answer where every path is ruled out', () => {
  const nothing = find(
    { speller: wholeWords(1), vocabularySize: 2, beam: 4 },
    { logPosteriors: new Float32Array(0), logPrior: evenPrior(2) },
  )!;
  assert.deepEqual([nothing.words.length, nothing.score], [0, 0]);
  for (const beam of [1, 4]) {
    const given = { logPosteriors: Float32Array.of(0, -1), logPrior: [-Infinity, -Infinity] };
    assert.equal(
      find({ speller: wholeWords(1), vocabularySize: 2, beam }, given, { ...plain, priorScale: 1 }),
      undefined,
    );
  }
});

test('createCtcSearch() never says a token that is no word', () => {
  const logPosteriors = Float32Array.from([0.2, 0.1, 0.7, 0.1, 0.3, 0.6], Math.log);
  for (const beam of [1, 4]) {
    const given = { logPosteriors, logPrior: evenPrior(3) };
    const { words, startFrames } = find({ speller: wholeWords(1), vocabularySize: 3, beam }, given)!;
    assert.deepEqual([...words, ...startFrames], [0, 1], `beam ${beam}`);
  }
});

test('createCtcSearch() leaves what it reads alone and refuses what does not fit', () => {
  const good = { speller: wholeWords(1, 2), vocabularySize: 3, beam: 4 };
  const given = { logPosteriors: posteriors(createRandom('input'), 5, 3), logPrior: evenPrior(3) };
  const before = given.logPosteriors.slice();
  find(good, given, { ...plain, priorScale: 1 });
  assert.deepEqual(given.logPosteriors, before);
  const several = lexiconSpeller(lexicon.pronunciations, lexicon.words);
  const faults: [Partial<CtcSearchOptions>, RegExp][] = [
    [{ beam: 0 }, /beam 0; give 1 or more/],
    [{ beam: 1.5 }, /beam 1.5/],
    [{ beam: 1, speller: several }, /best token of each frame where words have several tokens; give a beam/],
    [{ languageModel: randomNgrams(createRandom(1), 3) }, /2 words by a language model of 3/],
    [{ beam: 1, languageModel: randomNgrams(createRandom(1), 2) }, /language model with beam 1/],
  ];
  for (const [change, message] of faults) {
    assert.throws(
      () => createCtcSearch({ ...good, ...change }),
      (error) => error instanceof RangeError && message.test(error.message),
    );
  }
  assert.throws(
    () => find(good, { ...given, logPosteriors: new Float32Array(4) }),
    /4 scores: not a multiple of 3 tokens/,
  );
  assert.throws(() => lexiconSpeller([{ word: 0, tokens: [] }], ['a']), /word 0: a pronunciation has no tokens/);
});
