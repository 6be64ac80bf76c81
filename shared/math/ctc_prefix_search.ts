import { acousticScores } from './acoustic_scores.ts';
import type { BigramScores } from './bigram.ts';
import { collapse, type Spoken } from './ctc_collapse.ts';
import { bestToken } from './gate.ts';
import type { LoopWeights, WordSequence } from './token_loop.ts';

export interface CtcPrefixSearchOptions {
  /** The token of each word; no two words share one, none has the blank. */
  tokenOfWord: ArrayLike<number>;
  vocabularySize: number;
  /** 0 unless given. */
  blank?: number;
  /** Word sequences that are followed at once; 1: the best token of each frame, without insertion penalty. */
  beam: number;
  /** Without it all words are equally good, and cost nothing. */
  bigram?: BigramScores;
}

interface Posteriors {
  logPosteriors: Float32Array;
  logPrior: ArrayLike<number>;
}

/** A word sequence that was found, and how good it is as the search counts it. */
export interface Hypothesis {
  words: Int32Array;
  score: number;
}

/**
 * A decoder for models of connectionist temporal classification, whose tokens are words: the best word sequence, all
 * paths that say it together. For words v of an utterance
 *
 *     score(v) = log Σ exp( Σ acousticScale · (log posterior − priorScale · log prior) ) + log P(v) − penalty · words
 *
 * where the first sum is over all paths that say v and the second over frames. In each frame the best prefixes are
 * extended by a word or not, each with what its paths that end in a blank and those that end in its last word come to;
 * what falls out of the beam is lost. Of equally good ones the prefix found first wins. Time: frames × beam × words.
 *
 * Words begin and end where they do on the best single path that says them: models of this kind say a word in few
 * frames, so that is where it was recognised rather than all of its extent.
 *
 * @throws {RangeError} when tokens, beam or bigram do not fit each other
 * @see Hannun, Maas, Jurafsky, Ng (2014), First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
 *   Recurrent DNNs, algorithm 1
 */
