/** A layer of a network between two matrix products: y = residual + drop(relu(norm(z + bias)·gain + shift)). */
export interface NormRelu {
  /** Products of the layer, [frames × units]; replaced by the normalised values, which the gradient needs. */
  z: Float32Array;
  bias: Float32Array;
  gain: Float32Array;
  shift: Float32Array;
  /** Factor of each unit, 0 where it is dropped, [frames × units]; absent: nothing is dropped. */
  kept?: Float32Array;
  /** Added to the result, [frames × units]. */
  residual?: Float32Array;
  /** Receives the result, [frames × units]. */
  y: Float32Array;
  /** Receives 1 / √(variance + ε) of each frame. */
  scale: Float32Array;
}

const epsilon = 1e-5;

/**
 * Layer normalisation over the units of each frame, ReLU, dropout and residual.
 * @see Ba, Kiros, Hinton (2016), Layer Normalization, eq. 3
 */
export function normReluInPlace({ z, bias, gain, shift, kept, residual, y, scale }: NormRelu): void {
  const units = bias.length;
  const frames = scale.length;
  for (let frame = 0; frame < frames; frame++) {
    const start = frame * units;
    const end = start + units;
    let sum = 0;
    for (let place = start, unit = 0; place < end; place++, unit++) {
      z[place]! += bias[unit]!;
      sum += z[place]!;
    }
    const mean = sum / units;
    let squares = 0;
    for (let place = start; place < end; place++) squares += (z[place]! - mean) ** 2;
    const factor = 1 / Math.sqrt(squares / units + epsilon);
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
}

export interface NormReluGradient {
  /** What `normReluInPlace` left in z. */
  normalised: Float32Array;
  scale: Float32Array;
  gain: Float32Array;
  shift: Float32Array;
  kept?: Float32Array;
  /** Gradient of the loss with respect to y, [frames × units]. */
  gradient: Float32Array;
  /** Receives the gradient with respect to z, [frames × units]. */
  z: Float32Array;
  /** Receive the gradients with respect to bias, gain and shift, [units]: sums over frames. */
  biasGradient: Float32Array;
  gainGradient: Float32Array;
  shiftGradient: Float32Array;
}

/** The gradient of `normReluInPlace`; the residual's own gradient is that of y. */
export function normReluGradient({
  normalised,
  scale,
  gain,
  shift,
  kept,
  gradient,
  z,
  biasGradient,
  gainGradient,
  shiftGradient,
}: NormReluGradient): void {
  const units = gain.length;
  const frames = scale.length;
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
  biasGradient.set(biasSum);
  gainGradient.set(gainSum);
  shiftGradient.set(shiftSum);
}
