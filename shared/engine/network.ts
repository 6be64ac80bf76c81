import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { createRandom } from '../math/random.ts';
import { type Architecture, inputWidth, parameterCount, parameterLayout, taps } from './architecture.ts';
import type { Network, PackedBatch } from './engine.ts';
import type { Bodies, Saved, TensorFlow } from './operations.ts';

/** Parameters of a hidden layer, as tensors. */
interface Layer {
  matrix: Tensor2D;
  bias: Tensor1D;
  gain: Tensor1D;
  normBias: Tensor1D;
}

/** What the backward pass needs of a hidden layer's forward pass. */
interface Trace {
  /** Input of the matrix product: spliced, or unfolded into taps. */
  input: Tensor2D;
  y: Tensor2D;
  saved: Saved;
  /** 0 or 1 / (1 − dropout) for each unit. */
  kept: Tensor2D | undefined;
}

/**
 * Row of each tap's input, for an unfold by one gather: row `frames` is a row of zeros.
 * A mirrored gather (`sign` −1) transposes the unfold.
 *
 * @returns [frames × taps], or [taps × frames] when mirrored
 */
function tapRows({ frames, utteranceOffsets }: PackedBatch, dilation: number, sign: 1 | -1): Int32Array {
  const rows = new Int32Array(taps * frames);
  for (let utterance = 0; utterance + 1 < utteranceOffsets.length; utterance++) {
    const [first, end] = [utteranceOffsets[utterance]!, utteranceOffsets[utterance + 1]!];
    for (let frame = first; frame < end; frame++) {
      for (let tap = 0; tap < taps; tap++) {
        const row = frame + sign * (tap - 1) * dilation;
        rows[sign === 1 ? frame * taps + tap : tap * frames + frame] = row >= first && row < end ? row : frames;
      }
    }
  }
  return rows;
}

/** Which units stay, scaled so that the mean stays; the same on every engine. The share is exact to 1/256. */
export function keptUnits(size: number, dropout: number, seed: readonly (number | string)[]): Float32Array {
  const random = createRandom(...seed);
  const kept = new Float32Array(size);
  const threshold = Math.round(dropout * 256);
  const scale = 256 / (256 - threshold);
  for (let i = 0; i < size; i += 4) {
    const bits = random.uint32();
    for (let byte = 0; byte < 4; byte++) if (((bits >>> (8 * byte)) & 255) >= threshold) kept[i + byte] = scale; // past the end: no effect
  }
  return kept;
}

