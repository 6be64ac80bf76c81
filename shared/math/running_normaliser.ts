import { concatenate } from './concatenate.ts';
import { createMoments } from './moments.ts';

/** Takes the mean of a signal off its features, [frames × dimensions], and divides by the deviation where asked. */
export interface Normaliser {
  push(features: Float32Array): Float32Array;
  finish(): Float32Array;
}

export interface RunningOptions {
  dimensions: number;
  normVars: boolean;
  /** Frames that are heard before any is normalised, all by what they have in common. */
  warmUpFrames: number;
  /** About so many frames the mean is taken over: longer ago counts less and less. */
  memoryFrames: number;
}

/**
 * Features less their mean so far, as nobody knows what a speaker will say. The mean of frames 0 … t, of all equally while
 * they are fewer than the memory, then with weights that fall by a factor of 1 − 1 / memoryFrames a frame.
 */
export function runningNormaliser({ dimensions, normVars, warmUpFrames, memoryFrames }: RunningOptions): Normaliser {
  const mean = new Float64Array(dimensions);
  const variance = new Float64Array(dimensions);
  let count = 0;
  let waiting: Float32Array[] = [];
  let isWarm = warmUpFrames === 0;

  function learn(frame: Float32Array): void {
    count = Math.min(count + 1, memoryFrames);
    for (let k = 0; k < dimensions; k++) {
      const difference = frame[k]! - mean[k]!;
      mean[k]! += difference / count;
      variance[k]! += (difference * (frame[k]! - mean[k]!) - variance[k]!) / count;
    }
  }

  const normalised = (frame: Float32Array): Float32Array =>
    frame.map((value, k) => (value - mean[k]!) * (normVars && variance[k]! > 0 ? 1 / Math.sqrt(variance[k]!) : 1));

  const begin = (): Float32Array => {
    isWarm = true;
    const first = concatenate(Float32Array, waiting.map(normalised));
    waiting = [];
    return first;
  };

  return {
    push(features) {
      if (features.length % dimensions !== 0)
        throw new RangeError(`Cannot normalise ${features.length} values: not frames of ${dimensions}`);
      const results: Float32Array[] = [];
      for (let i = 0; i < features.length; i += dimensions) {
        const frame = features.slice(i, i + dimensions);
        learn(frame);
        if (isWarm) results.push(normalised(frame));
        else if (waiting.push(frame) === warmUpFrames) results.push(begin());
      }
      return concatenate(Float32Array, results);
    },
    finish: () => (isWarm ? new Float32Array(0) : begin()),
  };
}

/** Features less a mean that is known, as `extract_features --cmvn` has it. */
export function knownNormaliser(
  { mean, deviation }: { mean: Float64Array; deviation: Float64Array },
  { normVars }: { normVars: boolean },
): Normaliser {
  const scale = deviation.map((value) => (normVars && value > 0 ? 1 / value : 1));
  return {
    push: (features) => features.map((value, i) => (value - mean[i % mean.length]!) * scale[i % mean.length]!),
    finish: () => new Float32Array(0),
  };
}

/** Mean and deviation of features that come in pieces, for `knownNormaliser`. */
export const momentsOf = async (pieces: AsyncIterable<Float32Array>, dimensions: number) => {
  const moments = createMoments(dimensions);
  for await (const piece of pieces) moments.add(piece);
  return moments.summary();
};
