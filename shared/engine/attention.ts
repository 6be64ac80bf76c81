import type { Tensor2D } from '@tensorflow/tfjs-core';
import { attentionWeights } from '../math/attention.ts';
import { columnSums } from '../math/column_sums.ts';
import { addLayerNormGradientInto, type LayerNorm, layerNormInto } from '../math/layer_norm.ts';
import { randomState } from '../math/random.ts';
import { type AttentionArchitecture, feedforwardFactor } from './architecture.ts';
import type { PackedBatch } from './engine.ts';
import type { Layers, Tools } from './layers.ts';
import { tdnnLayers } from './tdnn.ts';

/** A layer normalisation, and its result as the engine holds it. */
interface NormTrace extends Pick<LayerNorm, 'gain' | 'normalised' | 'scale'> {
  name: string;
}

/** What the backward pass needs of a block's forward pass. */
interface Trace {
  name: string;
  attentionNorm: NormTrace;
  attentionInput: Tensor2D;
  qkv: Float32Array;
  weights: Float32Array;
  attended: Tensor2D;
  attentionKept: Float32Array | undefined;
  feedforwardNorm: NormTrace;
  feedforwardInput: Tensor2D;
  open: Float32Array;
  opened: Tensor2D;
  feedforwardKept: Float32Array | undefined;
}

