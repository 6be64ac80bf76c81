import type { Kept } from './keep_tokens.ts';
import type { CachedFrames } from './sparse_cache.ts';

export interface KeepCached {
  /** One of those that the cache has a normaliser for. */
  temperature: number;
  /** [frames + 1] How many of a frame's tokens are kept, the best ones: the difference of two neighbours. */
  offsets: Int32Array;
}

/**
 * Keeps some tokens of each frame of a cache: `keepTokens` without the other tokens. Those that the cache does not have
 * share its tail evenly, in the divergence (which is then that of the cache, KL(cache ‖ kept)) and the mass of tokens.
 *
 * @throws {RangeError} when the cache has no such temperature
 */
export function keepCached(cached: CachedFrames, { temperature, offsets }: KeepCached): Kept {
  const { k, vocabularySize, tokens } = cached;
  const frames = offsets.length - 1;
  const values = logPosteriorsAt(cached, temperature);
  const others = vocabularySize - k;
  const kept = {
    ...{
      lostMass: new Float32Array(frames).fill(1),
      logTail: new Float32Array(frames),
      divergence: new Float32Array(frames),
    },
    mass: new Float64Array(vocabularySize),
  };
  let shared = 0;
  for (let frame = 0; frame < frames; frame++) {
    const start = frame * k;
    const count = offsets[frame + 1]! - offsets[frame]!;
    let [sum, within, nats] = [0, 0, 0];
    for (let i = start; i < start + k; i++) {
      const posterior = Math.exp(values[i]!);
      sum += posterior;
      kept.mass[tokens[i]!]! += posterior;
      if (i < start + count || posterior === 0) continue;
      within += posterior;
      nats += posterior * values[i]!;
    }
    const beyond = others > 0 ? Math.max(0, 1 - sum) : 0;
    if (beyond > 0) {
      shared += beyond / others;
      for (let i = start; i < start + k; i++) kept.mass[tokens[i]!]! -= beyond / others;
      nats += beyond * Math.log(beyond / others);
    }
    if (count === 0) continue;
    const tail = within + beyond;
    kept.lostMass[frame] = tail;
    kept.logTail[frame] = Math.log(tail);
    // of a tail that the cache has as a whole, nothing is lost that it knows of
    if (count < k && tail > 0) kept.divergence[frame] = nats - tail * Math.log(tail / (vocabularySize - count));
  }
  for (let token = 0; token < vocabularySize; token++) kept.mass[token]! += shared;
  return { offsets, ...firstOfFrames({ tokens, values }, { k, offsets }), ...kept };
}

/**
 * Log-posteriors of the cached tokens, [frames × k].
 *
 * @throws {RangeError} when the cache has no such temperature
 */
export function logPosteriorsAt({ logPosteriors, logZ, k }: CachedFrames, temperature: number): Float32Array {
  const normalisers = normalisersAt(logZ, temperature);
  const values = new Float32Array(logPosteriors.length);
  for (let frame = 0, i = 0; frame < normalisers.length; frame++) {
    for (const end = i + k; i < end; i++) values[i] = logPosteriors[i]! / temperature - normalisers[frame]!;
  }
  return values;
}

/** @throws {RangeError} when there are none */
export function normalisersAt(logZ: CachedFrames['logZ'], temperature: number): Float32Array {
  const found = logZ.get(temperature);
  if (found) return found;
  throw new RangeError(`Cannot use temperature ${temperature}: the cache has ${[...logZ.keys()].join(', ')}`);
}

/** The first of the k tokens of each frame, as many as the offsets say. */
function firstOfFrames(
  { tokens, values }: { tokens: Uint16Array; values: Float32Array },
  { k, offsets }: { k: number; offsets: Int32Array },
): Pick<Kept, 'tokens' | 'logPosteriors'> {
  const frames = offsets.length - 1;
  const count = offsets[frames]!;
  if (count === tokens.length) return { tokens, logPosteriors: values };
  const kept = { tokens: new Uint16Array(count), logPosteriors: new Float32Array(count) };
  for (let frame = 0; frame < frames; frame++) {
    const [from, to] = [offsets[frame]!, offsets[frame + 1]!];
    for (let i = from, j = frame * k; i < to; i++, j++) {
      kept.tokens[i] = tokens[j]!;
      kept.logPosteriors[i] = values[j]!;
    }
  }
  return kept;
}
