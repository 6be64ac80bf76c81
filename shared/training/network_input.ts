import type { Architecture } from '../engine/architecture.ts';
import type { Engine, Network, NetworkMemory, PackedBatch } from '../engine/engine.ts';
import { fastLogSoftmax } from '../math/kernels/fast_posteriors.ts';
import { outputFrameCount, spliceInto } from '../math/splice.ts';
import type { Model, Normalisation } from './model_folder.ts';

/** Features with mean 0 and deviation 1 per bin; [frames × bins], a new array. */
export function normalise(features: Float32Array, { mean, deviation }: Normalisation): Float32Array {
  const bins = mean.length;
  const result = new Float32Array(features.length);
  const [means, scales] = [Float64Array.from(mean), Float64Array.from(deviation, (value) => 1 / value)];
  for (let i = 0; i < features.length; i += bins) {
    for (let bin = 0; bin < bins; bin++) result[i + bin] = (features[i + bin]! - means[bin]!) * scales[bin]!;
  }
  return result;
}

/** Normalised features of several utterances, spliced, one after another. */
export function packBatch(utterances: readonly Float32Array[], architecture: Architecture): PackedBatch {
  const { bins, stride, spliceLeft, spliceRight } = architecture;
  const utteranceOffsets = new Int32Array(utterances.length + 1);
  utterances.forEach((features, i) => {
    utteranceOffsets[i + 1] = utteranceOffsets[i]! + outputFrameCount(features.length / bins, stride);
  });
  const frames = utteranceOffsets[utterances.length]!;
  const packed = new Float32Array(frames * (spliceLeft + 1 + spliceRight) * bins);
  utterances.forEach((features, i) => {
    spliceInto(packed, utteranceOffsets[i]!, features, architecture);
  });
  return { features: packed, frames, utteranceOffsets };
}

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