export function createCtcPrefixSearch(options: CtcPrefixSearchOptions) {
  checkOptions(options);
  const { vocabularySize, blank = 0, beam, bigram } = options;
  const tokenOfWord = Int32Array.from(options.tokenOfWord);
  const wordOfToken = new Int32Array(vocabularySize).fill(-1);
  tokenOfWord.forEach((token, word) => {
    wordOfToken[token] = word;
  });
  const boundary = tokenOfWord.length; // beginning and end of an utterance, as the bigram numbers them
  const priceOf = (previous: number, next: number): number =>
    bigram ? bigram.logs[(previous < 0 ? boundary : previous) * (boundary + 1) + next]! : 0;

  /**
   * The best word sequence for log posteriors [frames × vocabularySize] and log priors [vocabularySize].
   *
   * @returns undefined when every path is ruled out (score −Infinity)
   */
  function decode(posteriors: Posteriors, weights: LoopWeights): WordSequence | undefined {
    const scores = scoresOf(posteriors, weights);
    return beam === 1 ? bestPath(scores) : withTimes(bestPrefixes(scores, weights.insertionPenalty)[0], scores);
  }

  /** As `decode`, with up to `count` of the word sequences in the beam, best first. */
  function decodeNBest(
    posteriors: Posteriors,
    weights: LoopWeights,
    count: number,
  ): { best: WordSequence | undefined; hypotheses: Hypothesis[] } {
    const scores = scoresOf(posteriors, weights);
    const hypotheses = bestPrefixes(scores, weights.insertionPenalty).slice(0, count);
    return { best: withTimes(hypotheses[0], scores), hypotheses };
  }

  function scoresOf({ logPosteriors, logPrior }: Posteriors, weights: LoopWeights): Float32Array {
    if (logPosteriors.length % vocabularySize !== 0) {
      throw new RangeError(`Cannot decode ${logPosteriors.length} scores: not a multiple of ${vocabularySize} tokens`);
    }
    return acousticScores({ logPosteriors, logPrior }, weights);
  }

  function bestPath(scores: Float32Array): WordSequence | undefined {
    const path = new Int32Array(scores.length / vocabularySize);
    let score = 0;
    for (let frame = 0; frame < path.length; frame++) {
      const row = scores.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
      path[frame] = bestOf(row);
      score += row[path[frame]!]!;
    }
    return score === -Infinity ? undefined : wordSequence(collapse(path, blank), score);
  }

  /** The best token of a frame among the blank and the tokens of words. */
  function bestOf(row: Float32Array): number {
    const best = bestToken(row);
    if (best === blank || wordOfToken[best]! >= 0) return best;
    return tokenOfWord.reduce((a, b) => (row[b]! > row[a]! ? b : a), blank);
  }

  /** The possible ones of the beam after the last frame, best first; of equally good ones the one found first. */
  function bestPrefixes(scores: Float32Array, insertionPenalty: number): Hypothesis[] {
    const frames = scores.length / vocabularySize;
    let active: Prefix[] = [createPrefix(-1, undefined)];
    active[0]!.endsInBlank = active[0]!.total = 0; // before the first frame
    for (let frame = 0; frame < frames; frame++) {
      const emissions = scores.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
      const extension = (prefix: Prefix, next: number): number => {
        const from = next === prefix.word ? prefix.endsInBlank : prefix.total; // the same word again: only after a blank
        return from + emissions[tokenOfWord[next]!]! + priceOf(prefix.word, next) - insertionPenalty;
      };
      for (const prefix of active) {
        prefix.frame = frame;
        prefix.nextInBlank = prefix.total + emissions[blank]!;
        prefix.nextInWord = prefix.word < 0 ? -Infinity : prefix.endsInWord + emissions[tokenOfWord[prefix.word]!]!;
      }
      for (const prefix of active) {
        const { parent, word } = prefix;
        if (parent?.frame === frame) prefix.nextInWord = logAdd(prefix.nextInWord, extension(parent, word));
      }
      // any other prefix comes from one extension alone, so whether it will be in the beam can be seen from it
      const enough = lowestOfBest(active.map(({ nextInBlank, nextInWord }) => logAdd(nextInBlank, nextInWord)));
      const found = [...active];
      for (const prefix of active) {
        for (let next = 0; next < tokenOfWord.length; next++) {
          const score = extension(prefix, next);
          if (!(score > enough)) continue;
          const extended = childOf(prefix, next);
          if (extended.frame === frame) continue; // it was active
          extended.frame = frame;
          extended.nextInBlank = -Infinity;
          extended.nextInWord = score;
          found.push(extended);
        }
      }
      for (const prefix of found) {
        prefix.endsInBlank = prefix.nextInBlank;
        prefix.endsInWord = prefix.nextInWord;
        prefix.total = logAdd(prefix.endsInBlank, prefix.endsInWord);
      }
      active = found.sort(byTotal).slice(0, beam);
    }
    return active
      .map((prefix) => ({ prefix, score: prefix.total + priceOf(prefix.word, boundary) }))
      .filter(({ score }) => score > -Infinity)
      .sort((a, b) => b.score - a.score)
      .map(({ prefix, score }) => ({ words: Int32Array.from(wordsOf(prefix)), score }));
  }

  /** Where the words are that were found. */
  function withTimes(found: Hypothesis | undefined, scores: Float32Array): WordSequence | undefined {
    if (!found) return undefined;
    const tokens = Array.from(found.words, (word) => tokenOfWord[word]!);
    return wordSequence(collapse(bestPathThrough(tokens, scores, { vocabularySize, blank }), blank), found.score);
  }

  /** The score that the last prefix of a full beam has; −∞ where it is not full. */
  function lowestOfBest(totals: readonly number[]): number {
    return totals.length < beam ? -Infinity : Math.min(...totals);
  }

  function wordSequence(spoken: readonly Spoken[], score: number): WordSequence {
    return {
      words: Int32Array.from(spoken, ({ token }) => wordOfToken[token]!),
      startFrames: Int32Array.from(spoken, ({ start }) => start),
      endFrames: Int32Array.from(spoken, ({ end }) => end),
      score,
    };
  }

  return { decode, decodeNBest };
}

export type CtcPrefixSearch = ReturnType<typeof createCtcPrefixSearch>;

