import { type CombineOptions, combine, membersOf } from '../combine.ts';
import { checkLogits } from '../log_softmax.ts';
import { type KernelMemory, sharedKernelMemory } from './memory.ts';

/**
 * `combine`, four tokens at once in float32; itself where the processor has no SIMD. In a mean of posteriors, what is
 * below 1e-38 is 0.
 *
 * @throws {RangeError} as `combine`
 */
export function fastCombine(teachers: readonly Float32Array[], given: CombineOptions): Float32Array {
  const memory = sharedKernelMemory();
  if (!memory || given.rule === 'geometric') return combine(teachers, given);
  memory.clear(combineBytes(teachers));
  return combineIn(memory, teachers, given).slice();
}

/** What `combineIn` needs. */
export const combineBytes = (teachers: readonly Float32Array[]): number => 8 * (teachers[0]?.length ?? 0);

/**
 * `fastCombine` for what goes on in the same memory.
 *
 * @returns an array of that memory
 * @throws {RangeError} as `combine`
 */
export function combineIn(
  memory: KernelMemory,
  teachers: readonly Float32Array[],
  given: CombineOptions,
): Float32Array {
  const { vocabularySize, rule } = given;
  const members = membersOf(teachers, given);
  const { length } = members[0]!.values;
  const result = memory.floats(length);
  if (rule === 'geometric') {
    result.set(combine(teachers, given));
    return result;
  }
  for (const { values, temperature } of members) checkLogits(values, vocabularySize, temperature);
  const shape = [length / vocabularySize, vocabularySize] as const;
  const place = memory.at(result);
  if (members.length === 1) {
    const { values, temperature } = members[0]!;
    result.set(values);
    memory.functions.logSoftmax!(place, place, ...shape, 1 / temperature);
    return result;
  }
  const logits = memory.floats(length);
  result.fill(0);
  for (const { values, share, temperature } of members) {
    logits.set(values);
    memory.functions.addPosteriors!(memory.at(logits), place, ...shape, 1 / temperature, share);
  }
  memory.functions.logarithms!(place, length);
  return result;
}
