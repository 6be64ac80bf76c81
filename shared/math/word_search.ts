/** How scores are made: acousticScale × (log posterior − priorScale × log prior), languageModelScale × ln P(word | …). */
export interface SearchWeights {
  acousticScale: number; // > 0
  priorScale: number; // ≥ 0; a token of prior 0 is ruled out when it is > 0
  languageModelScale: number; // ≥ 0
  insertionPenalty: number; // nats taken off per word
}

/** Words in order, word i in frames startFrames[i] .. endFrames[i], the end excluded; silence is left out. */
export interface WordSequence {
  words: Int32Array;
  startFrames: Int32Array;
  endFrames: Int32Array;
  /**
   * Of each word, in [0, 1]: the geometric mean of the posteriors of the tokens that the best path has, over those of the
   * word's frames in which it has a token of the word.
   */
  confidences: Float64Array;
  score: number;
}

/** A search for words, one utterance after another, each frame by frame as it comes. */
export interface WordSearch {
  /** Starts an utterance; what was found of the last one is forgotten. */
  begin(weights: SearchWeights, logPrior: ArrayLike<number>): void;
  /**
   * @param logPosteriors of the next frames, [frames × vocabularySize]
   * @throws {RangeError} when they are no whole frames
   */
  push(logPosteriors: Float32Array): void;
  /** Words that will not change, whatever comes: those that all paths share. */
  stableWords(): Int32Array;
  /** Frames that have passed since the last word of the best path; 0 within a word. */
  quietFrames(): number;
  /** The best different word sequences of all frames, best first; none where every path is ruled out. */
  finish(count: number): WordSequence[];
}

/** Log-posteriors of an utterance, [frames × vocabularySize], and log priors, [vocabularySize]. */
export interface Posteriors {
  logPosteriors: Float32Array;
  logPrior: ArrayLike<number>;
}

/** The best word sequences of a whole utterance. */
export function searchUtterance(
  search: WordSearch,
  { logPosteriors, logPrior }: Posteriors,
  weights: SearchWeights,
  count = 1,
): WordSequence[] {
  search.begin(weights, logPrior);
  search.push(logPosteriors);
  return search.finish(count);
}

/** Frames in an array of scores. @throws {RangeError} when they are not whole ones */
export function framesIn({ length }: Float32Array, vocabularySize: number): number {
  if (length % vocabularySize === 0) return length / vocabularySize;
  throw new RangeError(`Cannot decode ${length} scores: not a multiple of ${vocabularySize} tokens`);
}