/** A network on a back end of TensorFlow.js. @throws {RangeError} when the weights are not as many as it has */
export function createNetwork(
  tf: TensorFlow,
  bodies: Bodies,
  architecture: Architecture,
  weights: Float32Array,
): Network {
  const { width, dilations, tokens, dropout } = architecture;
  const layout = parameterLayout(architecture);
  const size = parameterCount(architecture);
  let parameters: Tensor[] = [];
  let traces: Trace[] = [];
  let hidden: Tensor2D | undefined;
  let batchOfTraces: PackedBatch | undefined;

  const setWeights = (values: Float32Array): void => {
    if (values.length !== size) throw new RangeError(`Cannot use ${values.length} weights: the network has ${size}`);
    for (const tensor of parameters) tensor.dispose();
    // a copy, since a back end may read the array only when it is first used
    parameters = layout.map(({ shape, offset, size }) => tf.tensor(values.slice(offset, offset + size), [...shape]));
  };
  setWeights(weights);
  const layer = (i: number): Layer => {
    const [matrix, bias, gain, normBias] = parameters.slice(4 * i, 4 * i + 4);
    return { matrix, bias, gain, normBias } as Layer;
  };
  const output = (): { matrix: Tensor2D; bias: Tensor1D } => {
    const [matrix, bias] = parameters.slice(-2);
    return { matrix, bias } as { matrix: Tensor2D; bias: Tensor1D };
  };

  const hiddenLayer = (input: Tensor2D, i: number, training?: readonly (number | string)[]) => {
    const { matrix, bias, gain, normBias } = layer(i);
    const { y, saved } = bodies.normRelu(bodies.linear(input, matrix, bias), gain, normBias);
    if (!training || dropout === 0) return { out: y, trace: { input, y, saved, kept: undefined } };
    const kept = tf.tensor2d(keptUnits(y.size, dropout, [...training, i]), y.shape);
    return { out: tf.mul(y, kept) as Tensor2D, trace: { input, y, saved, kept } };
  };

  const unfold = (x: Tensor2D, batch: PackedBatch, dilation: number): Tensor2D => {
    const rows = tf.tensor1d(tapRows(batch, dilation, 1), 'int32');
    const padded = tf.pad(x, [
      [0, 1],
      [0, 0],
    ]);
    return tf.reshape(tf.gather(padded, rows), [batch.frames, taps * width]);
  };
  /** The gradient with respect to x of an unfold: each frame collects from the taps that read it. */
  const unfoldGradient = (gradient: Tensor2D, batch: PackedBatch, dilation: number): Tensor2D => {
    const padded = tf.pad(gradient, [
      [0, 1],
      [0, 0],
    ]);
    const rows = tapRows(batch, dilation, -1);
    // row r of the gradient holds its taps side by side: as rows of one tap each, tap t of row r is r · taps + t
    for (let tap = 0; tap < taps; tap++) {
      for (let frame = 0; frame < batch.frames; frame++) {
        const place = tap * batch.frames + frame;
        rows[place] = rows[place]! * taps + tap;
      }
    }
    const byTap = tf.gather(tf.reshape(padded, [(batch.frames + 1) * taps, width]), tf.tensor1d(rows, 'int32'));
    return tf.sum(tf.reshape(byTap, [taps, batch.frames, width]), 0);
  };

  const forget = (): void => {
    for (const { input, y, saved, kept } of traces)
      tf.dispose([input, y, saved.normalised, saved.scale, ...(kept ? [kept] : [])]);
    hidden?.dispose();
    traces = [];
    hidden = undefined;
  };

  return {
    setWeights,
    forward(batch, training) {
      forget();
      // not tf.tidy(), which would walk every element of an array it returns
      tf.engine().startScope();
      const seed = training?.dropoutSeed;
      const input = tf.tensor2d(batch.features, [batch.frames, inputWidth(architecture)]);
      const first = hiddenLayer(input, 0, seed);
      const found = [first.trace];
      let out = first.out;
      for (const [i, dilation] of dilations.entries()) {
        const next = hiddenLayer(unfold(out, batch, dilation), i + 1, seed);
        found.push(next.trace);
        out = tf.add(out, next.out);
      }
      const { matrix, bias } = output();
      const logits = bodies.linear(out, matrix, bias).dataSync() as Float32Array;
      if (training) {
        traces = found;
        hidden = tf.keep(out);
        batchOfTraces = batch;
        for (const { input, y, saved, kept } of found) {
          for (const tensor of [input, y, saved.normalised, saved.scale, kept]) if (tensor) tf.keep(tensor);
        }
      }
      tf.engine().endScope();
      return logits;
    },
    backward(logitGradient) {
      const batch = batchOfTraces;
      if (!hidden || !batch) throw new Error('Cannot go backward: no forward pass in training came before');
      const gradients = new Float32Array(size);
      const put = (i: number, tensor: Tensor): void =>
        gradients.set(tensor.dataSync() as Float32Array, layout[i]!.offset);
      tf.engine().startScope();
      const outGradient = tf.tensor2d(logitGradient, [batch.frames, tokens]);
      put(layout.length - 2, bodies.linearMatrixGradient(hidden, outGradient));
      put(layout.length - 1, tf.sum(outGradient, 0));
      let gradient = bodies.linearInputGradient(outGradient, output().matrix);
      for (let i = dilations.length; i >= 0; i--) {
        const { input, y, saved, kept } = traces[i]!;
        const { matrix, gain } = layer(i);
        const units = kept ? (tf.mul(gradient, kept) as Tensor2D) : gradient;
        const norm = bodies.normReluGradient(units, y, gain, saved);
        put(4 * i, bodies.linearMatrixGradient(input, norm.x));
        put(4 * i + 1, tf.sum(norm.x, 0));
        put(4 * i + 2, norm.gain);
        put(4 * i + 3, norm.bias);
        if (i === 0) break;
        const unfolded = bodies.linearInputGradient(norm.x, matrix);
        gradient = tf.add(gradient, unfoldGradient(unfolded, batch, dilations[i - 1]!));
      }
      tf.engine().endScope();
      forget();
      return gradients;
    },
    dispose() {
      forget();
      for (const tensor of parameters) tensor.dispose();
      parameters = [];
    },
  };
}
