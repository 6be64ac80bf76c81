/** A layer of a network between two matrix products: y = residual + drop(relu(norm(z + bias)·gain + shift)). */
export interface NormReluInput {
  /** Products of the layer, [frames × units]; replaced by the normalised values, which the gradient needs. */
  z: Float32Array;
  bias: Float32Array;
  gain: Float32Array;
  shift: Float32Array;
  /** Factor of each unit, 0 where it is dropped, [frames × units]; absent: nothing is dropped. */
  kept?: Float32Array;
  /** Added to the result, [frames × units]. */
  residual?: Float32Array;
}

export interface NormReluOutput {
  y: Float32Array;
  /** 1 / √(variance + ε) of each frame. */
  scale: Float32Array;
}

const epsilon = 1e-5;

/**
 * Layer normalisation over the units of each frame, ReLU, dropout and residual, in two passes over each frame.
 * @see Ba, Kiros, Hinton (2016), Layer Normalization, eq. 3
 */
export function normReluInPlace({ z, bias, gain, shift, kept, residual }: NormReluInput): NormReluOutput {
  const units = bias.length;
  const frames = z.length / units;
  const y = new Float32Array(z.length);
  const scale = new Float32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    const start = frame * units;
    const end = start + units;
    let sum = 0;
    let squares = 0;
    for (let place = start, unit = 0; place < end; place++, unit++) {
      const value = z[place]! + bias[unit]!;
      z[place] = value;
      sum += value;
      squares += value * value;
    }
    const mean = sum / units;
    const factor = 1 / Math.sqrt(Math.max(0, squares / units - mean * mean) + epsilon);
    scale[frame] = factor;
    for (let place = start, unit = 0; place < end; place++, unit++) {
      const normalised = (z[place]! - mean) * factor;
      z[place] = normalised;
      y[place] = Math.max(0, normalised * gain[unit]! + shift[unit]!); // a branch would be mispredicted half the time
    }
    if (kept && residual)
      for (let place = start; place < end; place++) y[place] = y[place]! * kept[place]! + residual[place]!;
    else if (kept) for (let place = start; place < end; place++) y[place]! *= kept[place]!;
    else if (residual) for (let place = start; place < end; place++) y[place]! += residual[place]!;
  }
  return { y, scale };
}

export interface NormReluGradientInput extends Omit<NormReluInput, 'residual' | 'bias' | 'z'> {
  /** What `normReluInPlace` left in z. */
  normalised: Float32Array;
  scale: Float32Array;
  /** Gradient of the loss with respect to y, [frames × units]. */
  gradient: Float32Array;
}

/** Gradients with respect to z (and so to the residual's branch), and sums over frames for the parameters. */
export interface NormReluGradient {
  z: Float32Array;
  bias: Float32Array;
  gain: Float32Array;
  shift: Float32Array;
}

/** The gradient of `normReluInPlace`; the residual's own gradient is that of y. */
export function normReluGradient({
  normalised,
  scale,
  gain,
  shift,
  kept,
  gradient,
}: NormReluGradientInput): NormReluGradient {
  const units = gain.length;
  const frames = scale.length;
  const z = new Float32Array(normalised.length);
  const sums = { bias: new Float64Array(units), gain: new Float64Array(units), shift: new Float64Array(units) };
  const { bias: biasSum, gain: gainSum, shift: shiftSum } = sums;
  for (let frame = 0; frame < frames; frame++) {
    const start = frame * units;
    const end = start + units;
    let mean = 0;
    let meanWeighted = 0;
    for (let place = start, unit = 0; place < end; place++, unit++) {
      const x = normalised[place]!;
      const weight = gain[unit]!;
      const open = kept ? kept[place]! : 1;
      const active = gradient[place]! * (x * weight + shift[unit]! > 0 ? open : 0);
      gainSum[unit]! += active * x;
      shiftSum[unit]! += active;
      const inner = active * weight;
      z[place] = inner;
      mean += inner;
      meanWeighted += inner * x;
    }
    mean /= units;
    meanWeighted /= units;
    const factor = scale[frame]!;
    for (let place = start, unit = 0; place < end; place++, unit++) {
      const value = factor * (z[place]! - mean - normalised[place]! * meanWeighted);
      z[place] = value;
      biasSum[unit]! += value;
    }
  }
  return { z, bias: Float32Array.from(biasSum), gain: Float32Array.from(gainSum), shift: Float32Array.from(shiftSum) };
}
