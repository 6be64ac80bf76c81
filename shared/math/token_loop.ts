import { priorBias } from './acoustic_scores.ts';
import type { Transitions } from './viterbi.ts';

/** Which words may follow each other: any, any number of times, silence between them or not. */
export interface TokenLoopOptions {
  /** One entry per pronunciation: the word it stands for and its state tokens, at least one. */
  pronunciations: readonly { word: number; tokens: Uint16Array }[];
  wordCount: number; // each word has probability 1 / wordCount
  silence: number; // token of the silence state
  vocabularySize: number;
  transitions: Transitions;
}

/** How acoustic scores are made: acousticScale × (log posterior − priorScale × log prior), and the price of a word. */
export interface LoopWeights {
  acousticScale: number; // > 0
  priorScale: number; // ≥ 0; a token of prior 0 is ruled out when it is > 0
  insertionPenalty: number; // nats taken off per word entered
}

/** Words in order, word i in frames startFrames[i] .. endFrames[i], the end excluded; silence is left out. */
export interface WordSequence {
  words: Int32Array;
  startFrames: Int32Array;
  endFrames: Int32Array;
  score: number;
}

/**
 * A decoder over a loop of all words: Viterbi, time frames × states, nothing allocated per frame.
 *
 * Silence counts as a word without a price, never twice in a row. Of equally good moves staying wins, then moving on
 * within the word; of equally good ends the pronunciation listed first, silence last.
 */
export function createTokenLoop({ pronunciations, wordCount, silence, vocabularySize, transitions }: TokenLoopOptions) {
  const stateTokens = Uint16Array.from([...pronunciations.flatMap(({ tokens }) => [...tokens]), silence]);
  const stateCount = stateTokens.length;
  const silenceState = stateCount - 1;
  const firstStates = new Int32Array(pronunciations.length + 1);
  pronunciations.forEach(({ tokens }, i) => {
    if (tokens.length === 0) throw new RangeError(`Cannot decode with pronunciation ${i}: it has no states`);
    firstStates[i + 1] = firstStates[i]! + tokens.length;
  });
  const stay = Float64Array.from(stateTokens, (token) => transitions.stay[token]!);
  const leave = Float64Array.from(stateTokens, (token) => transitions.leave[token]!);
  const best = new Float64Array(stateCount);
  const entered = new Int32Array(stateCount); // the frame in which the path at this state entered its word
  const bias = new Float64Array(stateCount);
  let exits = createExits(0);

  /**
   * The best word sequence for log posteriors [frames × vocabularySize] and log priors [vocabularySize].
   *
   * @returns undefined when every path is ruled out (score −Infinity)
   */
  function decode(
    { logPosteriors, logPrior }: { logPosteriors: Float32Array; logPrior: ArrayLike<number> },
    { acousticScale, priorScale, insertionPenalty }: LoopWeights,
  ): WordSequence | undefined {
    const frames = logPosteriors.length / vocabularySize;
    if (!Number.isInteger(frames)) {
      throw new RangeError(`Cannot decode ${logPosteriors.length} scores: not a multiple of ${vocabularySize} tokens`);
    }
    if (frames === 0) return toWordSequence([], 0);
    if (exits.capacity < frames) exits = createExits(frames);
    const { anyExit, anyStart, wordExit, wordStart } = exits;
    const tokenBias = priorBias(logPrior, { acousticScale, priorScale });
    for (let s = 0; s < stateCount; s++) bias[s] = tokenBias[stateTokens[s]!]!;
    const entry = -Math.log(wordCount) - insertionPenalty;
    best.fill(-Infinity);
    let bestAny = 0; // the score of having ended anything, or a word, in the frame before
    let bestWord = 0;
    for (let frame = 0; frame < frames; frame++) {
      const row = frame * vocabularySize;
      let nextAny = -Infinity;
      let nextPronunciation = -1;
      for (let p = 0; p < pronunciations.length; p++) {
        const first = firstStates[p]!;
        const last = firstStates[p + 1]! - 1;
        for (let s = last; s > first; s--) {
          let score = best[s]! + stay[s]!;
          const moved = best[s - 1]! + leave[s - 1]!;
          if (moved > score) {
            score = moved;
            entered[s] = entered[s - 1]!;
          }
          best[s] = score + acousticScale * logPosteriors[row + stateTokens[s]!]! + bias[s]!;
        }
        let score = best[first]! + stay[first]!;
        const begun = bestAny + entry;
        if (begun > score) {
          score = begun;
          entered[first] = frame;
        }
        best[first] = score + acousticScale * logPosteriors[row + stateTokens[first]!]! + bias[first]!;
        const ended = best[last]! + leave[last]!;
        if (ended > nextAny) {
          nextAny = ended;
          nextPronunciation = p;
        }
      }
      let score = best[silenceState]! + stay[silenceState]!;
      if (bestWord > score) {
        score = bestWord;
        entered[silenceState] = frame;
      }
      best[silenceState] = score + acousticScale * logPosteriors[row + silence]! + bias[silenceState]!;
      const silenceEnded = best[silenceState]! + leave[silenceState]!;
      bestWord = nextAny;
      wordExit[frame] = nextPronunciation;
      wordStart[frame] = nextPronunciation < 0 ? 0 : entered[firstStates[nextPronunciation + 1]! - 1]!;
      if (silenceEnded > nextAny) {
        bestAny = silenceEnded;
        anyExit[frame] = SILENCE;
        anyStart[frame] = entered[silenceState]!;
      } else {
        bestAny = nextAny;
        anyExit[frame] = wordExit[frame]!;
        anyStart[frame] = wordStart[frame]!;
      }
    }
    return traceBack(frames);
  }

  function traceBack(frames: number): WordSequence | undefined {
    const { anyExit, anyStart, wordExit, wordStart } = exits;
    let pronunciation = SILENCE;
    let score = best[silenceState]!;
    for (let p = pronunciations.length - 1; p >= 0; p--) {
      const ended = best[firstStates[p + 1]! - 1]!;
      if (ended >= score) {
        pronunciation = p;
        score = ended;
      }
    }
    if (score === -Infinity) return undefined;
    let start = entered[pronunciation === SILENCE ? silenceState : firstStates[pronunciation + 1]! - 1]!;
    let end = frames;
    const found: Segment[] = [];
    for (;;) {
      const isSilence = pronunciation === SILENCE;
      if (!isSilence) found.push({ word: pronunciations[pronunciation]!.word, start, end });
      if (start === 0) break;
      end = start;
      pronunciation = (isSilence ? wordExit : anyExit)[end - 1]!;
      start = (isSilence ? wordStart : anyStart)[end - 1]!;
    }
    return toWordSequence(found.reverse(), score);
  }

  return { decode };
}

export type TokenLoop = ReturnType<typeof createTokenLoop>;

const SILENCE = -1;

interface Segment {
  word: number;
  start: number;
  end: number;
}

/** By frame: which pronunciation (or silence) the best path ended there, and the frame in which it had begun. */
function createExits(frames: number) {
  return {
    capacity: frames,
    anyExit: new Int32Array(frames),
    anyStart: new Int32Array(frames),
    wordExit: new Int32Array(frames),
    wordStart: new Int32Array(frames),
  };
}

function toWordSequence(segments: readonly Segment[], score: number): WordSequence {
  return {
    words: Int32Array.from(segments, ({ word }) => word),
    startFrames: Int32Array.from(segments, ({ start }) => start),
    endFrames: Int32Array.from(segments, ({ end }) => end),
    score,
  };
}
