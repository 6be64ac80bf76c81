/** The optimiser's memory of all parameters. */
export interface AdamState {
  /** β₁ᵗ and β₂ᵗ after t updates. */
  powers: { mean: number; square: number };
  /** Running means of the gradient and of its square. */
  mean: Float32Array;
  square: Float32Array;
}

/** Before the first update; the arrays, one number a parameter, are the state's from now on. */
export const createAdamState = (mean: Float32Array, square: Float32Array): AdamState => ({
  powers: { mean: 1, square: 1 },
  mean: mean.fill(0),
  square: square.fill(0),
});

export interface AdamSettings {
  learningRate: number;
  /** A share of each decaying parameter that goes with an update, times the learning rate. */
  weightDecay: number;
  /** [parameters] 1 where a parameter decays: matrices do, gains and biases do not. */
  decay: Uint8Array;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}

/**
 * Counts an update, and what it makes of the settings.
 *
 * @throws {RangeError} when the arrays differ in length
 */
export function adamCorrections(
  weights: Float32Array,
  gradients: Float32Array,
  state: AdamState,
  { learningRate, weightDecay, decay, beta1 = 0.9, beta2 = 0.999 }: AdamSettings,
): { stepSize: number; perSquare: number; decayed: number } {
  const count = weights.length;
  const { length: moments } = state.mean;
  if (gradients.length !== count || moments !== count || decay.length !== count) {
    throw new RangeError(
      `Cannot update ${count} weights with ${gradients.length} gradients, ${moments} moments and ${decay.length} decay flags`,
    );
  }
  // products, not powers: V8 would move a power into the loop, at ten times the cost
  state.powers.mean *= beta1;
  state.powers.square *= beta2;
  return {
    stepSize: learningRate / (1 - state.powers.mean),
    perSquare: 1 / (1 - state.powers.square),
    decayed: learningRate * weightDecay,
  };
}

/**
 * One update of the weights, in place: Adam with decoupled weight decay.
 *
 * @throws {RangeError} when the arrays differ in length
 * @see Loshchilov, Hutter (2019), Decoupled Weight Decay Regularization, algorithm 2 (schedule multiplier 1; the decay is
 *   multiplied by the learning rate, as in PyTorch)
 */
export function adamWInto(
  weights: Float32Array,
  gradients: Float32Array,
  state: AdamState,
  settings: AdamSettings,
): void {
  const { mean, square } = state;
  const { decay, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = settings;
  const { stepSize, perSquare, decayed } = adamCorrections(weights, gradients, state, settings);
  for (let i = 0; i < weights.length; i++) {
    const gradient = gradients[i]!;
    const m = beta1 * mean[i]! + (1 - beta1) * gradient;
    const v = beta2 * square[i]! + (1 - beta2) * gradient * gradient;
    mean[i] = m;
    square[i] = v;
    const kept = weights[i]! * (1 - decay[i]! * decayed);
    weights[i] = kept - (stepSize * m) / (Math.sqrt(v * perSquare) + epsilon);
  }
}

/**
 * Scales the gradient of all parameters down, in place, where its Euclidean norm is above the limit.
 *
 * @returns the norm it had
 * @see Pascanu, Mikolov, Bengio (2013), On the difficulty of training recurrent neural networks, algorithm 1
 */
export function clipByGlobalNormInto(gradients: Float32Array, limit: number): number {
  let squares = 0;
  for (let i = 0; i < gradients.length; i++) squares += gradients[i]! * gradients[i]!;
  const norm = Math.sqrt(squares);
  if (norm > limit) {
    const scale = limit / norm;
    for (let i = 0; i < gradients.length; i++) gradients[i]! *= scale;
  }
  return norm;
}
