import type { CombineOptions } from './combine.ts';
import { fastBestAndSums } from './kernels/fast_best_and_sums.ts';
import { fastFromHalf, fastToHalfInto } from './kernels/fast_half.ts';
import { fastBestTokensOfFrames } from './kernels/fast_posteriors.ts';

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
  /** The first one is 1. */
  temperatures: readonly number[];
  /** Hard labels, [frames]. */
  labels?: Uint16Array;
  /** CTC has a blank, which is token 0. */
  hasBlank: boolean;
}

/** What a cache does not keep, at T = 1, [frames] each. */
export interface LostFrames {
  mass: Float32Array;
  /** KL(combination ‖ kept) in nats, where the tokens not kept share their mass evenly. */
  divergence: Float32Array;
}

/**
 * The best tokens of what several teachers say together, with what the others are needed for.
 *
 * @param teachers log-posteriors at T = 1, each [frames × vocabularySize], of one utterance
 * @returns what to keep, and what is lost by it. A frame that is no distribution has an entropy that is NaN
 * @throws {RangeError} as `combine`
 */
export function cacheFrames(
  teachers: readonly Float32Array[],
  combining: CombineOptions,
  { k, temperatures, labels, hasBlank }: CacheOptions,
): { cached: CachedFrames; lost: LostFrames } {
  const { vocabularySize } = combining;
  const frames = teachers[0]!.length / vocabularySize;
  const blanks = new Uint16Array(frames);
  const { tokens, scores, entropy, logSums, asked } = fastBestAndSums(teachers, combining, {
    ...{ k, temperatures },
    tokens: [...(hasBlank ? [blanks] : []), ...(labels ? [labels] : [])],
  });
  const logPosteriors = rounded(scores);
  const cached: CachedFrames = {
    ...{ k, vocabularySize, tokens, logPosteriors },
    logZ: new Map(
      temperatures.map((temperature, i) => [
        temperature,
        exactNormalisers(logSums[i]!, { exact: scores, rounded: logPosteriors }, { k, temperature }),
      ]),
    ),
    entropy: Float32Array.from(entropy),
    ...(teachers.length > 1 && { agreeing: agreeingOn(tokens, teachers, { k, vocabularySize }) }),
    ...(hasBlank && { ofBlank: asked[0] }),
    ...(labels && { ofLabel: asked.at(-1) }),
  };
  return { cached, lost: lostBy(scores, entropy, { k, vocabularySize }) };
}

/** How many teachers have the best token of each frame as their own best. */
function agreeingOn(
  tokens: Uint16Array,
  teachers: readonly Float32Array[],
  { k, vocabularySize }: { k: number; vocabularySize: number },
): Uint8Array {
  const opinions = teachers.map((values) => fastBestTokensOfFrames(values, vocabularySize, 1).tokens);
  return Uint8Array.from({ length: tokens.length / k }, (_, frame) =>
    opinions.reduce((sum, best) => sum + Number(best[frame] === tokens[frame * k]), 0),
  );
}

function rounded(values: Float32Array): Float32Array {
  const halves = new Uint16Array(values.length);
  fastToHalfInto(halves, values);
  return fastFromHalf(halves);
}

/** Normalisers with which the rounded log-posteriors of each frame have the mass that the exact ones have. */
function exactNormalisers(
  logSums: Float64Array,
  { exact, rounded }: { exact: Float32Array; rounded: Float32Array },
  { k, temperature }: { k: number; temperature: number },
): Float32Array {
  const result = new Float32Array(logSums.length);
  for (let frame = 0, i = 0; frame < result.length; frame++) {
    const logSum = logSums[frame]!;
    let [exactMass, roundedMass] = [0, 0];
    for (const end = i + k; i < end; i++) {
      exactMass += Math.exp(exact[i]! / temperature - logSum);
      roundedMass += Math.exp(rounded[i]! / temperature - logSum);
    }
    result[frame] = logSum + Math.log(roundedMass / exactMass);
  }
  return result;
}

/** The entropy tells what is lost of the tokens that are not kept. */
function lostBy(
  scores: Float32Array,
  entropy: Float64Array,
  { k, vocabularySize }: { k: number; vocabularySize: number },
): LostFrames {
  const lost = { mass: new Float32Array(entropy.length), divergence: new Float32Array(entropy.length) };
  if (k === vocabularySize) return lost;
  for (let frame = 0, i = 0; frame < entropy.length; frame++) {
    let [mass, nats] = [1, -entropy[frame]!];
    for (const end = i + k; i < end; i++) {
      const posterior = Math.exp(scores[i]!);
      mass -= posterior;
      if (posterior > 0) nats -= posterior * scores[i]!;
    }
    if (!(mass > 0)) continue;
    lost.mass[frame] = mass;
    lost.divergence[frame] = Math.max(0, nats - mass * Math.log(mass / (vocabularySize - k)));
  }
  return lost;
}
