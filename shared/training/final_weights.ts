import { addToMeanInto } from '../math/running_mean.ts';

export interface FinalWeightsOptions {
  /** Parameters of the network. */
  count: number;
  updates: number;
  /** Share of the updates, the last ones, whose weights are averaged; 0: none. */
  averageLast: number;
  /** Whether the best evaluated weights are kept; otherwise the last ones are. */
  earlyStopping: boolean;
}

/** Which weights a training ends with: those of the last update, a mean of several, or the best of those evaluated. */
export interface FinalWeights {
  /** What a checkpoint has to hold beside the weights; all else follows from the number of updates. */
  arrays: readonly (Float32Array | Float64Array)[];
  /** Takes in the weights after an update, counted from 1. */
  follow(update: number, weights: Float32Array): void;
  /** How many weights the mean is of, after so many updates; 1: there is no mean yet. */
  averaged(update: number): number;
  /** What would be the model if training ended after this update: the mean, or the weights themselves. */
  candidate(update: number, weights: Float32Array): Float32Array;
  /** Keeps a candidate that is the best so far; without early stopping none is kept. */
  keep(candidate: Float32Array): void;
  /** The best candidate, or with early stopping off the last one. */
  chosen(update: number, weights: Float32Array): Float32Array;
}

/**
 * @see Polyak, Juditsky (1992), Acceleration of Stochastic Approximation by Averaging; Izmailov et al. (2018), Averaging
 *   Weights Leads to Wider Optima, algorithm 1 (with every update taken, at the schedule's own rate)
 */
export function createFinalWeights({ count, updates, averageLast, earlyStopping }: FinalWeightsOptions): FinalWeights {
  // a share too small for one update is the last one
  const averagedAtEnd = averageLast > 0 ? Math.max(1, Math.round(averageLast * updates)) : 0;
  const mean = new Float64Array(averagedAtEnd > 0 ? count : 0);
  const best = new Float32Array(earlyStopping ? count : 0);
  const inMean = (update: number): number => Math.max(0, update - (updates - averagedAtEnd));
  const candidate = (update: number, weights: Float32Array): Float32Array =>
    inMean(update) > 0 ? Float32Array.from(mean) : weights;
  return {
    arrays: [mean, best],
    follow(update, weights) {
      const n = inMean(update);
      if (n > 0) addToMeanInto(mean, weights, n);
    },
    averaged: (update) => Math.max(1, inMean(update)),
    candidate,
    keep: (candidate) => {
      if (earlyStopping) best.set(candidate);
    },
    chosen: (update, weights) => (earlyStopping ? best : candidate(update, weights)),
  };
}

/** Place of the evaluation with the lowest loss, the first of several; −1 where there is none. */
export function bestEvaluation(losses: readonly number[]): number {
  let best = -1;
  losses.forEach((loss, i) => {
    if (best < 0 || loss < losses[best]!) best = i;
  });
  return best;
}
