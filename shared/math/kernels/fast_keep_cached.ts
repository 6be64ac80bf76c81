import { firstOfFrames, type KeepCached, keepCached, normalisersAt } from '../keep_cached.ts';
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
  const cells = frames * k + 3;
  memory.clear(10 * cells + 16 * (frames + 1) + 8 * vocabularySize + 4 * (k + 3));
  const given = memory.floats(cells);
  given.set(logPosteriors);
  const places = [tokens, normalisers, offsets].map(memory.put) as [number, number, number];
  const values = memory.floats(cells);
  const [logTail, divergence] = [memory.floats(frames), memory.floats(frames)];
  const mass = memory.floats64(vocabularySize).fill(0);
  const shared = memory.functions.keepCached!(
    ...[memory.at(given), places[0], places[1], frames, k, vocabularySize, 1 / temperature, places[2]],
    ...[values, logTail, divergence, mass, memory.floats(k + 3)].map(memory.at),
  );
  for (let token = 0; token < vocabularySize; token++) mass[token]! += shared;
  return {
    offsets,
    ...firstOfFrames({ tokens, values: values.slice(0, frames * k) }, { k, offsets }),
    ...{ logTail: logTail.slice(), divergence: divergence.slice(), mass: mass.slice() },
  };
}
