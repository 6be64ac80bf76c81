import { type CombineOptions, combine, membersOf } from '../combine.ts';
import { checkLogits } from '../log_softmax.ts';
import { fastLogSoftmax } from './fast_posteriors.ts';
import { sharedKernelMemory } from './memory.ts';

/**
 * `combine`, four tokens at once in float32; itself where the processor has no SIMD. In a mean of posteriors, what is
 * below 1e-38 is 0.
 *
 * @throws {RangeError} as `combine`
 */
export function fastCombine(teachers: readonly Float32Array[], given: CombineOptions): Float32Array {
  const memory = sharedKernelMemory();
  const { vocabularySize, rule } = given;
  if (!memory || rule === 'geometric') return combine(teachers, given);
  const members = membersOf(teachers, given);
  if (members.length === 1) return fastLogSoftmax(members[0]!.values, vocabularySize, members[0]!);
  const { length } = teachers[0]!;
  for (const { values, temperature } of members) checkLogits(values, vocabularySize, temperature);
  memory.clear(8 * length);
  const logits = memory.floats(length);
  const sums = memory.floats(length).fill(0);
  for (const { values, share, temperature } of members) {
    logits.set(values);
    const shape = [length / vocabularySize, vocabularySize] as const;
    memory.functions.addPosteriors!(memory.at(logits), memory.at(sums), ...shape, 1 / temperature, share);
  }
  memory.functions.logarithms!(memory.at(sums), length);
  return sums.slice();
}
