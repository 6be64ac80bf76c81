import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BigramScores, estimateBigram, scoresOf } from './bigram.ts';
import { createBigramLoop } from './bigram_loop.ts';
import { createRandom, type Random } from './random.ts';
import type { LoopWeights } from './token_loop.ts';
import { type Transitions, transitionsOf } from './viterbi.ts';

const silence = 0;
const vocabularySize = 4;
const wordCount = 2;
const pronunciations = [
  { word: 0, tokens: Uint16Array.of(1, 2) },
  { word: 1, tokens: Uint16Array.of(3) },
  { word: 1, tokens: Uint16Array.of(2, 1) },
];

interface Task {
  logPosteriors: Float32Array;
  logPrior: Float64Array;
  transitions: Transitions;
  bigram: BigramScores;
  weights: LoopWeights;
}

interface Found {
  score: number;
  words: readonly number[];
}

/** The best of all ways to cut the frames into words and silences, each word's states into runs. */
function bestByEnumeration({ logPosteriors, logPrior, transitions, bigram, weights }: Task): Found {
  const frames = logPosteriors.length / vocabularySize;
  const emission = (frame: number, token: number) =>
    weights.acousticScale * (logPosteriors[frame * vocabularySize + token]! - weights.priorScale * logPrior[token]!);
  const inside = (tokens: readonly number[], from: number, to: number): number => {
    const [token, ...rest] = tokens;
    let best = -Infinity;
    let run = 0;
    for (let end = from + 1; end <= to; end++) {
      run += emission(end - 1, token!) + (end > from + 1 ? transitions.stay[token!]! : 0);
      const left = run + transitions.leave[token!]!;
      if (rest.length > 0) best = Math.max(best, left + inside(rest, end, to));
      else if (end === to) best = Math.max(best, left);
    }
    return best;
  };
  const walk = (from: number, history: number, afterSilence: boolean): Found => {
    let best: Found = { score: -Infinity, words: [] };
    const consider = (score: number, words: readonly number[]): void => {
      if (score > best.score) best = { score, words };
    };
    if (from === frames) return { score: bigram.logs[history * (wordCount + 1) + wordCount]!, words: [] };
    for (let to = from + 1; to <= frames; to++) {
      if (!afterSilence) {
        const rest = walk(to, history, true);
        consider(inside([silence], from, to) + rest.score, rest.words);
      }
      for (const { word, tokens } of pronunciations) {
        const price = bigram.logs[history * (wordCount + 1) + word]! - weights.insertionPenalty;
        const rest = walk(to, word, false);
        consider(price + inside([...tokens], from, to) + rest.score, [word, ...rest.words]);
      }
    }
    return best;
  };
  return walk(0, wordCount, false);
}

function randomTask(random: Random, frames: number): Task {
  const sentences = Array.from({ length: 5 }, () =>
    Array.from({ length: random.integer(5) }, () => random.integer(wordCount)),
  );
  return {
    logPosteriors: Float32Array.from({ length: frames * vocabularySize }, () => random.normal() * 2),
    logPrior: Float64Array.from({ length: vocabularySize }, () => Math.log(0.05 + random.uniform())),
    transitions: transitionsOf(Array.from({ length: vocabularySize }, () => 0.9 * random.uniform())),
    bigram: scoresOf(estimateBigram(sentences, wordCount)),
    weights: {
      acousticScale: 0.2 + random.uniform(),
      priorScale: random.uniform(),
      insertionPenalty: random.normal(),
    },
  };
}

const loopOf = ({ transitions, bigram }: Pick<Task, 'transitions' | 'bigram'>) =>
  createBigramLoop({ pronunciations, wordCount, silence, vocabularySize, transitions, bigram });

test('createBigramLoop() finds the best of all word sequences and its score', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom(seed, 'bigram loop');
    for (const frames of [1, 2, 3, 5, 7]) {
      const task = randomTask(random, frames);
      const found = loopOf(task).decode(task, task.weights)!;
      const expected = bestByEnumeration(task);
      assert.ok(Math.abs(found.score - expected.score) < 1e-9, `seed ${seed}, ${frames} frames`);
      assert.deepEqual([...found.words], expected.words);
    }
  }
});

test('createBigramLoop() gives words in order, within the frames, and the same when asked again', () => {
  const random = createRandom(7, 'order');
  const [long, short] = [randomTask(random, 60), randomTask(random, 9)];
  const loop = loopOf(long);
  const first = loop.decode(long, long.weights)!;
  loop.decode(short, long.weights);
  assert.deepEqual(loop.decode(long, long.weights), first);
  let end = 0;
  first.words.forEach((_, i) => {
    assert.ok(first.startFrames[i]! >= end && first.endFrames[i]! > first.startFrames[i]!);
    end = first.endFrames[i]!;
  });
  assert.ok(end <= 60);
});

test('createBigramLoop() follows a strong bigram, also through silence, where the sound says nothing', () => {
  const bigram = { wordCount, logs: Float64Array.from([0.01, 0.98, 0.01, 0.98, 0.01, 0.01, 0.5, 0.5, 1e-9], Math.log) };
  const transitions = transitionsOf([0.5, 0.5, 0.5, 0.5]);
  const row = (token: number) => Array.from({ length: vocabularySize }, (_, v) => (v === token ? 0 : -20));
  // word 1 by token 3; silence; then "1 2" (word 0) or "2 1" (the other pronunciation of word 1) alike
  const unsure = [-20, -1, -1, -20];
  const frames = [row(3), row(0), row(0), unsure, unsure];
  const logPosteriors = Float32Array.from(frames.flat());
  const weights = { acousticScale: 1, priorScale: 0, insertionPenalty: 0 };
  const found = loopOf({ transitions, bigram }).decode({ logPosteriors, logPrior: new Float64Array(4) }, weights)!;
  assert.deepEqual([...found.words], [1, 0]);
});

test('createBigramLoop() says undefined where every path is ruled out, and refuses what does not fit', () => {
  const task = randomTask(createRandom(3, 'ruled out'), 4);
  const loop = loopOf(task);
  assert.equal(loop.decode({ ...task, logPosteriors: new Float32Array(16).fill(-Infinity) }, task.weights), undefined);
  assert.throws(
    () => loop.decode({ ...task, logPosteriors: new Float32Array(5) }, task.weights),
    /not a multiple of 4/,
  );
  const other = scoresOf(estimateBigram([[0]], 3));
  assert.throws(() => loopOf({ ...task, bigram: other }), /2 words by a bigram model of 3/);
});
