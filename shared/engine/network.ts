import type { Tensor2D } from '@tensorflow/tfjs-core';
import { columnSums } from '../math/column_sums.ts';
import type { Kernels } from '../math/kernels/kernels.ts';
import { openKernels } from '../math/kernels/open_kernels.ts';
import { type Architecture, hiddenWidth, isRecurrent, parameterCount, parameterLayout } from './architecture.ts';
import { attentionLayers } from './attention.ts';
import type { Network } from './engine.ts';
import type { Layers, Tools } from './layers.ts';
import type { Products } from './products.ts';
import { recurrentLayers } from './recurrent.ts';
import { tdnnLayers } from './tdnn.ts';

/**
 * A network whose matrix products an engine computes: hidden layers of its kind, and the output layer.
 *
 * No tape: forward and backward pass are spelled out. Utterances lie one after another without padding, so results do
 * not depend on what else is in a batch.
 *
 * @throws {RangeError} when the weights are not as many as it has
 */
export function createNetwork(
  products: Products,
  architecture: Architecture,
  weights: Float32Array,
  kernels: Kernels = openKernels(),
): Network {
  const { tokens } = architecture;
  const width = hiddenWidth(architecture);
  const layout = parameterLayout(architecture);
  const placeOf = new Map(layout.map((parameter) => [parameter.name, parameter]));
  const size = parameterCount(architecture);
  let parameters = new Float32Array(0);
  let matrices = new Map<string, Tensor2D>();
  let training: { frames: number; hidden: Tensor2D } | undefined;

  const tools: Tools = {
    products,
    kernels,
    part: (name) => {
      const { offset, size } = placeOf.get(name)!;
      return parameters.subarray(offset, offset + size);
    },
    matrix: (name) => matrices.get(name)!,
    own: (values) => {
      const copy = kernels.floats(values.length);
      copy.set(values);
      return copy;
    },
  };
  const layers = layersOf(architecture, tools);

  const setWeights = (values: Float32Array): void => {
    if (values.length !== size) throw new RangeError(`Cannot use ${values.length} weights: the network has ${size}`);
    for (const matrix of matrices.values()) matrix.dispose();
    parameters = values.slice();
    matrices = new Map(
      layout
        .filter(({ shape }) => shape.length === 2)
        .map(({ name, shape }) => [name, products.upload(tools.part(name), shape[0]!, shape[1]!)]),
    );
  };
  setWeights(weights);

  const gradients = new Float32Array(size);
  const forget = (): void => {
    layers.forget();
    training?.hidden.dispose();
    training = undefined;
  };

  return {
    setWeights,
    forward(batch, mode, memory) {
      forget();
      const { frames } = batch;
      kernels.clear(layers.numbersOf(batch) + frames * width);
      const hidden = products.upload(layers.forward(batch, mode, memory), frames, width);
      const logits = products.product(hidden, tools.matrix('output.matrix'));
      const bias = tools.part('output.bias');
      for (let i = 0; i < logits.length; i += tokens)
        for (let token = 0; token < tokens; token++) logits[i + token]! += bias[token]!;
      training = { frames, hidden };
      if (!mode) forget();
      return logits;
    },
    backward(logitGradient) {
      if (!training) throw new Error('Cannot go backward: no forward pass in training came before');
      const { frames, hidden } = training;
      const put = (name: string, values: Float32Array): void => gradients.set(values, placeOf.get(name)!.offset);
      const output = products.upload(logitGradient, frames, tokens);
      put('output.matrix', products.transposedProduct(hidden, output));
      put('output.bias', columnSums(logitGradient, tokens));
      const gradient = tools.own(products.productTransposed(output, tools.matrix('output.matrix')));
      output.dispose();
      layers.backward(gradient, put);
      forget();
      return gradients;
    },
    dispose() {
      forget();
      for (const matrix of matrices.values()) matrix.dispose();
      matrices.clear();
    },
  };
}

function layersOf(architecture: Architecture, tools: Tools): Layers {
  if (isRecurrent(architecture)) return recurrentLayers(architecture, tools);
  return architecture.kind === 'attention' ? attentionLayers(architecture, tools) : tdnnLayers(architecture, tools);
}
