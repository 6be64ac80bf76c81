import type { Engine, Network, NetworkMemory, PackedBatch } from '../engine/engine.ts';
import { fastLogSoftmax } from '../math/kernels/fast_posteriors.ts';
import type { Model } from './model_folder.ts';
import { normalise, packBatch } from './network_input.ts';

/** A model's network and its way from features to log-posteriors. */
export interface AcousticModel {
  /** Features of one utterance, not normalised, [frames × bins] → log-posteriors [output frames × tokens]. */
  logPosteriors(features: Float32Array): Float32Array;
  /**
   * The same of output frames `from` … `to`, the end excluded, by a network that is recurrent in one direction and has
   * heard those before: it goes on from `memory`, and leaves there what it will remember.
   */
  nextLogPosteriors(
    features: Float32Array,
    { from, to, memory }: { from: number; to: number; memory: NetworkMemory },
  ): Float32Array;
  dispose(): void;
}

export function openAcousticModel(engine: Engine, { architecture, normalisation, weights }: Model): AcousticModel {
  const network: Network = engine.createNetwork(architecture, weights);
  const { tokens } = architecture;
  const pack = (features: Float32Array): PackedBatch => packBatch([normalise(features, normalisation)], architecture);
  return {
    logPosteriors: (features) => fastLogSoftmax(network.forward(pack(features)), tokens),
    nextLogPosteriors(features, { from, to, memory }) {
      const packed = pack(features);
      const columns = packed.features.length / packed.frames;
      const frames = to - from;
      const rows = packed.features.subarray(from * columns, to * columns);
      const batch = { features: rows, frames, utteranceOffsets: Int32Array.of(0, frames) };
      return fastLogSoftmax(network.forward(batch, undefined, memory), tokens);
    },
    dispose: () => network.dispose(),
  };
}
