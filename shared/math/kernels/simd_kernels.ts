import { type AdamSettings, type AdamState, adamCorrections } from '../adamw.ts';
import { dropRule } from '../kept_units.ts';
import { forEachUtterance } from '../unfold.ts';
import { bytes as moduleBytes } from './bytes.ts';
import type { Kernels } from './kernels.ts';

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

/** What assembly/*.ts exports; each array is the place of its first byte. */
type Exports = Record<string, (...numbers: number[]) => number> & { memory: WebAssembly.Memory };

/** Places are multiples of a cache line, which is also what TensorFlow wants to read arrays in place. */
const alignment = 64;
const aligned = (place: number): number => Math.ceil(place / alignment) * alignment;
const pageBytes = 65536;

let compiled: WebAssembly.Module | undefined;

/** Kernels in WebAssembly; undefined where the processor has no SIMD. */
export function simdKernels(): Kernels | undefined {
  const binary = Buffer.from(moduleBytes, 'base64');
  if (!compiled && !WebAssembly.validate(binary)) return undefined;
  compiled ??= new WebAssembly.Module(binary);
  const wasm = new WebAssembly.Instance(compiled).exports as Exports;
  const { memory } = wasm;
  const start = aligned(wasm.heapBase!());
  let next = start;

  const take = (byteLength: number): number => {
    const place = next;
    next = aligned(next + byteLength);
    if (next > memory.buffer.byteLength) throw new RangeError('Cannot give out more memory than was cleared');
    return place;
  };
  const at = (array: Float32Array | Uint8Array | undefined): number => {
    if (!array) return 0;
    if (array.buffer !== memory.buffer) throw new RangeError('Cannot work on an array of another memory');
    return array.byteOffset;
  };

  return {
    name: 'simd',
    clear(numbers) {
      next = start;
      // some more for the places between arrays
      const missing = start + 4 * numbers + 64 * pageBytes - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    },
    floats: (length) => new Float32Array(memory.buffer, take(4 * length), length),
    bytes: (length) => new Uint8Array(memory.buffer, take(length), length),
    normReluInPlace({ z, bias, gain, shift, kept, residual, y, scale }) {
      const arrays = [z, bias, gain, shift, kept, residual, y, scale].map(at);
      wasm.normRelu!(...arrays, scale.length, bias.length);
    },
    normReluGradient(layer) {
      const { normalised, scale, gain, shift, kept, gradient, z, biasGradient, gainGradient, shiftGradient } = layer;
      const sums = [biasGradient, gainGradient, shiftGradient];
      for (const sum of sums) sum.fill(0);
      const arrays = [normalised, scale, gain, shift, kept, gradient, z, ...sums].map(at);
      wasm.normReluGradient!(...arrays, scale.length, gain.length);
    },
    unfoldInto(target, x, { units, dilation, utteranceOffsets }) {
      const [to, from] = [at(target), at(x)];
      forEachUtterance(utteranceOffsets, (first, end) => wasm.unfold!(to, from, units, dilation, first, end));
    },
    addFoldInto(target, gradient, { units, dilation, utteranceOffsets }) {
      const [to, from] = [at(target), at(gradient)];
      forEachUtterance(utteranceOffsets, (first, end) => wasm.addFold!(to, from, units, dilation, first, end));
    },
    keepUnitsInto({ kept, dropout, state }) {
      const { threshold, factor } = dropRule(dropout);
      const [a, b, c, d] = state as unknown as [number, number, number, number];
      wasm.keepUnits!(at(kept), kept.length, a, b, c, d, threshold, factor);
    },
    adamWInto(weights: Float32Array, gradients: Float32Array, state: AdamState, settings: AdamSettings) {
      const { stepSize, perSquare, decayed } = adamCorrections(weights, gradients, state, settings);
      const { decay, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = settings;
      const arrays = [weights, gradients, state.mean, state.square, decay].map(at);
      const shares = [beta1, beta2, 1 - beta1, 1 - beta2];
      wasm.adamW!(...arrays, weights.length, ...shares, stepSize, perSquare, decayed, epsilon);
    },
    clipByGlobalNormInto(gradients, limit) {
      const norm = Math.sqrt(wasm.sumOfSquares!(at(gradients), gradients.length));
      if (norm > limit) wasm.scale!(at(gradients), gradients.length, limit / norm);
      return norm;
    },
  };
}
