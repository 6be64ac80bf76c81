import type { Random } from './random.ts';

/**
 * Masking of normalised features, for training.
 * @see Park et al. (2019), SpecAugment, sec. 2 (without time warping)
 */
export interface Masking {
  frequencyMasks: number;
  /** Widest frequency mask, in bins. */
  frequencyMaskBins: number;
  /** Time masks for each 100 frames, rounded up. */
  timeMasks: number;
  /** Longest time mask, in frames. */
  timeMaskFrames: number;
}

/**
 * The features with some bands and some stretches set to their mean. Widths are uniform from 0 to the widest, places
 * uniform over where the mask fits.
 *
 * @param features [frames × bins], left as they are
 * @param mean [bins]; 0, that of normalised features, unless given
 */
export function maskFeatures(
  features: Float32Array,
  bins: number,
  masking: Masking,
  random: Random,
  mean: ArrayLike<number> = new Float32Array(bins),
): Float32Array {
  const result = features.slice();
  const frames = features.length / bins;
  for (let i = 0; i < masking.frequencyMasks; i++) {
    const width = random.integer(Math.min(masking.frequencyMaskBins, bins) + 1);
    const first = random.integer(bins - width + 1);
    for (let frame = 0; frame < frames; frame++)
      for (let bin = first; bin < first + width; bin++) result[frame * bins + bin] = mean[bin]!;
  }
  const timeMasks = masking.timeMasks * Math.ceil(frames / 100);
  for (let i = 0; i < timeMasks; i++) {
    const length = random.integer(Math.min(masking.timeMaskFrames, frames) + 1);
    const first = random.integer(frames - length + 1);
    for (let frame = first; frame < first + length; frame++) result.set(mean, frame * bins);
  }
  return result;
}
