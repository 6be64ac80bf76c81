import type { Random } from './random.ts';
import { topTokens } from './top_tokens.ts';

/** What stays of one frame. */
export interface Kept {
  /** Best first, ties by lower id. */
  tokens: Uint16Array;
  /** Nats. */
  logPosteriors: Float32Array;
  /** Log of the mass that does not stay; −∞ where none is lost. */
  logTail: number;
}

/** The first `count` of ranked tokens; the tail is summed over the others, never taken as 1 less the mass kept. */
function keepFirst(row: Float32Array, ranked: Uint16Array, count: number): Kept {
  const tokens = ranked.subarray(0, count);
  const last = tokens[count - 1]!;
  const lowest = row[last]!;
  let tail = 0;
  for (let token = 0; token < row.length; token++) {
    const logPosterior = row[token]!;
    if (logPosterior < lowest || (logPosterior === lowest && token > last)) tail += Math.exp(logPosterior);
  }
  return { tokens, logPosteriors: Float32Array.from(tokens, (token) => row[token]!), logTail: Math.log(tail) };
}

/** The k best tokens. `row` is one frame of log-posteriors, here and below. */
export const topK = (row: Float32Array, k: number): Kept => keepFirst(row, topTokens(row, k), k);

/** All tokens, ranked. */
export const all = (row: Float32Array): Kept => topK(row, row.length);

/**
 * The fewest tokens that together have mass `mass`, in (0, 1].
 * @see Holtzman et al. (2020), The Curious Case of Neural Text Degeneration, eq. 2
 */
export function topP(row: Float32Array, mass: number): Kept {
  const ranked = topTokens(row, row.length);
  let total = 0;
  for (const token of ranked) total += Math.exp(row[token]!);
  let count = 0;
  let sum = 0;
  while (count < row.length && sum < mass * total) sum += Math.exp(row[ranked[count++]!]!);
  return keepFirst(row, ranked, count);
}

/** The tokens whose posterior is at least `threshold`; the best one always. */
export function threshold(row: Float32Array, threshold: number): Kept {
  const ranked = topTokens(row, row.length);
  let count = 1;
  while (count < row.length && Math.exp(row[ranked[count]!]!) >= threshold) count++;
  return keepFirst(row, ranked, count);
}

/**
 * Tokens drawn with replacement, each with the share of the draws it got: on average the distribution itself, so that
 * the gradient of a student is unbiased too.
 * @see Anshumann et al. (2025), Sparse Logit Sampling: Accelerating Knowledge Distillation in LLMs (proposal p^t, t = 1)
 */
export function sample(row: Float32Array, draws: number, random: Pick<Random, 'uniform'>): Kept {
  const cumulative = new Float64Array(row.length);
  let total = 0;
  for (let token = 0; token < row.length; token++) {
    total += Math.exp(row[token]!);
    cumulative[token] = total;
  }
  const counts = new Float32Array(row.length);
  for (let draw = 0; draw < draws; draw++) counts[firstAbove(cumulative, random.uniform() * total)]!++;
  const ranked = topTokens(counts, Math.min(draws, row.length)).filter((token) => counts[token]! > 0);
  const logPosteriors = Float32Array.from(ranked, (token) => Math.log(counts[token]! / draws));
  return { tokens: ranked, logPosteriors, logTail: -Infinity };
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
