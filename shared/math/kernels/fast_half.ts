import { fromHalf, toHalfInto } from '../half.ts';
import { type KernelMemory, sharedKernelMemory } from './memory.ts';

/** Numbers that go through the kernel at once: they stay in the processor's cache, and last its vectors out. */
const atOnce = 8192;

/** `fromHalf`, eight numbers at once; itself where the processor has no SIMD. */
export function fastFromHalf(halfBits: Uint16Array): Float32Array {
  const memory = sharedKernelMemory();
  if (!memory) return fromHalf(halfBits);
  const result = new Float32Array(halfBits.length);
  memory.clear(6 * atOnce);
  const halves = memory.words(atOnce);
  const values = memory.floats(atOnce);
  for (let start = 0; start < result.length; start += atOnce) {
    const count = Math.min(atOnce, result.length - start);
    halves.set(halfBits.subarray(start, start + count));
    memory.functions.fromHalf!(memory.at(halves), memory.at(values), count);
    result.set(values.subarray(0, count), start);
  }
  return result;
}

/** What `fromHalfIn` needs. */
export const fromHalfBytes = ({ length }: Uint16Array): number => 6 * (length + 8);

/** `fromHalf` in a memory. @returns an array of it */
export function fromHalfIn(memory: KernelMemory, halfBits: Uint16Array): Float32Array {
  const { length } = halfBits;
  const [halves, values] = [memory.words(length + 7), memory.floats(length + 7)];
  halves.set(halfBits);
  memory.functions.fromHalf!(memory.at(halves), memory.at(values), length);
  return values.subarray(0, length);
}

/** `toHalfInto`, eight numbers at once; itself where the processor has no SIMD. */
export function fastToHalfInto(target: Uint16Array, values: Float32Array, start = 0): void {
  const memory = sharedKernelMemory();
  if (!memory) {
    toHalfInto(target, values, start);
    return;
  }
  memory.clear(6 * atOnce);
  const floats = memory.floats(atOnce);
  const halves = memory.words(atOnce);
  for (let done = 0; done < values.length; done += atOnce) {
    const count = Math.min(atOnce, values.length - done);
    floats.set(values.subarray(done, done + count));
    memory.functions.toHalf!(memory.at(floats), memory.at(halves), count);
    target.set(halves.subarray(0, count), start + done);
  }
}
