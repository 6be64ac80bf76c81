import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom, type Random } from './random.ts';
import { createTokenLoop, type LoopWeights } from './token_loop.ts';
import { type Transitions, transitionsOf } from './viterbi.ts';

const silence = 0;
const vocabularySize = 4;
const pronunciations = [
  { word: 0, tokens: Uint16Array.of(1, 2) },
  { word: 1, tokens: Uint16Array.of(3) },
  { word: 1, tokens: Uint16Array.of(2, 1) },
];
const plain: LoopWeights = { acousticScale: 1, priorScale: 0, insertionPenalty: 0 };
const noPrior = new Float64Array(vocabularySize);

interface Task {
  logPosteriors: Float32Array;
  logPrior: Float64Array;
  transitions: Transitions;
  weights: LoopWeights;
}

/** The best of all ways to cut the frames into words and silences, each word's states into runs. */
function bestByEnumeration({ logPosteriors, logPrior, transitions, weights }: Task): number {
  const frames = logPosteriors.length / vocabularySize;
  const emission = (frame: number, token: number) =>
    weights.acousticScale *
    (logPosteriors[frame * vocabularySize + token]! - (weights.priorScale && weights.priorScale * logPrior[token]!));
  /** Best score of the tokens in frames from .. to, without leaving the last. */
  const inside = (tokens: readonly number[], from: number, to: number): number => {
    const [token, ...rest] = tokens;
    let best = -Infinity;
    let run = 0;
    for (let end = from + 1; end <= to; end++) {
      run += emission(end - 1, token!) + (end > from + 1 ? transitions.stay[token!]! : 0);
      if (rest.length > 0) best = Math.max(best, run + transitions.leave[token!]! + inside(rest, end, to));
      else if (end === to) best = Math.max(best, run);
    }
    return best;
  };
  const segments = [
    ...pronunciations.map(({ tokens }) => ({ tokens: [...tokens], price: Math.log(2) + weights.insertionPenalty })),
    { tokens: [silence], price: 0 },
  ];
  const walk = (from: number, afterSilence: boolean): number => {
    let best = -Infinity;
    for (const { tokens, price } of segments) {
      const isSilence = tokens[0] === silence;
      if (isSilence && afterSilence) continue;
      for (let to = from + 1; to <= frames; to++) {
        const score = inside(tokens, from, to) - price;
        if (to === frames) best = Math.max(best, score);
        else best = Math.max(best, score + transitions.leave[tokens.at(-1)!]! + walk(to, isSilence));
      }
    }
    return best;
  };
  return walk(0, false);
}

function randomTask(random: Random, frames: number): Task {
  return {
    logPosteriors: Float32Array.from({ length: frames * vocabularySize }, () => random.normal() * 2),
    logPrior: Float64Array.from({ length: vocabularySize }, () => Math.log(0.05 + random.uniform())),
    transitions: transitionsOf(Array.from({ length: vocabularySize }, () => 0.9 * random.uniform())),
    weights: {
      acousticScale: 0.2 + random.uniform(),
      priorScale: random.uniform(),
      insertionPenalty: random.normal(),
    },
  };
}

const loopOf = (transitions: Transitions) =>
  createTokenLoop({ pronunciations, wordCount: 2, silence, vocabularySize, transitions });

test('createTokenLoop() finds the score of the best of all word sequences', () => {
  for (let seed = 0; seed < 40; seed++) {
    for (let frames = 1; frames <= 6; frames++) {
      const task = randomTask(createRandom(seed, frames), frames);
      const found = loopOf(task.transitions).decode(task, task.weights)!;
      const expected = bestByEnumeration(task);
      assert.ok(Math.abs(found.score - expected) < 1e-9, `seed ${seed}, ${frames} frames: ${found.score} ${expected}`);
    }
  }
});

