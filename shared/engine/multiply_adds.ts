import { outputFrameCount } from '../math/splice.ts';
import { type Architecture, parameterLayout } from './architecture.ts';

/**
 * Multiplications, each with its addition, that a forward pass over one utterance takes in matrix products: every matrix
 * once for each output frame; in attention, products of queries with keys and of weights with values for each pair of
 * frames besides. Biases, normalisation, gates and other functions of single units are left out.
 *
 * @param frames input frames of the utterance
 */
export function multiplyAdds(architecture: Architecture, frames: number): number {
  const outputs = outputFrameCount(frames, architecture.stride);
  const perFrame = parameterLayout(architecture).reduce(
    (sum, { shape, size }) => sum + (shape.length === 2 ? size : 0),
    0,
  );
  const { kind, width } = architecture;
  const perPair = kind === 'attention' ? 2 * width * architecture.layers : 0;
  return outputs * (perFrame + outputs * perPair);
}
