import { acousticScores } from './acoustic_scores.ts';
import { concatenate } from './concatenate.ts';
import { collapse, type Spoken } from './ctc_collapse.ts';
import { bestToken } from './gate.ts';
import { logProbability, type NgramModel, stateAfter } from './ngram_model.ts';
import type { Move, Place, Speller } from './speller.ts';
import { framesIn, type SearchWeights, type WordSearch, type WordSequence } from './word_search.ts';

export interface CtcSearchOptions {
  /** How tokens make words. */
  speller: Speller;
  vocabularySize: number;
  /** 0 unless given. */
  blank?: number;
  /** Token sequences that are followed at once; 1: the best token of each frame, without any price of a word. */
  beam: number;
  /** Over the words of the speller. Without it all words are equally good, and cost nothing. */
  languageModel?: NgramModel;
}

/**
 * A search for models of connectionist temporal classification: the best word sequence, all paths that say it together.
 * For words v of an utterance
 *
 *     score(v) = log Σ exp( Σ acousticScale · (log posterior − priorScale · log prior) )
 *              + languageModelScale · log P(v) − penalty · words
 *
 * where the first sum is over all paths that say v and the second over frames. In each frame the best token sequences are
 * extended by a token or not, each with what its paths that end in a blank and those that end in its last token come to;
 * what falls out of the beam is lost. Of equally good ones the one found first wins. A word is paid for when it is
 * complete. Time: frames × beam × tokens.
 *
 * Words begin and end where they do on the best single path that says their tokens: models of this kind say a word in few
 * frames, so that is where it was recognised rather than all of its extent.
 *
 * @throws {RangeError} when beam or language model do not fit
 * @see Hannun, Maas, Jurafsky, Ng (2014), First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
 *   Recurrent DNNs, algorithm 1
 */
