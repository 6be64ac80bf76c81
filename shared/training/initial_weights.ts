import {
  type Architecture,
  type AttentionArchitecture,
  isRecurrent,
  parameterCount,
  parameterLayout,
} from '../engine/architecture.ts';
import { createRandom } from '../math/random.ts';

/**
 * Weights to start from: matrices normal with variance 2 / inputs before a ReLU and 1 / inputs elsewhere, gains 1, biases
 * 0 but those of forget gates, which are 1. Each matrix has a random stream of its own.
 * @see He et al. (2015), Delving Deep into Rectifiers, eq. 10
 * @see Jozefowicz et al. (2015), An Empirical Exploration of Recurrent Network Architectures, sec. 2.2: the forget gate
 */
export function initialWeights(architecture: Architecture, seed: number): Float32Array {
  const weights = new Float32Array(parameterCount(architecture));
  for (const { name, shape, offset, size } of parameterLayout(architecture)) {
    if (shape.length === 1) {
      if (name.endsWith('gain')) weights.fill(1, offset, offset + size);
      if (architecture.kind === 'lstm' && name.startsWith('layer'))
        weights.fill(1, offset + size / 4, offset + size / 2);
      if (architecture.kind === 'attention' && name.endsWith('positions'))
        weights.set(initialPositions(architecture), offset);
      continue;
    }
    const random = createRandom(seed, 'initial weights', name);
    const deviation = Math.sqrt((isBeforeRelu(architecture, name) ? 2 : 1) / shape[0]!);
    for (let i = 0; i < size; i++) weights[offset + i] = deviation * random.normal();
  }
  return weights;
}

/**
 * Biases of attention to distances: each head first looks at its own place, two frames from the next head's, and by one nat
 * less for each frame farther away, which is a convolution. Content then decides from there.
 * @see d'Ascoli et al. (2021), ConViT, sec. 3: heads that start as a convolution
 */
function initialPositions({ heads, reach }: AttentionArchitecture): Float32Array {
  const distances = 2 * reach + 1;
  return Float32Array.from({ length: heads * distances }, (_, i) => {
    const [head, distance] = [Math.floor(i / distances), (i % distances) - reach];
    return -Math.abs(distance - (2 * head - (heads - 1)));
  });
}

function isBeforeRelu(architecture: Architecture, name: string): boolean {
  if (isRecurrent(architecture)) return false;
  if (architecture.kind === 'attention') return name === 'input.matrix' || name.endsWith('feedforward.input.matrix');
  return !name.startsWith('output');
}

/** Which parameters decay: the matrices, not the gains and biases. */
export function decayMask(architecture: Architecture): Uint8Array {
  const mask = new Uint8Array(parameterCount(architecture));
  for (const { shape, offset, size } of parameterLayout(architecture))
    if (shape.length > 1) mask.fill(1, offset, offset + size);
  return mask;
}
