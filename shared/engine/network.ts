import type { Tensor2D } from '@tensorflow/tfjs-core';
import { type Kernels, openKernels } from '../math/kernels/kernels.ts';
import { randomState } from '../math/random.ts';
import { taps } from '../math/unfold.ts';
import { type Architecture, inputWidth, parameterCount, parameterLayout, tapsOf } from './architecture.ts';
import type { Network, PackedBatch } from './engine.ts';
import type { Products } from './products.ts';

/** What the backward pass needs of a hidden layer's forward pass. */
interface Trace {
  /** Input of the matrix product: spliced, or unfolded into taps. */
  input: Tensor2D;
  normalised: Float32Array;
  scale: Float32Array;
  gain: Float32Array;
  shift: Float32Array;
  kept: Float32Array | undefined;
}

/**
 * A network whose matrix products an engine computes.
 *
 * No tape: forward and backward pass are spelled out. Utterances lie one after another without padding, so results do
 * not depend on what else is in a batch. What is between the products is computed in a memory of the kernels, which
 * each forward pass clears.
 *
 * @throws {RangeError} when the weights are not as many as it has
 */
export function createNetwork(
  products: Products,
  architecture: Architecture,
  weights: Float32Array,
  kernels: Kernels = openKernels(),
): Network {
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
  /** The same numbers where kernels can work on them. */
  const own = (values: Float32Array): Float32Array => {
    const copy = kernels.floats(values.length);
    copy.set(values);
    return copy;
  };
  /** Numbers that both passes put into the kernels' memory. */
  const numbersOf = (frames: number): number =>
    (dilations.length + 1) * (frames * width * (4 + 2 * taps) + frames + 6 * width) + frames * width;
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
      kernels.clear(numbersOf(frames));
      const traces: Trace[] = [];
      const layer = (i: number, input: Tensor2D, residual?: Float32Array): Float32Array => {
        const [bias, gain, shift] = ['bias', 'norm.gain', 'norm.bias'].map((p) => own(part(`${layerNames[i]}.${p}`)));
        const kept = mode && dropout > 0 ? kernels.floats(frames * width) : undefined;
        if (kept) kernels.keepUnitsInto({ kept, dropout, state: randomState(...mode!.dropoutSeed, i) });
        const normalised = own(products.product(input, matrices[i]!));
        const [y, scale] = [kernels.floats(frames * width), kernels.floats(frames)];
        kernels.normReluInPlace({ z: normalised, bias: bias!, gain: gain!, shift: shift!, kept, residual, y, scale });
        traces.push({ input, normalised, scale, gain: gain!, shift: shift!, kept });
        return y;
      };
      let y = layer(0, products.upload(batch.features, frames, inputWidth(architecture)));
      dilations.forEach((dilation, i) => {
        let neighbours = y;
        if (dilation > 0) {
          neighbours = kernels.floats(frames * taps * width);
          kernels.unfoldInto(neighbours, y, { units: width, dilation, utteranceOffsets });
        }
        y = layer(i + 1, products.upload(neighbours, frames, tapsOf(dilation) * width), y);
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
      const gradient = own(products.productTransposed(output, matrices.at(-1)!));
      output.dispose();
      for (let i = dilations.length; i >= 0; i--) {
        const { input, normalised, scale, gain, shift, kept } = traces[i]!;
        const z = kernels.floats(frames * width);
        const [biasGradient, gainGradient, shiftGradient] = [0, 1, 2].map(() => kernels.floats(width));
        kernels.normReluGradient({
          ...{ normalised, scale, gain, shift, kept, gradient, z },
          biasGradient: biasGradient!,
          gainGradient: gainGradient!,
          shiftGradient: shiftGradient!,
        });
        const zGradient = products.upload(z, frames, width);
        put(`${layerNames[i]}.matrix`, products.transposedProduct(input, zGradient));
        put(`${layerNames[i]}.bias`, biasGradient!);
        put(`${layerNames[i]}.norm.gain`, gainGradient!);
        put(`${layerNames[i]}.norm.bias`, shiftGradient!);
        if (i > 0) {
          const neighbours = own(products.productTransposed(zGradient, matrices[i]!));
          const dilation = dilations[i - 1]!;
          if (dilation === 0) kernels.addInto(gradient, neighbours);
          else kernels.addFoldInto(gradient, neighbours, { units: width, dilation, utteranceOffsets });
        }
        zGradient.dispose();
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
