import { priorBias } from './acoustic_scores.ts';
import type { BigramScores } from './bigram.ts';
import type { LoopWeights, TokenLoopOptions, WordSequence } from './token_loop.ts';

/**
 * A decoder over a loop of all words whose entry costs what a bigram model says: Viterbi, time frames × (states +
 * words²), nothing allocated per frame.
 *
 * A word is known by what came before it, so there is a silence of its own after each word, and one before the first;
 * silence costs nothing and is never twice in a row. Of equally good moves staying wins, then moving on within the word.
 *
 * @returns a function from log posteriors [frames × vocabularySize] and log priors [vocabularySize] to the best word
 * sequence, undefined when every path is ruled out
 */
export function createBigramLoop({
  pronunciations,
  wordCount,
  silence,
  vocabularySize,
  transitions,
  bigram,
}: TokenLoopOptions & { bigram: BigramScores }) {
  if (bigram.wordCount !== wordCount)
    throw new RangeError(`Cannot decode ${wordCount} words by a bigram model of ${bigram.wordCount}`);
  const stateTokens = Uint16Array.from(pronunciations.flatMap(({ tokens }) => [...tokens]));
  const firstStates = new Int32Array(pronunciations.length + 1);
  pronunciations.forEach(({ tokens }, i) => {
    if (tokens.length === 0) throw new RangeError(`Cannot decode with pronunciation ${i}: it has no states`);
    firstStates[i + 1] = firstStates[i]! + tokens.length;
  });
  const wordOf = Int32Array.from(pronunciations, ({ word }) => word);
  const stay = Float64Array.from(stateTokens, (token) => transitions.stay[token]!);
  const leave = Float64Array.from(stateTokens, (token) => transitions.leave[token]!);
  const [stayInSilence, leaveSilence] = [transitions.stay[silence]!, transitions.leave[silence]!];
  const histories = wordCount + 1; // the last word; none yet: wordCount
  const start = wordCount;
  const best = new Float64Array(stateTokens.length);
  const entered = new Int32Array(stateTokens.length); // the frame in which the path at this state entered its word
  const before = new Int32Array(stateTokens.length); // and the history it had then
  const bias = new Float64Array(stateTokens.length);
  const quiet = new Float64Array(histories); // in the silence after each word
  const quietSince = new Int32Array(histories);
  const ended = new Float64Array(histories); // having ended each word in the frame before
  const open = new Float64Array(histories); // the same, or the silence after it
  const entry = new Float64Array(wordCount);
  const entryFrom = new Int32Array(wordCount);
  let exits = createExits(0, histories);

  function decode(
    { logPosteriors, logPrior }: { logPosteriors: Float32Array; logPrior: ArrayLike<number> },
    { acousticScale, priorScale, insertionPenalty }: LoopWeights,
  ): WordSequence | undefined {
    const frames = logPosteriors.length / vocabularySize;
    if (!Number.isInteger(frames)) {
      throw new RangeError(`Cannot decode ${logPosteriors.length} scores: not a multiple of ${vocabularySize} tokens`);
    }
    if (exits.frames < frames) exits = createExits(frames, histories);
    const tokenBias = priorBias(logPrior, { acousticScale, priorScale });
    for (let s = 0; s < stateTokens.length; s++) bias[s] = tokenBias[stateTokens[s]!]!;
    best.fill(-Infinity);
    quiet.fill(-Infinity);
    ended.fill(-Infinity);
    open.fill(-Infinity);
    open[start] = 0;
    for (let frame = 0; frame < frames; frame++) {
      const row = frame * vocabularySize;
      const place = frame * histories;
      openWords(insertionPenalty);
      const silent = acousticScale * logPosteriors[row + silence]! + tokenBias[silence]!;
      for (let v = 0; v < histories; v++) {
        const stayed = quiet[v]! + stayInSilence;
        const begun = v === start ? (frame === 0 ? 0 : -Infinity) : ended[v]!;
        if (begun > stayed) quietSince[v] = frame;
        quiet[v] = Math.max(begun, stayed) + silent;
      }
      ended.fill(-Infinity);
      for (let p = 0; p < wordOf.length; p++) {
        const first = firstStates[p]!;
        const last = firstStates[p + 1]! - 1;
        const word = wordOf[p]!;
        for (let s = last; s > first; s--) {
          let score = best[s]! + stay[s]!;
          const moved = best[s - 1]! + leave[s - 1]!;
          if (moved > score) {
            score = moved;
            entered[s] = entered[s - 1]!;
            before[s] = before[s - 1]!;
          }
          best[s] = score + acousticScale * logPosteriors[row + stateTokens[s]!]! + bias[s]!;
        }
        let score = best[first]! + stay[first]!;
        if (entry[word]! > score) {
          score = entry[word]!;
          entered[first] = frame;
          before[first] = entryFrom[word]!;
        }
        best[first] = score + acousticScale * logPosteriors[row + stateTokens[first]!]! + bias[first]!;
        const left = best[last]! + leave[last]!;
        if (left > ended[word]!) {
          ended[word] = left;
          exits.wordStart[place + word] = entered[last]!;
          exits.wordBefore[place + word] = before[last]!;
        }
      }
      for (let v = 0; v < histories; v++) {
        const afterSilence = quiet[v]! + leaveSilence;
        const inSilence = afterSilence > ended[v]!;
        open[v] = inSilence ? afterSilence : ended[v]!;
        exits.silenceStart[place + v] = inSilence ? quietSince[v]! : -1;
      }
    }
    return traceBack(frames);
  }

  /** The best way into each word from what is open. */
  function openWords(insertionPenalty: number): void {
    const { logs } = bigram;
    entry.fill(-Infinity);
    for (let v = 0; v < histories; v++) {
      const score = open[v]! - insertionPenalty;
      if (score === -Infinity) continue;
      const row = v * histories;
      for (let word = 0; word < wordCount; word++) {
        const begun = score + logs[row + word]!;
        if (begun > entry[word]!) {
          entry[word] = begun;
          entryFrom[word] = v;
        }
      }
    }
  }

  /** Paths end as they go on, by leaving their last state, and with the end of the sentence. */
  function traceBack(frames: number): WordSequence | undefined {
    let history = start;
    let score = -Infinity;
    for (let v = 0; v < histories; v++) {
      const total = open[v]! + bigram.logs[v * histories + wordCount]!;
      if (total > score) {
        score = total;
        history = v;
      }
    }
    if (score === -Infinity) return undefined;
    const words: number[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    for (let frame = frames; frame > 0; ) {
      const silenceStart = exits.silenceStart[(frame - 1) * histories + history]!;
      if (silenceStart >= 0) frame = silenceStart;
      if (frame === 0) break;
      const place = (frame - 1) * histories + history;
      words.push(history);
      ends.push(frame);
      frame = exits.wordStart[place]!;
      starts.push(frame);
      history = exits.wordBefore[place]!;
    }
    return {
      words: Int32Array.from(words.reverse()),
      startFrames: Int32Array.from(starts.reverse()),
      endFrames: Int32Array.from(ends.reverse()),
      score,
    };
  }

  return { decode };
}

/** By frame and word: where the word began that ended there, what came before it, and when silence after it began. */
function createExits(frames: number, histories: number) {
  const places = () => new Int32Array(frames * histories);
  return { frames, wordStart: places(), wordBefore: places(), silenceStart: places() };
}
