import { fastBestTokensOfFrames } from './kernels/fast_posteriors.ts';
import type { Random } from './random.ts';
import { topTokens } from './top_tokens.ts';

/** Tokens of N frames: frame i has those from `offsets[i]` to `offsets[i + 1]`, best first, ties by lower id. */
export interface Ranked {
  /** [frames + 1] */
  offsets: Int32Array;
  tokens: Uint16Array;
}

/** Which of a frame's tokens stay: the first so many, ranked. */
export interface Selection {
  /** How many are looked at first. */
  first: number;
  /**
   * How many of the best tokens, given by their log-posteriors, stay; Infinity where that takes all of them to say.
   * Absent where those looked at are those that stay.
   */
  count?(best: Float32Array): number;
}

/** The k best tokens. */
export const topK = (k: number): Selection => ({ first: k });

/**
 * The fewest tokens that together have mass `mass`, in (0, 1].
 * @see Holtzman et al. (2020), The Curious Case of Neural Text Degeneration, eq. 2
 */
export const topP = (mass: number): Selection => ({
  first: mass < 1 ? 16 : Infinity,
  count(best) {
    const enough = mass < 1 ? mass : best.reduce((sum, logPosterior) => sum + Math.exp(logPosterior), 0);
    let sum = 0;
    for (let i = 0; i < best.length; i++) {
      sum += Math.exp(best[i]!);
      if (sum >= enough) return i + 1;
    }
    return Infinity;
  },
});

/** The tokens whose posterior is at least `least`; the best one always. */
export const threshold = (least: number): Selection => ({
  first: 16,
  count(best) {
    const below = best.findIndex((logPosterior) => !(Math.exp(logPosterior) >= least));
    return below < 0 ? Infinity : Math.max(1, below);
  },
});

/**
 * The tokens of each frame that stay; none where a frame's weight is 0.
 *
 * @param logPosteriors [frames × vocabularySize]
 * @param weight [frames]
 */
export function selectTokens(
  logPosteriors: Float32Array,
  vocabularySize: number,
  weight: Float32Array,
  { first, count }: Selection,
): Ranked {
  const looked = Math.min(first, vocabularySize);
  const top = fastBestTokensOfFrames(logPosteriors, vocabularySize, looked);
  if (!count && weight.every((value) => value > 0)) {
    const offsets = new Int32Array(weight.length + 1);
    for (let frame = 1; frame < offsets.length; frame++) offsets[frame] = frame * looked;
    return { offsets, tokens: top.tokens };
  }
  return concatenate(weight, (frame) => {
    const start = frame * looked;
    if (!count) return top.tokens.subarray(start, start + looked);
    const kept = count(top.scores.subarray(start, start + looked));
    if (kept <= looked) return top.tokens.subarray(start, start + kept);
    const row = logPosteriors.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
    const ranked = topTokens(row, vocabularySize);
    return ranked.subarray(0, Math.min(vocabularySize, count(Float32Array.from(ranked, (token) => row[token]!))));
  });
}

function concatenate(weight: Float32Array, tokensOf: (frame: number) => Uint16Array): Ranked {
  const offsets = new Int32Array(weight.length + 1);
  const parts: Uint16Array[] = [];
  for (let frame = 0; frame < weight.length; frame++) {
    const part = weight[frame]! > 0 ? tokensOf(frame) : nothing;
    parts.push(part);
    offsets[frame + 1] = offsets[frame]! + part.length;
  }
  const tokens = new Uint16Array(offsets[weight.length]!);
  parts.forEach((part, frame) => void tokens.set(part, offsets[frame]));
  return { offsets, tokens };
}

const nothing = new Uint16Array(0);

/**
 * Tokens drawn with replacement, each with the share of the draws it got: on average the distribution itself, so that
 * the gradient of a student is unbiased too. None where a frame's weight is 0.
 *
 * @param logPosteriors [frames × vocabularySize]
 * @returns with the log of the shares, and a tail without mass
 * @see Anshumann et al. (2025), Sparse Logit Sampling: Accelerating Knowledge Distillation in LLMs (proposal p^t, t = 1)
 */
export function sampleTokens(
  logPosteriors: Float32Array,
  vocabularySize: number,
  weight: Float32Array,
  { draws, random }: { draws: number; random: Pick<Random, 'uniform'> },
): Ranked & { logPosteriors: Float32Array; logTail: Float32Array } {
  const shares: Float32Array[] = [];
  const ranked = concatenate(weight, (frame) => {
    const counts = drawCounts(
      logPosteriors.subarray(frame * vocabularySize, (frame + 1) * vocabularySize),
      draws,
      random,
    );
    const tokens = topTokens(counts, Math.min(draws, vocabularySize)).filter((token) => counts[token]! > 0);
    shares.push(Float32Array.from(tokens, (token) => Math.log(counts[token]! / draws)));
    return tokens;
  });
  const logTail = Float32Array.from(weight, (value) => (value > 0 ? -Infinity : 0));
  return { ...ranked, logPosteriors: Float32Array.from(shares.flatMap((share) => [...share])), logTail };
}

/** How often each token of a frame is drawn. */
function drawCounts(row: Float32Array, draws: number, random: Pick<Random, 'uniform'>): Float32Array {
  const cumulative = new Float64Array(row.length);
  let total = 0;
  for (let token = 0; token < row.length; token++) {
    total += Math.exp(row[token]!);
    cumulative[token] = total;
  }
  const counts = new Float32Array(row.length);
  for (let draw = 0; draw < draws; draw++) counts[firstAbove(cumulative, random.uniform() * total)]!++;
  return counts;
}

/** Index of the first value above `limit`, in ascending values. */
function firstAbove(values: Float64Array, limit: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