/** The layers of a network of self-attention: its first layer is that of a time-delay network. */
export function attentionLayers(architecture: AttentionArchitecture, tools: Tools): Layers {
  const { width, layers, heads, reach, dropout } = architecture;
  const { products, kernels, part, matrix, own } = tools;
  const front = tdnnLayers({ ...architecture, kind: 'tdnn', dilations: [] }, tools);
  const inner = feedforwardFactor * width;
  let batch: PackedBatch | undefined;
  let traces: Trace[] = [];
  let last: NormTrace | undefined;

  function norm(name: string, x: Float32Array): { y: Float32Array; trace: NormTrace } {
    const [gain, shift] = [part(`${name}.gain`), part(`${name}.bias`)];
    const [normalised, y] = [kernels.floats(x.length), kernels.floats(x.length)];
    const scale = kernels.floats(batch!.frames);
    layerNormInto({ x, gain, shift, normalised, scale, y });
    return { y, trace: { name, gain, normalised, scale } };
  }

  /** y + drop(x·W + b) */
  function addProduct(
    y: Float32Array,
    x: Tensor2D,
    name: string,
    seeds: readonly (number | string)[] | undefined,
  ): { sum: Float32Array; kept: Float32Array | undefined } {
    const sum = own(products.product(x, matrix(`${name}.matrix`)));
    addBias(sum, part(`${name}.bias`));
    const kept = seeds && dropout > 0 ? kernels.floats(sum.length) : undefined;
    if (kept) {
      kernels.keepUnitsInto({ kept, dropout, state: randomState(...seeds!) });
      kernels.multiplyInto(sum, kept);
    }
    kernels.addInto(sum, y);
    return { sum, kept };
  }

  function block(i: number, x: Float32Array, seeds: readonly (number | string)[] | undefined): Float32Array {
    const { frames, utteranceOffsets } = batch!;
    const name = `layer${i + 1}`;
    const before = norm(`${name}.attention.norm`, x);
    const attentionInput = products.upload(before.y, frames, width);
    const qkv = own(products.product(attentionInput, matrix(`${name}.attention.input.matrix`)));
    addBias(qkv, part(`${name}.attention.input.bias`));
    const weights = kernels.floats(attentionWeights({ heads, utteranceOffsets }));
    const positions = own(part(`${name}.attention.positions`));
    const y = kernels.floats(frames * width);
    kernels.attentionInto({ units: width, heads, reach, utteranceOffsets, qkv, positions, weights, y });
    const attended = products.upload(y, frames, width);
    const seedsOf = (branch: number) => seeds && [...seeds, 2 * i + branch];
    const middle = addProduct(x, attended, `${name}.attention.output`, seedsOf(1));

    const between = norm(`${name}.feedforward.norm`, middle.sum);
    const feedforwardInput = products.upload(between.y, frames, width);
    const open = own(products.product(feedforwardInput, matrix(`${name}.feedforward.input.matrix`)));
    addBias(open, part(`${name}.feedforward.input.bias`));
    reluInPlace(open);
    const opened = products.upload(open, frames, inner);
    const after = addProduct(middle.sum, opened, `${name}.feedforward.output`, seedsOf(2));
    traces.push({
      ...{ name, attentionNorm: before.trace, attentionInput, qkv, weights, attended, attentionKept: middle.kept },
      ...{ feedforwardNorm: between.trace, feedforwardInput, open, opened, feedforwardKept: after.kept },
    });
    return after.sum;
  }

  type Put = (name: string, values: Float32Array) => void;

  /** Adds what a layer normalisation hands back of the gradient of its result. */
  function normBackward({ name, ...trace }: NormTrace, gradient: Float32Array, target: Float32Array, put: Put): void {
    const { gain, shift } = addLayerNormGradientInto({ ...trace, gradient, target });
    put(`${name}.gain`, gain);
    put(`${name}.bias`, shift);
  }

  /** Through x·W + b: the gradient with respect to x. */
  function productBackward(name: string, input: Tensor2D, gradient: Float32Array, put: Put): Float32Array {
    const columns = gradient.length / batch!.frames;
    const uploaded = products.upload(gradient, batch!.frames, columns);
    put(`${name}.matrix`, products.transposedProduct(input, uploaded));
    put(`${name}.bias`, columnSums(gradient, columns));
    const result = own(products.productTransposed(uploaded, matrix(`${name}.matrix`)));
    uploaded.dispose();
    return result;
  }

  function dropped(gradient: Float32Array, kept: Float32Array | undefined): Float32Array {
    const result = own(gradient);
    if (kept) kernels.multiplyInto(result, kept);
    return result;
  }

  /** The gradient with respect to the block's result becomes that with respect to its input. */
  function blockBackward(trace: Trace, gradient: Float32Array, put: Put): void {
    const { name, qkv, weights, open } = trace;
    const { utteranceOffsets } = batch!;
    const fromAfter = dropped(gradient, trace.feedforwardKept);
    const openGradient = productBackward(`${name}.feedforward.output`, trace.opened, fromAfter, put);
    reluGradientInPlace(openGradient, open);
    const between = productBackward(`${name}.feedforward.input`, trace.feedforwardInput, openGradient, put);
    normBackward(trace.feedforwardNorm, between, gradient, put);

    const fromMiddle = dropped(gradient, trace.attentionKept);
    const attended = productBackward(`${name}.attention.output`, trace.attended, fromMiddle, put);
    const qkvGradient = kernels.floats(qkv.length);
    const positionGradient = kernels.floats(heads * (2 * reach + 1));
    kernels.attentionGradient({
      ...{ units: width, heads, reach, utteranceOffsets, qkv, weights, gradient: attended },
      ...{ qkvGradient, positionGradient, scratch: kernels.floats(batch!.frames) },
    });
    put(`${name}.attention.positions`, positionGradient);
    const before = productBackward(`${name}.attention.input`, trace.attentionInput, qkvGradient, put);
    normBackward(trace.attentionNorm, before, gradient, put);
  }

  return {
    numbersOf: (given) =>
      front.numbersOf(given) +
      layers *
        (given.frames * (20 * width + 2 * inner + 3) +
          attentionWeights({ ...given, heads }) +
          2 * heads * (2 * reach + 1)) +
      given.frames * (3 * width + 1),
    forward(given, training) {
      batch = given;
      let y = front.forward(given, training);
      for (let i = 0; i < layers; i++) y = block(i, y, training?.dropoutSeed);
      const { y: result, trace } = norm('norm', y);
      last = trace;
      return result;
    },
    backward(gradient, put) {
      const wanted = kernels.floats(gradient.length).fill(0);
      normBackward(last!, gradient, wanted, put);
      for (const trace of [...traces].reverse()) blockBackward(trace, wanted, put);
      front.backward(wanted, put);
    },
    forget() {
      front.forget();
      for (const { attentionInput, attended, feedforwardInput, opened } of traces)
        for (const tensor of [attentionInput, attended, feedforwardInput, opened]) tensor.dispose();
      traces = [];
      last = undefined;
      batch = undefined;
    },
  };
}

/** Adds a bias to each row, in place. */
function addBias(values: Float32Array, bias: Float32Array): void {
  const columns = bias.length;
  for (let start = 0; start < values.length; start += columns)
    for (let column = 0; column < columns; column++) values[start + column]! += bias[column]!;
}

/** max(0, x), in place. */
function reluInPlace(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = Math.max(0, values[i]!);
}

/** The gradient of max(0, x), in place: nothing where the result is 0. */
function reluGradientInPlace(gradient: Float32Array, results: Float32Array): void {
  for (let i = 0; i < gradient.length; i++) gradient[i] = results[i]! > 0 ? gradient[i]! : 0;
}
