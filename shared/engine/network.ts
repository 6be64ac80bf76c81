import type { Tensor2D } from '@tensorflow/tfjs-core';
import { normReluGradient, normReluInPlace } from '../math/norm_relu.ts';
import { createRandom } from '../math/random.ts';
import { addFoldInto, taps, unfold } from '../math/unfold.ts';
import { type Architecture, inputWidth, parameterCount, parameterLayout } from './architecture.ts';
import type { Network, PackedBatch } from './engine.ts';
import type { Products } from './products.ts';

/** What the backward pass needs of a hidden layer's forward pass. */
interface Trace {
  /** Input of the matrix product: spliced, or unfolded into taps. */
  input: Tensor2D;
  normalised: Float32Array;
  scale: Float32Array;
  kept: Float32Array | undefined;
}

/** Which units stay, scaled so that the mean stays; the same on every engine. The share is exact to 1/256. */
export function keptUnits(size: number, dropout: number, seed: readonly (number | string)[]): Float32Array {
  const random = createRandom(...seed);
  const kept = new Float32Array(size);
  const threshold = Math.round(dropout * 256);
  // a table, since a branch would be mispredicted
  const factors = new Float32Array(256).fill(256 / (256 - threshold), threshold);
  for (let i = 0; i < size; i += 4) {
    const bits = random.uint32();
    // writes past the end have no effect
    kept[i] = factors[bits & 255]!;
    kept[i + 1] = factors[(bits >>> 8) & 255]!;
    kept[i + 2] = factors[(bits >>> 16) & 255]!;
    kept[i + 3] = factors[bits >>> 24]!;
  }
  return kept;
}

/**
 * A network whose matrix products an engine computes.
 *
 * No tape: forward and backward pass are spelled out. Utterances lie one after another without padding, so results do
 * not depend on what else is in a batch.
 *
 * @throws {RangeError} when the weights are not as many as it has
 */
export function createNetwork(products: Products, architecture: Architecture, weights: Float32Array): Network {
  const { width, dilations, tokens, dropout } = architecture;
  const layout = parameterLayout(architecture);
  const size = parameterCount(architecture);
  let parameters = new Float32Array(0);
  let matrices: Tensor2D[] = [];
  let training: { batch: PackedBatch; traces: Trace[]; hidden: Tensor2D } | undefined;

  const part = (name: string): Float32Array => {
    const { offset, size } = layout.find((parameter) => parameter.name === name)!;
    return parameters.subarray(offset, offset + size);
  };
  const layerNames = ['input', ...dilations.map((_, i) => `layer${i + 1}`)];

  const setWeights = (values: Float32Array): void => {
    if (values.length !== size) throw new RangeError(`Cannot use ${values.length} weights: the network has ${size}`);
    for (const matrix of matrices) matrix.dispose();
    parameters = values.slice();
    matrices = layout
      .filter(({ shape }) => shape.length === 2)
      .map(({ name, shape }) => products.upload(part(name), shape[0]!, shape[1]!));
  };
  setWeights(weights);

  const forget = (): void => {
    for (const { input } of training?.traces ?? []) input.dispose();
    training?.hidden.dispose();
    training = undefined;
  };

  return {
    setWeights,
    forward(batch, mode) {
      forget();
      const { frames, utteranceOffsets } = batch;
      const traces: Trace[] = [];
      const layer = (i: number, input: Tensor2D, residual?: Float32Array): Float32Array => {
        const name = layerNames[i]!;
        const kept = mode && dropout > 0 ? keptUnits(frames * width, dropout, [...mode.dropoutSeed, i]) : undefined;
        const normalised = products.product(input, matrices[i]!);
        const { y, scale } = normReluInPlace({
          z: normalised,
          bias: part(`${name}.bias`),
          gain: part(`${name}.norm.gain`),
          shift: part(`${name}.norm.bias`),
          kept,
          residual,
        });
        traces.push({ input, normalised, scale, kept });
        return y;
      };
      let y = layer(0, products.upload(batch.features, frames, inputWidth(architecture)));
      dilations.forEach((dilation, i) => {
        const neighbours = unfold(y, { units: width, dilation, utteranceOffsets });
        y = layer(i + 1, products.upload(neighbours, frames, taps * width), y);
      });
      const hidden = products.upload(y, frames, width);
      const logits = products.product(hidden, matrices.at(-1)!);
      const bias = part('output.bias');
      for (let i = 0; i < logits.length; i += tokens)
        for (let token = 0; token < tokens; token++) logits[i + token]! += bias[token]!;
      training = { batch, traces, hidden };
      if (!mode) forget();
      return logits;
    },
    backward(logitGradient) {
      if (!training) throw new Error('Cannot go backward: no forward pass in training came before');
      const { batch, traces, hidden } = training;
      const { frames, utteranceOffsets } = batch;
      const gradients = new Float32Array(size);
      const put = (name: string, values: Float32Array): void =>
        gradients.set(values, layout.find((parameter) => parameter.name === name)!.offset);
      const output = products.upload(logitGradient, frames, tokens);
      put('output.matrix', products.transposedProduct(hidden, output));
      put('output.bias', columnSums(logitGradient, tokens));
      const gradient = products.productTransposed(output, matrices.at(-1)!);
      output.dispose();
      for (let i = dilations.length; i >= 0; i--) {
        const name = layerNames[i]!;
        const { input, normalised, scale, kept } = traces[i]!;
        const [gain, shift] = [part(`${name}.norm.gain`), part(`${name}.norm.bias`)];
        const layer = normReluGradient({ normalised, scale, gain, shift, kept, gradient });
        const z = products.upload(layer.z, frames, width);
        put(`${name}.matrix`, products.transposedProduct(input, z));
        put(`${name}.bias`, layer.bias);
        put(`${name}.norm.gain`, layer.gain);
        put(`${name}.norm.bias`, layer.shift);
        if (i > 0) {
          const neighbours = products.productTransposed(z, matrices[i]!);
          addFoldInto(gradient, neighbours, { units: width, dilation: dilations[i - 1]!, utteranceOffsets });
        }
        z.dispose();
      }
      forget();
      return gradients;
    },
    dispose() {
      forget();
      for (const matrix of matrices) matrix.dispose();
      matrices = [];
    },
  };
}

function columnSums(values: Float32Array, columns: number): Float32Array {
  const sums = new Float32Array(columns);
  for (let i = 0; i < values.length; i += columns)
    for (let column = 0; column < columns; column++) sums[column]! += values[i + column]!;
  return sums;
}
