import type { SearchWeights } from '../math/word_search.ts';
import type { Hypothesis } from '../text/hypothesis.ts';
import type { Searcher } from './search_setup.ts';

/** A part of the audio from one pause to the next, and what was said in it. */
export interface Segment {
  /** In output frames of the audio. */
  firstFrame: number;
  frames: number;
  /** Best first, one at least; of all, its words. */
  hypotheses: Hypothesis[];
  /** For each word of the best one: how much audio had been heard when it was known to stay. */
  knownAtSeconds: number[];
}

export interface SegmenterOptions extends Searcher {
  weights: SearchWeights;
  vocabularySize: number;
  nBest: number;
  /** Frames of silence after a word that end a segment; 0: only the end does. */
  endSilenceFrames: number;
  /** Frames after which a segment ends, whatever is said; 0: any number. */
  maxFrames: number;
}

export interface Segmenter {
  /**
   * @param heardSeconds of audio that were heard for these frames to be known
   * @returns segments that ended
   */
  push(logPosteriors: Float32Array, heardSeconds: number): Segment[];
  /** The last segment, where something was said in it. */
  finish(heardSeconds: number): Segment[];
  /** Words of the open segment that will not change. */
  stableWords(): string[];
}

/**
 * Cuts audio without end into segments, by what the search hears: one ends where the best path has been silent (or blank)
 * for so long since its last word. The next one begins in the middle of that silence, so that a word which has begun
 * unnoticed is not lost. Segments depend on frames alone, not on how they come.
 */
export function createSegmenter(options: SegmenterOptions): Segmenter {
  const { search, logPrior, spell, wordsOf, weights, vocabularySize, nBest, endSilenceFrames, maxFrames } = options;
  let firstFrame = 0;
  let frames = 0;
  let recent: Float32Array[] = []; // the last ones, as many as half a silence
  let knownAtSeconds: number[] = [];
  search.begin(weights, logPrior);

  function end(heardSeconds: number): Segment[] {
    const hypotheses = search.finish(nBest).map(spell);
    const { words = [] } = hypotheses[0] ?? {};
    const known = words.map((_, i) => knownAtSeconds[i] ?? heardSeconds);
    return words.length > 0 ? [{ firstFrame, frames, hypotheses, knownAtSeconds: known }] : [];
  }

  /** Begins a segment with frames that were heard before. */
  function restart(kept: readonly Float32Array[]): void {
    firstFrame += frames - kept.length;
    frames = kept.length;
    knownAtSeconds = [];
    search.begin(weights, logPrior);
    for (const row of kept) search.push(row);
  }

  function hear(row: Float32Array, heardSeconds: number): Segment[] {
    search.push(row);
    frames++;
    if (endSilenceFrames > 0) {
      recent.push(row);
      if (recent.length > endSilenceFrames >> 1) recent = recent.slice(1);
    }
    const isQuiet = endSilenceFrames > 0 && search.quietFrames() >= endSilenceFrames;
    if (!isQuiet && frames !== maxFrames) return [];
    const ended = end(heardSeconds);
    restart(isQuiet ? recent : []);
    return ended;
  }

  return {
    push(logPosteriors, heardSeconds) {
      const ended: Segment[] = [];
      for (let at = 0; at < logPosteriors.length; at += vocabularySize) {
        ended.push(...hear(logPosteriors.slice(at, at + vocabularySize), heardSeconds));
      }
      const known = search.stableWords().length;
      while (knownAtSeconds.length < known) knownAtSeconds.push(heardSeconds);
      return ended;
    },
    finish: end,
    stableWords: () => wordsOf(search.stableWords()),
  };
}