function checkOptions({ tokenOfWord, vocabularySize, blank = 0, beam, bigram }: CtcPrefixSearchOptions): void {
  if (!(Number.isInteger(beam) && beam >= 1)) throw new RangeError(`Cannot search with beam ${beam}; give 1 or more`);
  const seen = new Set([blank]);
  Array.from(tokenOfWord).forEach((token, word) => {
    if (!(token >= 0 && token < vocabularySize) || seen.has(token)) {
      const why = token === blank ? 'the blank' : seen.has(token) ? "another word's" : `not one of ${vocabularySize}`;
      throw new RangeError(`Cannot search word ${word}: its token ${token} is ${why}; give each word one of its own`);
    }
    seen.add(token);
  });
  if (!bigram) return;
  if (beam === 1) throw new RangeError('Cannot use a bigram with beam 1: the best path knows no words; give 2 or more');
  const { wordCount, logs } = bigram;
  if (wordCount !== tokenOfWord.length || logs.length !== (wordCount + 1) ** 2) {
    throw new RangeError(
      `Cannot use a bigram of ${wordCount} words and ${logs.length} numbers: there are ${tokenOfWord.length} words; make it from the same lexicon`,
    );
  }
}

/** Words so far: a node of the tree of all prefixes. Scores include the words' prices. */
interface Prefix {
  /** The last one; −1 at the root. */
  word: number;
  parent: Prefix | undefined;
  children: Map<number, Prefix>;
  /** Log-sums over its paths up to the frame before, and their sum. */
  endsInBlank: number;
  endsInWord: number;
  total: number;
  /** The same up to this frame, as far as they are added up. */
  nextInBlank: number;
  nextInWord: number;
  /** The last frame in which it was active or found. */
  frame: number;
}

function createPrefix(word: number, parent: Prefix | undefined): Prefix {
  const none = -Infinity;
  const sums = { endsInBlank: none, endsInWord: none, total: none, nextInBlank: none, nextInWord: none };
  return { word, parent, children: new Map(), ...sums, frame: -1 };
}

function childOf(prefix: Prefix, word: number): Prefix {
  let child = prefix.children.get(word);
  if (!child) {
    child = createPrefix(word, prefix);
    prefix.children.set(word, child);
  }
  return child;
}

/** Best first; −∞ less −∞ would be NaN. */
const byTotal = (a: Prefix, b: Prefix): number => (a.total === b.total ? 0 : b.total - a.total);

function wordsOf(prefix: Prefix): number[] {
  const words: number[] = [];
  for (let node = prefix; node.parent; node = node.parent) words.push(node.word);
  return words.reverse();
}

/**
 * The best single path that says these tokens (Viterbi over blank, token, blank, token … blank); of equally good moves
 * staying wins, then the nearest state.
 *
 * @returns [frames] tokens
 */
function bestPathThrough(
  tokens: readonly number[],
  scores: Float32Array,
  { vocabularySize, blank }: { vocabularySize: number; blank: number },
): Int32Array {
  const frames = scores.length / vocabularySize;
  const states = Int32Array.from({ length: 2 * tokens.length + 1 }, (_, s) => (s % 2 ? tokens[s >> 1]! : blank));
  const moves = new Uint8Array(frames * states.length);
  const best = new Float64Array(states.length).fill(-Infinity);
  for (let frame = 0; frame < frames; frame++) {
    for (let s = states.length - 1; s >= 0; s--) {
      let from = frame === 0 && s < 2 ? 0 : best[s]!; // a path begins in the first blank or token
      let move = 0;
      if (s > 0 && best[s - 1]! > from) [from, move] = [best[s - 1]!, 1];
      if (s > 2 && s % 2 === 1 && states[s] !== states[s - 2] && best[s - 2]! > from) [from, move] = [best[s - 2]!, 2];
      best[s] = from + scores[frame * vocabularySize + states[s]!]!;
      moves[frame * states.length + s] = move;
    }
  }
  const path = new Int32Array(frames);
  let s = states.length - 1;
  if (s > 0 && best[s - 1]! > best[s]!) s--;
  for (let frame = frames - 1; frame >= 0; frame--) {
    path[frame] = states[s]!;
    s -= moves[frame * states.length + s]!;
  }
  return path;
}

function logAdd(a: number, b: number): number {
  if (b === -Infinity) return a;
  if (a === -Infinity) return b;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
}