test('createTokenLoop() gives words that lie in order and have the score they claim', () => {
  for (let seed = 0; seed < 40; seed++) {
    const frames = 12;
    const task = randomTask(createRandom(seed, 'words'), frames);
    const { words, startFrames, endFrames } = loopOf(task.transitions).decode(task, task.weights)!;
    let end = 0;
    words.forEach((_, i) => {
      assert.ok(startFrames[i]! >= end && endFrames[i]! > startFrames[i]!, `seed ${seed}`);
      end = endFrames[i]!;
    });
    assert.ok(end <= frames, `seed ${seed}`);
  }
});

const said = (...tokens: number[]) =>
  Float32Array.from(tokens.flatMap((spoken) => [0, 1, 2, 3].map((token) => (token === spoken ? -0.01 : -9))));

test('createTokenLoop() finds words, where they lie, and what of silence is none', () => {
  const loop = loopOf(transitionsOf([0.5, 0.5, 0.5, 0.5]));
  const logPosteriors = said(0, 0, 1, 2, 2, 3, 0, 3, 2, 1);
  const found = loop.decode({ logPosteriors, logPrior: noPrior }, plain)!;
  assert.deepEqual([...found.words], [0, 1, 1, 1]);
  assert.deepEqual([...found.startFrames], [2, 5, 7, 8]);
  assert.deepEqual([...found.endFrames], [5, 6, 8, 10]);
  assert.deepEqual([...loop.decode({ logPosteriors: said(0, 0), logPrior: noPrior }, plain)!.words], []);
});

test('createTokenLoop() enters fewer words the more a word costs', () => {
  const task = randomTask(createRandom('penalty'), 40);
  const counts = [-4, 0, 4, 30].map(
    (insertionPenalty) => loopOf(task.transitions).decode(task, { ...plain, insertionPenalty })!.words.length,
  );
  assert.deepEqual(
    counts,
    [...counts].sort((a, b) => b - a),
  );
  assert.ok(counts[0]! > counts[3]!);
});

test('createTokenLoop() takes the pronunciation listed first, and words before silence, at equal scores', () => {
  const transitions = transitionsOf([0.5, 0.5, 0.5, 0.5]);
  const loop = createTokenLoop({
    pronunciations: [
      { word: 0, tokens: Uint16Array.of(2) },
      { word: 1, tokens: Uint16Array.of(3) },
    ],
    wordCount: 1,
    silence,
    vocabularySize,
    transitions,
  });
  const logPosteriors = new Float32Array(2 * vocabularySize);
  const found = loop.decode({ logPosteriors, logPrior: noPrior }, plain)!;
  assert.deepEqual([...found.words, ...found.startFrames, ...found.endFrames], [0, 0, 2]);
});

test('createTokenLoop() rules out tokens of prior 0, and everything when nothing is left', () => {
  const loop = loopOf(transitionsOf([0.5, 0.5, 0.5, 0.5]));
  const logPosteriors = said(3, 3);
  const never = Float64Array.of(-1, -1, -1, -Infinity);
  const decode = (logPrior: Float64Array, priorScale: number) =>
    loop.decode({ logPosteriors, logPrior }, { ...plain, priorScale });
  assert.deepEqual([...decode(never, 0)!.words], [1]);
  assert.ok(![...decode(never, 1)!.words].includes(1) || decode(never, 1)!.score < -9);
  assert.equal(decode(new Float64Array(4).fill(-Infinity), 1), undefined);
});

test('createTokenLoop() decodes no frames as no words, refuses half frames and pronunciations without states', () => {
  const transitions = transitionsOf([0.5, 0.5, 0.5, 0.5]);
  const nothing = loopOf(transitions).decode({ logPosteriors: said(), logPrior: noPrior }, plain)!;
  assert.equal(nothing.words.length, 0);
  const half = { logPosteriors: new Float32Array(3), logPrior: noPrior };
  assert.throws(() => loopOf(transitions).decode(half, plain), /multiple of 4/);
  const empty = [{ word: 0, tokens: new Uint16Array(0) }];
  assert.throws(
    () => createTokenLoop({ pronunciations: empty, wordCount: 1, silence, vocabularySize, transitions }),
    /pronunciation 0: it has no states/,
  );
});
