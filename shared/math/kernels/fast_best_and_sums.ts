import type { CombineOptions } from '../combine.ts';
import { type FrameSums, frameSums } from '../frame_sums.ts';
import { combineBytes, combineIn, fastCombine } from './fast_combine.ts';
import { fastBestTokensOfFrames, topBytes, topIn } from './fast_posteriors.ts';
import { sharedKernelMemory } from './memory.ts';

export interface BestAndSums extends FrameSums {
  /** [frames × k] Best first, ties by lower id, and their log-posteriors. */
  tokens: Uint16Array;
  scores: Float32Array;
  /** [frames] Log-posteriors of tokens asked for, a list for each. */
  asked: Float32Array[];
}

interface Asked {
  k: number;
  /** The first one is 1. */
  temperatures: readonly number[];
  /** Lists of a token a frame. */
  tokens: readonly ArrayLike<number>[];
}

/**
 * `combine`, the `k` best tokens of each frame, and `frameSums`, in one memory, four tokens at once; one after another
 * where the processor has no SIMD, or a frame has fewer numbers than tokens to keep.
 *
 * @param teachers log-posteriors at T = 1, each [frames × vocabularySize]
 * @throws {RangeError} as `combine`
 */
export function fastBestAndSums(
  teachers: readonly Float32Array[],
  combining: CombineOptions,
  { k, temperatures, tokens }: Asked,
): BestAndSums {
  const { vocabularySize } = combining;
  const pick = (combined: Float32Array): Float32Array[] =>
    tokens.map((list) => Float32Array.from(list, (token, frame) => combined[frame * vocabularySize + token]!));
  const memory = sharedKernelMemory();
  const frames = (teachers[0]?.length ?? 0) / vocabularySize;
  const sizes = { frames, vocabularySize, count: k };
  memory?.clear(combineBytes(teachers) + topBytes(sizes) + (8 * frames + 4) * (temperatures.length + 1));
  const inMemory = memory && combineIn(memory, teachers, combining).logPosteriors;
  const top = inMemory && topIn(memory, inMemory, sizes);
  if (!top) {
    const combined = fastCombine(teachers, combining);
    return {
      ...fastBestTokensOfFrames(combined, vocabularySize, k),
      ...frameSums(combined, vocabularySize, temperatures),
      asked: pick(combined),
    };
  }
  const inverses = memory.floats(temperatures.length - 1);
  inverses.set(temperatures.slice(1).map((temperature) => 1 / temperature));
  const entropy = memory.floats64(frames);
  const sums = memory.floats64(frames * temperatures.length);
  memory.functions.frameSums!(
    ...[memory.at(inMemory), frames, vocabularySize, memory.at(inverses), inverses.length],
    ...[entropy, sums].map(memory.at),
  );
  return {
    ...{ tokens: top.tokens.slice(), scores: top.scores.slice(), entropy: entropy.slice() },
    logSums: temperatures.map((_, i) => sums.slice(i * frames, (i + 1) * frames)),
    asked: pick(inMemory),
  };
}
