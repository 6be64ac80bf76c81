import type { CombineOptions } from '../combine.ts';
import type { Kept } from '../keep_tokens.ts';
import { combineBytes, combineIn } from './fast_combine.ts';
import { fromHalfBytes, fromHalfIn } from './fast_half.ts';
import { keepBytes, keepIn } from './fast_keep_tokens.ts';
import { topBytes, topIn } from './fast_posteriors.ts';
import { sharedKernelMemory } from './memory.ts';

/**
 * `combine`, the `k` best tokens of each frame, and `keepTokens`, in one memory, where posteriors are made once and
 * nothing is copied in between.
 *
 * @param teachers as of `combine`; or their halves, as bits
 * @param withCombined whether what the teachers say together is wanted too
 * @returns undefined where the processor has no SIMD, or a frame has fewer numbers than tokens to keep
 * @throws {RangeError} as `combine`
 */
export function fastKeepBest(
  teachers: readonly (Float32Array | Uint16Array)[],
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
  const halfBytes = teachers.map((values) => (values instanceof Uint16Array ? fromHalfBytes(values) : 0));
  memory.clear(
    halfBytes.reduce((sum, bytes) => sum + bytes, combineBytes(teachers) + topBytes(sizes) + keepBytes(sizes)),
  );
  const members = teachers.map((values) => (values instanceof Uint16Array ? fromHalfIn(memory, values) : values));
  const combined = combineIn(memory, members, given);
  const top = topIn(memory, combined.logPosteriors, sizes);
  if (!top) return undefined;
  return {
    kept: { ...keepIn(memory, combined, vocabularySize, { offsets, tokens: top.tokens }), tokens: top.tokens.slice() },
    combined: withCombined ? combined.logPosteriors.slice() : undefined,
  };
}
