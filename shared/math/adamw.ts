/** The optimiser's memory of all parameters. */
export interface AdamState {
  /** β₁ᵗ and β₂ᵗ after t updates. */
  meanPower: number;
  squarePower: number;
  /** Running means of the gradient and of its square. */
  mean: Float32Array;
  square: Float32Array;
}

export const createAdamState = (parameters: number): AdamState => ({
  meanPower: 1,
  squarePower: 1,
  mean: new Float32Array(parameters),
  square: new Float32Array(parameters),
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
  { learningRate, weightDecay, decay, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamSettings,
): void {
  const { mean, square } = state;
  const count = weights.length;
  if (gradients.length !== count || mean.length !== count || decay.length !== count) {
    throw new RangeError(
      `Cannot update ${count} weights with ${gradients.length} gradients, ${mean.length} moments and ${decay.length} decay flags`,
    );
  }
  // products, not powers: V8 would move a power into the loop, at ten times the cost
  state.meanPower *= beta1;
  state.squarePower *= beta2;
  const stepSize = learningRate / (1 - state.meanPower);
  const perSquare = 1 / (1 - state.squarePower);
  const remaining = 1 - learningRate * weightDecay;
  for (let i = 0; i < count; i++) {
    const gradient = gradients[i]!;
    const m = beta1 * mean[i]! + (1 - beta1) * gradient;
    const v = beta2 * square[i]! + (1 - beta2) * gradient * gradient;
    mean[i] = m;
    square[i] = v;
    const kept = decay[i] === 0 ? weights[i]! : weights[i]! * remaining;
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
