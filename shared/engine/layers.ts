import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { Kernels } from '../math/kernels/kernels.ts';
import type { NetworkMemory, PackedBatch } from './engine.ts';
import type { Products } from './products.ts';

/** What layers work with; arrays are to lie in the kernels' memory, which each forward pass clears. */
export interface Tools {
  products: Products;
  kernels: Kernels;
  /** Parameters by name, as numbers and, matrices, as the engine holds them. */
  part(name: string): Float32Array;
  matrix(name: string): Tensor2D;
  /** The same numbers where kernels can work on them. */
  own(values: Float32Array): Float32Array;
}

/** The hidden layers of a network. */
export interface Layers {
  /** How many numbers both passes put into the kernels' memory. */
  numbersOf(batch: Pick<PackedBatch, 'frames' | 'utteranceOffsets'>): number;
  /** Values of the last one, [frames × its units]; in training, what `backward` needs is kept. */
  forward(
    batch: PackedBatch,
    training: { dropoutSeed: readonly (number | string)[] } | undefined,
    memory?: NetworkMemory,
  ): Float32Array;
  /**
   * @param gradient with respect to those values; may be overwritten
   * @param put receives the gradient of each parameter
   */
  backward(gradient: Float32Array, put: (name: string, values: Float32Array) => void): void;
  /** Gives back what is kept for `backward`. */
  forget(): void;
}