export function createCtcSearch(options: CtcSearchOptions): WordSearch {
  const { speller, vocabularySize, blank = 0, beam, languageModel } = options;
  if (!(Number.isInteger(beam) && beam >= 1)) throw new RangeError(`Cannot search with beam ${beam}; give 1 or more`);
  if (beam === 1 && languageModel)
    throw new RangeError('Cannot use a language model with beam 1: the best path knows no words; give 2 or more');
  if (languageModel && languageModel.wordCount > speller.words.length)
    throw new RangeError(
      `Cannot decode ${speller.words.length} words by a language model of ${languageModel.wordCount}; make it from them`,
    );
  let weights: SearchWeights;
  let logPrior: ArrayLike<number>;
  let pieces: { logPosteriors: Float32Array; scores: Float32Array }[] = [];
  let frame = 0;
  let blanks = 0; // frames in a row whose best token is the blank
  let active: Prefix[] = [];
  let path: number[] = []; // with beam 1
  let pathScore = 0;
  const greedy = beam === 1 ? greedyTokens(speller, blank) : undefined;

  /** ln P(word) as far as it counts, less the penalty. */
  const priceOf = (state: number, word: number): number =>
    (languageModel ? weights.languageModelScale * logProbability(languageModel, state, word) : 0) -
    weights.insertionPenalty;
  const endPrice = (state: number): number =>
    languageModel ? weights.languageModelScale * logProbability(languageModel, state, languageModel.wordCount) : 0;

  function step(emissions: Float32Array): void {
    const extension = (prefix: Prefix, token: number, price: number): number => {
      const from = token === prefix.token ? prefix.endsInBlank : prefix.total; // the same again: only after a blank
      return from + emissions[token]! + price;
    };
    for (const prefix of active) {
      prefix.frame = frame;
      prefix.nextInBlank = prefix.total + emissions[blank]!;
      prefix.nextInToken = prefix.token < 0 ? -Infinity : prefix.endsInToken + emissions[prefix.token]!;
    }
    for (const prefix of active) {
      const { parent, token, price } = prefix;
      if (parent?.frame === frame) prefix.nextInToken = logAdd(prefix.nextInToken, extension(parent, token, price));
    }
    // any other prefix comes from one extension alone, so it is made when it is known to be in the beam
    const best: Candidate[] = active.map((prefix) => ({
      prefix,
      total: logAdd(prefix.nextInBlank, prefix.nextInToken),
    }));
    best.sort(byTotal);
    let enough = best.length < beam ? -Infinity : best[beam - 1]!.total;
    const highestPrice = Math.max(0, -weights.insertionPenalty);
    for (const prefix of active) {
      const tokens = speller.tokensAfter(prefix.place);
      for (let i = 0; i < tokens.length; i++) {
        const token = tokens[i]!;
        if (!(extension(prefix, token, highestPrice) > enough)) continue;
        for (const move of speller.movesBy(prefix.place, token)) {
          const price = move.word < 0 ? 0 : priceOf(prefix.state, move.word);
          const total = extension(prefix, token, price);
          if (!(total > enough) || prefix.children?.get(keyOf(token, move))?.frame === frame) continue; // or it is active
          if (best.length === beam) best.pop();
          let place = best.length;
          while (place > 0 && total > best[place - 1]!.total) place--;
          best.splice(place, 0, { prefix, total, by: { ...move, token, price } });
          if (best.length === beam) enough = best[beam - 1]!.total;
        }
      }
    }
    active = best.map(({ prefix, total, by }) => {
      const kept = by ? childOf(prefix, by) : prefix;
      kept.endsInBlank = by ? -Infinity : prefix.nextInBlank;
      kept.endsInToken = by ? total : prefix.nextInToken;
      kept.total = total;
      return kept;
    });
  }

  const keyOf = (token: number, { word }: Move): number => (word + 1) * vocabularySize + token;

  function childOf(prefix: Prefix, by: Extension): Prefix {
    prefix.children ??= new Map();
    const key = keyOf(by.token, by);
    let child = prefix.children.get(key);
    if (!child) {
      const isNext = by.word >= 0 && languageModel;
      child = createPrefix({
        ...by,
        state: isNext ? stateAfter(languageModel, prefix.state, by.word) : prefix.state,
        parent: prefix,
      });
      prefix.children.set(key, child);
    }
    return child;
  }

  /** What the beam says now, best first; token sequences that say the same words count together. */
  function ends(): { prefix: Prefix; words: number[]; score: number }[] {
    const found = new Map<string, { prefix: Prefix; words: number[]; score: number; best: number }>();
    for (const prefix of active) {
      const last = speller.wordAtEnd(prefix.place);
      if (last === undefined) continue;
      const said = [...wordsOf(prefix), ...(last < 0 ? [] : [last])];
      const state = last >= 0 && languageModel ? stateAfter(languageModel, prefix.state, last) : prefix.state;
      const score = prefix.total + (last < 0 ? 0 : priceOf(prefix.state, last)) + endPrice(state);
      if (score === -Infinity) continue;
      const same = found.get(said.join());
      if (!same) found.set(said.join(), { prefix, words: said, score, best: score });
      else {
        same.score = logAdd(same.score, score);
        if (score > same.best) [same.prefix, same.best] = [prefix, score];
      }
    }
    return [...found.values()].sort((a, b) => b.score - a.score);
  }

  /** Where words are on a path, and how sure; −1 stands between tokens of one word and those of the next. */
  function sequenceOf(spoken: readonly Spoken[], groups: readonly { word: number; tokens: number[] }[], score: number) {
    const { logPosteriors } = joined();
    const spans = groups.map(({ tokens }) => {
      let [logPosteriorSum, frames] = [0, 0];
      for (const { token, start, end } of tokens.map((i) => spoken[i]!)) {
        for (let at = start; at < end; at++) logPosteriorSum += logPosteriors[at * vocabularySize + token]!;
        frames += end - start;
      }
      return {
        start: spoken[tokens[0]!]!.start,
        end: spoken[tokens.at(-1)!]!.end,
        confidence: Math.exp(logPosteriorSum / frames),
      };
    });
    return {
      words: Int32Array.from(groups, ({ word }) => word),
      startFrames: Int32Array.from(spans, ({ start }) => start),
      endFrames: Int32Array.from(spans, ({ end }) => end),
      confidences: Float64Array.from(spans, ({ confidence }) => confidence),
      score,
    };
  }

  /** All frames so far, as one piece. */
  function joined() {
    if (pieces.length !== 1) {
      const all = (of: 'logPosteriors' | 'scores') =>
        concatenate(
          Float32Array,
          pieces.map((piece) => piece[of]),
        );
      pieces = [{ logPosteriors: all('logPosteriors'), scores: all('scores') }];
    }
    return pieces[0]!;
  }

  function withTimes({ prefix, score }: { prefix: Prefix; score: number }): WordSequence {
    const { tokens, moves } = tokensOf(prefix);
    const spoken = collapse(bestPathThrough(tokens, joined().scores, { vocabularySize, blank }), blank);
    return sequenceOf(spoken, groupsOf(speller, { tokens, moves }, speller.wordAtEnd(prefix.place) ?? -1), score);
  }

  function bestPath(): WordSequence[] {
    if (pathScore === -Infinity) return [];
    const spoken = collapse(path, blank);
    const { moves, place } = greedy!.follow(spoken.map(({ token }) => token));
    const tokens = spoken.map(({ token }) => token);
    return [sequenceOf(spoken, groupsOf(speller, { tokens, moves }, speller.wordAtEnd(place) ?? -1), pathScore)];
  }

  return {
    begin(given, prior) {
      [weights, logPrior] = [given, prior];
      [pieces, path, frame, blanks, pathScore] = [[], [], 0, 0, 0];
      const root = createPrefix({
        token: -1,
        word: -1,
        price: 0,
        place: speller.start,
        parent: undefined,
        state: languageModel?.start ?? 0,
      });
      root.endsInBlank = root.total = 0; // before the first frame
      active = [root];
    },
    push(logPosteriors) {
      const frames = framesIn(logPosteriors, vocabularySize);
      const scores = acousticScores({ logPosteriors, logPrior }, weights);
      pieces.push({ logPosteriors, scores });
      for (let i = 0; i < frames; i++, frame++) {
        const row = scores.subarray(i * vocabularySize, (i + 1) * vocabularySize);
        const best = bestToken(row);
        blanks = best === blank ? blanks + 1 : 0;
        if (!greedy) step(row);
        else {
          const token = greedy.bestOf(row);
          path.push(token);
          pathScore += row[token]!;
        }
      }
    },
    stableWords() {
      if (greedy) {
        const { moves } = greedy.follow(collapse(path, blank).map(({ token }) => token));
        return Int32Array.from(
          moves.filter(({ word }) => word >= 0),
          ({ word }) => word,
        );
      }
      return Int32Array.from(wordsOf(active.reduce(sharedPrefix)));
    },
    quietFrames: () => blanks,
    finish(count) {
      if (greedy) return bestPath().slice(0, count);
      return ends().slice(0, count).map(withTimes);
    },
  };
}

