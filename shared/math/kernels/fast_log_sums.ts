import { checkLogits } from '../log_softmax.ts';
import { logSums } from '../log_sums.ts';
import { sharedKernelMemory } from './memory.ts';

/**
 * `logSums`, four tokens at once; itself where the processor has no SIMD.
 *
 * @throws {RangeError} as `logSoftmax`
 */
export function fastLogSums(logits: Float32Array, vocabularySize: number, temperature: number): Float64Array {
  const memory = sharedKernelMemory();
  if (!memory) return logSums(logits, vocabularySize, temperature);
  checkLogits(logits, vocabularySize, temperature);
  const frames = logits.length / vocabularySize;
  memory.clear(4 * logits.length + 8 * frames);
  const place = memory.at(put(memory.floats(logits.length), logits));
  const sums = memory.floats64(frames);
  memory.functions.logSums!(place, frames, vocabularySize, 1 / temperature, memory.at(sums));
  return sums.slice();
}

function put(target: Float32Array, values: Float32Array): Float32Array {
  target.set(values);
  return target;
}
