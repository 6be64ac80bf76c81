import type { Ranked } from './select.ts';

/** What stays of N frames when only some tokens do. */
export interface Kept extends Ranked {
  /** Of the tokens that stay, nats. */
  logPosteriors: Float32Array;
  /** [frames] Mass that does not stay: 1 where no token is kept. */
  lostMass: Float32Array;
  /** [frames] Its logarithm: −∞ where none is lost. */
  logTail: Float32Array;
  /**
   * [frames] What each frame lost: KL(all ‖ kept) in nats, where the tokens not kept share the tail evenly, as the best
   * guess from what is kept; 0 where no token is kept.
   */
  divergence: Float32Array;
  /** [vocabularySize] Posterior mass of each token, summed over all frames. */
  mass: Float64Array;
}

/**
 * Keeps some tokens of each frame. The tail is summed over the others, never taken as 1 less the mass kept.
 *
 * @param logPosteriors [frames × vocabularySize]
 */
export function keepTokens(logPosteriors: Float32Array, vocabularySize: number, { offsets, tokens }: Ranked): Kept {
  const frames = offsets.length - 1;
  const kept: Kept = {
    ...{ offsets, tokens, logPosteriors: new Float32Array(tokens.length) },
    ...{
      lostMass: new Float32Array(frames).fill(1),
      logTail: new Float32Array(frames),
      divergence: new Float32Array(frames),
    },
    mass: new Float64Array(vocabularySize),
  };
  const lost = new Float64Array(vocabularySize);
  for (let frame = 0; frame < frames; frame++) {
    const start = frame * vocabularySize;
    for (let token = 0; token < vocabularySize; token++) {
      lost[token] = Math.exp(logPosteriors[start + token]!);
      kept.mass[token]! += lost[token]!;
    }
    const [from, to] = [offsets[frame]!, offsets[frame + 1]!];
    if (from === to) continue;
    for (let i = from; i < to; i++) {
      kept.logPosteriors[i] = logPosteriors[start + tokens[i]!]!;
      lost[tokens[i]!] = 0;
    }
    let tail = 0;
    let nats = 0;
    for (let token = 0; token < vocabularySize; token++) {
      tail += lost[token]!;
      if (lost[token]! > 0) nats += lost[token]! * logPosteriors[start + token]!;
    }
    const logTail = Math.log(tail);
    kept.lostMass[frame] = tail;
    kept.logTail[frame] = logTail;
    if (tail > 0) kept.divergence[frame] = nats - tail * (logTail - Math.log(vocabularySize - (to - from)));
  }
  return kept;
}
