import type { CombineOptions } from '../combine.ts';
import type { Kept } from '../keep_tokens.ts';
import { combineBytes, combineIn } from './fast_combine.ts';
import { keepBytes, keepIn } from './fast_keep_tokens.ts';
import { topBytes, topIn } from './fast_posteriors.ts';
import { sharedKernelMemory } from './memory.ts';

/**
 * `combine`, the `k` best tokens of each frame, and `keepTokens`, in one memory: the same numbers as one after another,
 * and none of them copied in between.
 *
 * @param withCombined whether what the teachers say together is wanted too
 * @returns undefined where the processor has no SIMD, or a frame has fewer numbers than tokens to keep
 * @throws {RangeError} as `combine`
 */
export function fastKeepBest(
  teachers: readonly Float32Array[],
  given: CombineOptions,
  { k, withCombined }: { k: number; withCombined: boolean },
): { kept: Kept; combined: Float32Array | undefined } | undefined {
  const memory = sharedKernelMemory();
  if (!memory) return undefined;
  const { vocabularySize } = given;
  const frames = (teachers[0]?.length ?? 0) / vocabularySize;
  const offsets = new Int32Array(frames + 1);
  for (let frame = 1; frame <= frames; frame++) offsets[frame] = frame * k;
  const sizes = { frames, vocabularySize, count: k };
  memory.clear(combineBytes(teachers) + topBytes(sizes) + keepBytes(sizes));
  const combined = combineIn(memory, teachers, given);
  const top = topIn(memory, combined, sizes);
  if (!top) return undefined;
  return {
    kept: { ...keepIn(memory, combined, vocabularySize, { offsets, tokens: top.tokens }), tokens: top.tokens.slice() },
    combined: withCombined ? combined.slice() : undefined,
  };
}
