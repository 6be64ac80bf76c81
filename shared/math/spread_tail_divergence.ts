import type { Kept } from './select.ts';

/**
 * What a frame lost when its other tokens were dropped: KL(all ‖ kept), where the tokens not kept share the tail evenly,
 * as the best guess from what is kept.
 *
 * @param row one frame of log-posteriors
 * @param kept the first of its tokens by rank
 * @returns nats, ≥ 0 up to rounding
 */
export function spreadTailDivergence(row: Float32Array, { tokens, logTail }: Kept): number {
  if (logTail === -Infinity) return 0;
  const last = tokens[tokens.length - 1]!;
  const lowest = row[last]!;
  const logEach = logTail - Math.log(row.length - tokens.length);
  let nats = 0;
  for (let token = 0; token < row.length; token++) {
    const logPosterior = row[token]!;
    const isKept = logPosterior > lowest || (logPosterior === lowest && token <= last);
    if (!isKept && logPosterior !== -Infinity) nats += Math.exp(logPosterior) * (logPosterior - logEach);
  }
  return nats;
}
