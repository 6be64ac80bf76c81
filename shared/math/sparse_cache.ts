import type { CombineOptions } from './combine.ts';
import type { Kept } from './keep_tokens.ts';
import { fastCombine } from './kernels/fast_combine.ts';
import { fastFromHalf, fastToHalfInto } from './kernels/fast_half.ts';
import { fastKeepBest } from './kernels/fast_keep_best.ts';
import { fastKeepTokens } from './kernels/fast_keep_tokens.ts';
import { fastLogSums } from './kernels/fast_log_sums.ts';
import { fastBestTokensOfFrames } from './kernels/fast_posteriors.ts';
import { selectTokens, topK } from './select.ts';

/** What a sparse cache keeps of N frames of one combination of teachers. */
export interface CachedFrames {
  /** Tokens of each frame, out of so many in all. */
  k: number;
  vocabularySize: number;
  /** [frames × k] Best first, ties by lower id. */
  tokens: Uint16Array;
  /** [frames × k] Nats at T = 1, in half precision. */
  logPosteriors: Float32Array;
  /**
   * What makes them posteriors at each of some temperatures, [frames] each: p_T(v) = exp(log p(v) / T − logZ_T). It
   * takes the rounding of the log-posteriors into account: the mass of the k tokens is exact at each temperature.
   */
  logZ: ReadonlyMap<number, Float32Array>;
  /** [frames] Nats at T = 1, of all tokens. */
  entropy: Float32Array;
  /** [frames] How many of the teachers have the same best token as their combination; absent of a single one. */
  agreeing?: Uint8Array;
  /** [frames] Log-posterior of the blank at T = 1, for teachers that have one. */
  ofBlank?: Float32Array;
  /** [frames] Log-posterior of the hard label at T = 1, where there is one. */
  ofLabel?: Float32Array;
}

export interface CacheOptions {
  /** At most so many tokens as there are. */
  k: number;
  temperatures: readonly number[];
  /** Hard labels, [frames]. */
  labels?: Uint16Array;
  /** CTC has a blank, which is token 0. */
  hasBlank: boolean;
}

/**
 * The best tokens of what several teachers say together, with what the others are needed for.
 *
 * @param teachers log-posteriors at T = 1, each [frames × vocabularySize], of one utterance
 * @returns what to keep, and what is lost by it: see `keepTokens`. A frame that is no distribution (NaN) is not refused
 * @throws {RangeError} as `combine`
 */
export function cacheFrames(
  teachers: readonly Float32Array[],
  combining: CombineOptions,
  { k, temperatures, labels, hasBlank }: CacheOptions,
): { cached: CachedFrames; kept: Kept } {
  const { vocabularySize } = combining;
  const { combined, kept } = keepBest(teachers, combining, k);
  const frames = kept.logTail.length;
  const logPosteriors = rounded(kept.logPosteriors);
  const best = (values: Float32Array): Uint16Array => fastBestTokensOfFrames(values, vocabularySize, 1).tokens;
  const ofTokens = (tokenOf: (frame: number) => number): Float32Array =>
    Float32Array.from({ length: frames }, (_, frame) => combined[frame * vocabularySize + tokenOf(frame)]!);
  const opinions = teachers.length > 1 ? teachers.map(best) : undefined;
  const cached: CachedFrames = {
    ...{ k, vocabularySize, tokens: kept.tokens, logPosteriors },
    logZ: new Map(
      temperatures.map((temperature) => [
        temperature,
        exactNormalisers(fastLogSums(combined, vocabularySize, temperature), kept.logPosteriors, logPosteriors, {
          k,
          temperature,
        }),
      ]),
    ),
    entropy: entropyOf(kept, { k, vocabularySize }),
    ...(opinions && {
      agreeing: Uint8Array.from({ length: frames }, (_, frame) =>
        opinions.reduce((sum, tokens) => sum + Number(tokens[frame] === kept.tokens[frame * k]), 0),
      ),
    }),
    ...(hasBlank && { ofBlank: ofTokens(() => 0) }),
    ...(labels && { ofLabel: ofTokens((frame) => labels[frame]!) }),
  };
  return { cached, kept };
}

function keepBest(teachers: readonly Float32Array[], combining: CombineOptions, k: number) {
  const found = fastKeepBest(teachers, combining, { k, withCombined: true });
  if (found) return { kept: found.kept, combined: found.combined! };
  const { vocabularySize } = combining;
  const combined = fastCombine(teachers, combining);
  const everyFrame = new Float32Array(combined.length / vocabularySize).fill(1);
  return {
    combined,
    kept: fastKeepTokens(combined, vocabularySize, selectTokens(combined, vocabularySize, everyFrame, topK(k))),
  };
}

function rounded(values: Float32Array): Float32Array {
  const halves = new Uint16Array(values.length);
  fastToHalfInto(halves, values);
  return fastFromHalf(halves);
}

/** Normalisers with which the rounded log-posteriors of each frame have the mass that the exact ones have. */
function exactNormalisers(
  logSums: Float64Array,
  exact: Float32Array,
  rounded: Float32Array,
  { k, temperature }: { k: number; temperature: number },
): Float32Array {
  return Float32Array.from(logSums, (logSum, frame) => {
    let [exactMass, roundedMass] = [0, 0];
    for (let i = frame * k; i < (frame + 1) * k; i++) {
      exactMass += Math.exp(exact[i]! / temperature - logSum);
      roundedMass += Math.exp(rounded[i]! / temperature - logSum);
    }
    return logSum + Math.log(roundedMass / exactMass);
  });
}

/** −Σ p log p: of the k best one by one, of the others from what is lost when they share their mass evenly. */
function entropyOf(kept: Kept, { k, vocabularySize }: { k: number; vocabularySize: number }): Float32Array {
  const { logPosteriors, logTail, divergence } = kept;
  return Float32Array.from(logTail, (logMass, frame) => {
    let nats = 0;
    for (let i = frame * k; i < (frame + 1) * k; i++) {
      if (logPosteriors[i] !== -Infinity) nats -= Math.exp(logPosteriors[i]!) * logPosteriors[i]!;
    }
    if (logMass === -Infinity) return nats;
    return nats - divergence[frame]! - Math.exp(logMass) * (logMass - Math.log(vocabularySize - k));
  });
}
