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
  if (!memory) return combine(teachers, given);
  memory.clear(combineBytes(teachers));
  return combineIn(memory, teachers, given).logPosteriors.slice();
}

/**
 * `fastCombine`, and what it is the logarithm of, for `fastKeepTokens`.
 *
 * @throws {RangeError} as `combine`
 */
export function fastCombineBoth(teachers: readonly Float32Array[], given: CombineOptions): Combined {
  const memory = sharedKernelMemory();
  if (!memory) {
    const logPosteriors = combine(teachers, given);
    return { logPosteriors, posteriors: logPosteriors.map(Math.exp) };
  }
  memory.clear(combineBytes(teachers));
  const { logPosteriors, posteriors } = combineIn(memory, teachers, given);
  return { logPosteriors: logPosteriors.slice(), posteriors: posteriors.slice() };
}

export interface Combined {
  logPosteriors: Float32Array;
  posteriors: Float32Array;
}

/** What `combineIn` needs. */
export const combineBytes = (teachers: readonly { length: number }[]): number => 12 * (teachers[0]?.length ?? 0) + 32;

/**
 * `fastCombine` for what goes on in the same memory.
 *
 * @returns arrays of that memory: log-posteriors, and what they are the logarithms of
 * @throws {RangeError} as `combine`
 */
export function combineIn(memory: KernelMemory, teachers: readonly Float32Array[], given: CombineOptions): Combined {
  const { vocabularySize, rule } = given;
  const members = membersOf(teachers, given);
  const { length } = members[0]!.values;
  const [logPosteriors, posteriors] = [0, 1].map(() => memory.floats(length + 3).subarray(0, length)) as [
    ...[Float32Array, Float32Array],
  ];
  const [logs, numbers] = [memory.at(logPosteriors), memory.at(posteriors)];
  const result = { logPosteriors, posteriors };
  for (const { values, temperature } of members) checkLogits(values, vocabularySize, temperature);
  const shape = [length / vocabularySize, vocabularySize] as const;
  const scratch = memory.floats(length);
  const scratched = (values: Float32Array): number => {
    scratch.set(values);
    return memory.at(scratch);
  };
  if (members.length === 1) {
    const { values, temperature } = members[0]!;
    const logits = values.buffer === scratch.buffer ? memory.at(values) : scratched(values);
    memory.functions.softmax!(logits, logs, numbers, ...shape, 1 / temperature);
    return result;
  }
  if (rule === 'geometric') {
    logPosteriors.set(combine(teachers, given));
    memory.functions.powers!(logs, numbers, length);
    return result;
  }
  posteriors.fill(0);
  for (const { values, share, temperature } of members) {
    memory.functions.addPosteriors!(scratched(values), numbers, ...shape, 1 / temperature, share);
  }
  memory.functions.logarithms!(numbers, logs, length);
  return result;
}
