import { concatenate } from './concatenate.ts';
import type { FeatureExtractor } from './kernels/feature_extractor.ts';

/** Features of a signal that comes in pieces, [frames × dimensions]. */
export interface FeatureStream {
  /** @returns the frames that what comes next will not change */
  push(samples: Float32Array): Float32Array;
  /** The frames at the end, which may see it mirrored. */
  finish(): Float32Array;
}

/** The same features as `compute` has of the whole signal; holds back a window of samples at most. */
export function createFeatureStream({
  compute,
  dimensions,
  plan,
}: Pick<FeatureExtractor, 'compute' | 'dimensions' | 'plan'>): FeatureStream {
  const { length, shift, firstSample } = plan;
  /** Frames at the beginning of a piece that would see it mirrored. */
  let margin = 0;
  while (firstSample(margin) < 0) margin++;
  let held: Float32Array = new Float32Array(0);
  let given = 0; // of the frames of those held
  return {
    push(samples) {
      held = concatenate(Float32Array, [held, samples]);
      const whole = Math.max(0, Math.floor((held.length - length - firstSample(0)) / shift) + 1);
      if (whole <= given) return new Float32Array(0);
      const result = compute(held).slice(given * dimensions, whole * dimensions);
      const dropped = Math.max(0, Math.min(whole - margin, Math.floor(held.length / shift)));
      held = held.slice(dropped * shift);
      given = whole - dropped;
      return result;
    },
    finish: () => compute(held).slice(given * dimensions),
  };
}
