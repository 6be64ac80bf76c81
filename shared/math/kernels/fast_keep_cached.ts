import { type KeepCached, keepCached, normalisersAt } from '../keep_cached.ts';
import type { Kept } from '../keep_tokens.ts';
import type { CachedFrames } from '../sparse_cache.ts';
import { sharedKernelMemory } from './memory.ts';

/**
 * `keepCached`, four tokens at once in float32; itself where the processor has no SIMD.
 *
 * @throws {RangeError} as `keepCached`
 */
export function fastKeepCached(cached: CachedFrames, { temperature, offsets }: KeepCached): Kept {
  const memory = sharedKernelMemory();
  if (!memory) return keepCached(cached, { temperature, offsets });
  const { k, vocabularySize, tokens, logPosteriors, logZ } = cached;
  const normalisers = normalisersAt(logZ, temperature);
  const frames = offsets.length - 1;
  const kept = offsets[frames]!;
  memory.clear(6 * (frames * k + kept + 3) + 20 * (frames + 1) + 8 * vocabularySize + 8 * (k + 3));
  // the last vector may reach beyond the last log-posterior
  const given = memory.floats(frames * k + 3);
  given.set(logPosteriors);
  const places = [tokens, normalisers, offsets].map(memory.put) as [number, number, number];
  const result = { tokens: memory.words(kept), logPosteriors: memory.floats(kept) };
  const [lostMass, logTail, divergence] = [frames, frames, frames].map(memory.floats) as [
    ...[Float32Array, Float32Array, Float32Array],
  ];
  const mass = memory.floats64(vocabularySize).fill(0);
  const room = [memory.floats(k + 3), memory.floats(k + 3)];
  memory.functions.keepCached!(
    ...[memory.at(given), places[0], places[1], frames, k, vocabularySize, 1 / temperature, places[2]],
    ...[result.tokens, result.logPosteriors, lostMass, logTail, divergence, mass, ...room].map(memory.at),
  );
  return {
    ...{ offsets, tokens: result.tokens.slice(), logPosteriors: result.logPosteriors.slice() },
    ...{ lostMass: lostMass.slice(), logTail: logTail.slice(), divergence: divergence.slice(), mass: mass.slice() },
  };
}
