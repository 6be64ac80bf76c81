import type { Kept } from '../math/keep_tokens.ts';
import type { BestOfFrames } from '../math/label_tally.ts';
import type { sampleTokens } from '../math/select.ts';

/** What is asked of each utterance; see the options of filter_targets. */
export interface FilterPolicy {
  temperature: number;
  select: 'top-k' | 'top-p' | 'threshold' | 'sample' | 'all';
  /** Tokens, mass, posterior or draws. */
  amount: number;
  seed: number;
  gate: 'none' | 'correct' | 'confidence' | 'entropy' | 'agreement' | 'blank';
  gateThreshold?: number;
  /** Of the ensemble. */
  chosen: readonly number[];
}

/** What stays of an utterance, before the tail goes where it belongs. */
export interface FilteredFrames {
  /** [frames × vocabularySize]; left out where nobody asks for it. */
  combined?: Float32Array;
  /** In its place, of a sparse cache. */
  best?: BestOfFrames;
  weight: Float32Array;
  kept: Kept;
  /** What is stored instead of it, of draws. */
  drawn?: ReturnType<typeof sampleTokens>;
}
