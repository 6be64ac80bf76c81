/** Layer normalisation over the units of each frame: y = (x − mean) / √(variance + ε) · gain + shift. */
export interface LayerNorm {
  /** [frames × units] */
  x: Float32Array;
  gain: Float32Array;
  shift: Float32Array;
  /** Receives the values before gain and shift, [frames × units], which the gradient needs. */
  normalised: Float32Array;
  /** Receives 1 / √(variance + ε) of each frame. */
  scale: Float32Array;
  /** Receives the result, [frames × units]. */
  y: Float32Array;
}

const epsilon = 1e-5;

/** @see Ba, Kiros, Hinton (2016), Layer Normalization, eq. 3 */
export function layerNormInto({ x, gain, shift, normalised, scale, y }: LayerNorm): void {
  const units = gain.length;
  for (let frame = 0; frame < scale.length; frame++) {
    const start = frame * units;
    let sum = 0;
    for (let unit = 0; unit < units; unit++) sum += x[start + unit]!;
    const mean = sum / units;
    let squares = 0;
    for (let unit = 0; unit < units; unit++) squares += (x[start + unit]! - mean) ** 2;
    const factor = 1 / Math.sqrt(squares / units + epsilon);
    scale[frame] = factor;
    for (let unit = 0; unit < units; unit++) {
      const value = (x[start + unit]! - mean) * factor;
      normalised[start + unit] = value;
      y[start + unit] = value * gain[unit]! + shift[unit]!;
    }
  }
}

export interface LayerNormGradient extends Pick<LayerNorm, 'gain' | 'normalised' | 'scale'> {
  /** Gradient with respect to y, [frames × units]. */
  gradient: Float32Array;
  /** The gradient with respect to x is added to it, [frames × units]. */
  target: Float32Array;
}

/**
 * Adds the gradient with respect to x to a target, which may hold that of a residual.
 *
 * @returns the gradients with respect to gain and shift, [units]: sums over frames
 */
export function addLayerNormGradientInto({ gain, normalised, scale, gradient, target }: LayerNormGradient): {
  gain: Float32Array;
  shift: Float32Array;
} {
  const units = gain.length;
  const [gainSums, shiftSums] = [new Float64Array(units), new Float64Array(units)];
  for (let frame = 0; frame < scale.length; frame++) {
    const start = frame * units;
    let mean = 0;
    let meanWeighted = 0;
    for (let unit = 0; unit < units; unit++) {
      const [x, wanted] = [normalised[start + unit]!, gradient[start + unit]!];
      gainSums[unit]! += wanted * x;
      shiftSums[unit]! += wanted;
      mean += wanted * gain[unit]!;
      meanWeighted += wanted * gain[unit]! * x;
    }
    mean /= units;
    meanWeighted /= units;
    for (let unit = 0; unit < units; unit++) {
      const inner = gradient[start + unit]! * gain[unit]!;
      target[start + unit]! += scale[frame]! * (inner - mean - normalised[start + unit]! * meanWeighted);
    }
  }
  return { gain: Float32Array.from(gainSums), shift: Float32Array.from(shiftSums) };
}
