import { bytes as moduleBytes } from './bytes.ts';

/** The part of it that is used: the types come only with those of browsers. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module);
    readonly exports: object;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  function validate(bytes: Uint8Array): boolean;
}

/** What assembly/*.ts exports; arrays are given as the place of their first byte. */
type Functions = Record<string, (...numbers: number[]) => number>;

/** A memory of WebAssembly, and the functions that work in it. */
export interface KernelMemory {
  functions: Functions;
  /** Where the next array will lie. */
  mark(): number;
  /** Forgets all arrays from a mark on (without one: all), and makes room for others of so many bytes in all. */
  clear(bytes: number, mark?: number): void;
  /** An array that functions can work on; what it holds is not defined. It is gone when a `clear` made more room. */
  floats(length: number): Float32Array;
  floats64(length: number): Float64Array;
  integers(length: number): Int32Array;
  words(length: number): Uint16Array;
  bytes(length: number): Uint8Array;
  /** The place of an array; 0 for none. */
  at(array: NumberArray | undefined): number;
  /** The place of an array's numbers: of a copy, where it lies elsewhere. */
  put(array: NumberArray): number;
}
type NumberArray = Float32Array | Float64Array | Int32Array | Uint16Array | Uint8Array;

/** Places are multiples of a cache line, which is also what TensorFlow wants to read arrays in place. */
const alignment = 64;
const aligned = (place: number): number => Math.ceil(place / alignment) * alignment;
const pageBytes = 65536;
/** Room for the gaps between arrays, beside what was asked for. */
const spareBytes = 64 * pageBytes;

let compiled: WebAssembly.Module | undefined;

/** A new memory; undefined where the processor has no SIMD. */
export function openKernelMemory(): KernelMemory | undefined {
  if (!compiled) {
    const binary = Buffer.from(moduleBytes, 'base64');
    if (!WebAssembly.validate(binary)) return undefined;
    compiled = new WebAssembly.Module(binary);
  }
  const { memory, ...functions } = new WebAssembly.Instance(compiled).exports as { memory: WebAssembly.Memory };
  const start = aligned((functions as Functions).heapBase!());
  let next = start;
  const take = (byteLength: number): number => {
    const place = next;
    next = aligned(next + byteLength);
    if (next > memory.buffer.byteLength) throw new RangeError('Cannot give out more memory than was cleared');
    return place;
  };
  const at = (array: NumberArray | undefined): number => {
    if (!array) return 0;
    if (array.buffer !== memory.buffer) throw new RangeError('Cannot work on an array of another memory');
    return array.byteOffset;
  };
  return {
    functions: functions as Functions,
    mark: () => next,
    clear(bytes, mark = start) {
      next = mark;
      const missing = next + bytes + spareBytes - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    },
    floats: (length) => new Float32Array(memory.buffer, take(4 * length), length),
    integers: (length) => new Int32Array(memory.buffer, take(4 * length), length),
    words: (length) => new Uint16Array(memory.buffer, take(2 * length), length),
    bytes: (length) => new Uint8Array(memory.buffer, take(length), length),
    floats64: (length) => new Float64Array(memory.buffer, take(8 * length), length),
    at,
    put(array) {
      if (array.buffer === memory.buffer) return array.byteOffset;
      const place = take(array.byteLength);
      new Uint8Array(memory.buffer, place, array.byteLength).set(
        new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
      );
      return place;
    },
  };
}

let shared: { memory: KernelMemory | undefined } | undefined;

/** A memory for calls that leave nothing in it, the same one every time. */
export function sharedKernelMemory(): KernelMemory | undefined {
  shared ??= { memory: openKernelMemory() };
  return shared.memory;
}
