import type { Architecture } from '../engine/architecture.ts';
import type { PackedBatch } from '../engine/engine.ts';
import { outputFrameCount, spliceInto } from '../math/splice.ts';

/** Mean and standard deviation per bin: what features are normalised with. */
export interface Normalisation {
  mean: number[];
  deviation: number[];
}

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
