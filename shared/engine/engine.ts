import type { Architecture } from './architecture.ts';
import type { ForeignModel, ForeignModelSource } from './foreign_model.ts';

/** Spliced, normalised frames of several utterances, one after another: no padding. */
export interface PackedBatch {
  /** [frames × inputWidth] */
  features: Float32Array;
  frames: number;
  /** First frame of each utterance, and the end of the last: [utterances + 1]. */
  utteranceOffsets: Int32Array;
}

/** What a network that goes forward in time keeps of the frames before, by layer; empty at the beginning. */
export interface NetworkMemory {
  layers: { hidden: Float32Array; inner: Float32Array }[];
}

/** A network's forward and backward pass; losses and optimisers are plain mathematics outside. */
export interface Network {
  /**
   * Logits [frames × tokens]. With `training`, units are dropped and what `backward` needs is kept.
   *
   * @param memory of a network that is recurrent in one direction: the batch, of one utterance, goes on from it, and it is
   *   replaced by that of the last frame
   */
  forward(
    batch: PackedBatch,
    training?: { dropoutSeed: readonly (number | string)[] },
    memory?: NetworkMemory,
  ): Float32Array;
  /**
   * Gradient of all parameters, flat, as in `parameterLayout`, for the last forward pass in training; the next call
   * overwrites it.
   *
   * @param logitGradient gradient of the loss with respect to the logits, [frames × tokens]
   */
  backward(logitGradient: Float32Array): Float32Array;
  /** Takes over new parameters, all of them, flat. */
  setWeights(weights: Float32Array): void;
  dispose(): void;
}

export interface Engine {
  name: 'native' | 'wasm' | 'cpu';
  /** What of the engine changes results in their last digits. */
  identity: string;
  describe(): Record<string, unknown>;
  /** Tensors alive, for tests on leaks. */
  tensorCount(): number;
  createNetwork(architecture: Architecture, weights: Float32Array): Network;
  /**
   * A network that was made elsewhere.
   *
   * @throws {InputError} when it cannot be read, or not by this engine
   */
  openForeignModel(source: ForeignModelSource): Promise<ForeignModel>;
}