/** The best path: which tokens it may have, and what they spell. */
function greedyTokens(speller: Speller, blank: number) {
  const allowed = Array.from(speller.tokensAfter(speller.start));
  const isAllowed = new Set([blank, ...allowed]);
  for (const token of allowed) {
    const [move, ...others] = speller.movesBy(speller.start, token);
    if (speller.endsWithToken && (others.length > 0 || move!.word < 0))
      throw new RangeError(
        'Cannot take the best token of each frame where words have several tokens; give a beam of 2',
      );
  }
  return {
    /** The best token of a frame among the blank and those of words. */
    bestOf(row: Float32Array): number {
      const best = bestToken(row);
      return isAllowed.has(best) ? best : allowed.reduce((a, b) => (row[b]! > row[a]! ? b : a), blank);
    },
    follow(tokens: readonly number[]) {
      let place = speller.start;
      const moves = tokens.map((token) => {
        const move = speller.movesBy(place, token)[0]!;
        place = move.place;
        return move;
      });
      return { moves, place };
    },
  };
}

/** The tokens of each word, by their places in a sequence; marks between words belong to none. */
function groupsOf(
  speller: Speller,
  { tokens, moves }: { tokens: readonly number[]; moves: readonly { word: number }[] },
  last: number,
): { word: number; tokens: number[] }[] {
  const groups: { word: number; tokens: number[] }[] = [];
  let open: number[] = [];
  const close = (word: number): void => {
    groups.push({ word, tokens: open });
    open = [];
  };
  moves.forEach(({ word }, i) => {
    if (word >= 0 && !speller.endsWithToken) close(word);
    if (speller.isSpoken(tokens[i]!)) open.push(i);
    if (word >= 0 && speller.endsWithToken) close(word);
  });
  if (last >= 0) close(last);
  return groups;
}

/** Tokens so far: a node of the tree of all prefixes. Scores include the prices of complete words. */
interface Prefix {
  /** The last one; −1 at the root. */
  token: number;
  /** The word that it completed, −1 where it did not, and its price. */
  word: number;
  price: number;
  place: Place;
  /** Of the language model. */
  state: number;
  parent: Prefix | undefined;
  /** Tokens on the way here. */
  depth: number;
  children: Map<number, Prefix> | undefined;
  /** Log-sums over its paths up to the frame before, and their sum. */
  endsInBlank: number;
  endsInToken: number;
  total: number;
  /** The same up to this frame, as far as they are added up. */
  nextInBlank: number;
  nextInToken: number;
  /** The last frame in which it was active. */
  frame: number;
}

/** One more token, where it leads, and the price of the word that it completes. */
interface Extension extends Move {
  token: number;
  price: number;
}

/** What may be in the beam: a prefix, or one more token after it. */
interface Candidate {
  prefix: Prefix;
  total: number;
  by?: Extension;
}

function createPrefix(given: Pick<Prefix, 'token' | 'word' | 'price' | 'place' | 'state' | 'parent'>): Prefix {
  const none = -Infinity;
  const sums = { endsInBlank: none, endsInToken: none, total: none, nextInBlank: none, nextInToken: none };
  return { ...given, ...sums, depth: given.parent ? given.parent.depth + 1 : 0, children: undefined, frame: -1 };
}

/** Best first; −∞ less −∞ would be NaN. */
const byTotal = (a: Candidate, b: Candidate): number => (a.total === b.total ? 0 : b.total - a.total);

/** From the root to a prefix, without the root. */
function wayTo(prefix: Prefix): Prefix[] {
  const way: Prefix[] = [];
  for (let node = prefix; node.parent; node = node.parent) way.push(node);
  return way.reverse();
}

const wordsOf = (prefix: Prefix): number[] => wayTo(prefix).flatMap(({ word }) => (word < 0 ? [] : [word]));

function tokensOf(prefix: Prefix): { tokens: number[]; moves: Prefix[] } {
  const moves = wayTo(prefix);
  return { tokens: moves.map(({ token }) => token), moves };
}

function sharedPrefix(a: Prefix, b: Prefix): Prefix {
  let [one, other] = [a, b];
  while (one !== other) {
    if (one.depth >= other.depth) one = one.parent!;
    else other = other.parent!;
  }
  return one;
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
