import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';

/** The library, whichever package it comes from. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core');

/**
 * The operations of a network, each with its gradient: explicit pairs instead of a tape, so that the same few tensor
 * operations serve every back end. Frames are rows.
 */
export interface Bodies {
  /** x·W + b: [frames × outputs]. */
  linear(x: Tensor2D, matrix: Tensor2D, bias: Tensor1D): Tensor2D;
  /** xᵀ·g: the gradient of W. */
  linearMatrixGradient(x: Tensor2D, gradient: Tensor2D): Tensor2D;
  /** g·Wᵀ: the gradient of x. */
  linearInputGradient(gradient: Tensor2D, matrix: Tensor2D): Tensor2D;
  /** relu(norm(x)·gain + bias), with what its gradient needs. */
  normRelu(x: Tensor2D, gain: Tensor1D, bias: Tensor1D): { y: Tensor2D; saved: Saved };
  normReluGradient(gradient: Tensor2D, y: Tensor2D, gain: Tensor1D, saved: Saved): NormGradient;
}
export interface Saved {
  /** x, normalised: [frames × units]. */
  normalised: Tensor2D;
  /** 1 / √(variance + ε): [frames × 1]. */
  scale: Tensor2D;
}
export interface NormGradient {
  x: Tensor2D;
  gain: Tensor1D;
  bias: Tensor1D;
}

const epsilon = 1e-5;

/** Bodies of ordinary tensor operations: every back end has them. */
export function portableBodies(
  tf: TensorFlow,
  reluGradient = (gradient: Tensor2D, y: Tensor2D): Tensor2D => tf.mul(gradient, tf.step(y)),
): Bodies {
  return {
    linear: (x, matrix, bias) => tf.fused.matMul({ a: x, b: matrix, bias }) as Tensor2D,
    // an explicit transpose: matMul's own is many times slower in WebAssembly
    linearMatrixGradient: (x, gradient) => tf.tidy(() => tf.matMul(tf.transpose(x), gradient)),
    linearInputGradient: (gradient, matrix) => tf.tidy(() => tf.matMul(gradient, tf.transpose(matrix))),
    normRelu(x, gain, bias) {
      const [y, normalised, scale] = tf.tidy(() => {
        const centred = tf.sub(x, tf.mean(x, 1, true));
        const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), epsilon));
        const normalised = tf.mul(centred, scale);
        return [tf.relu(tf.add(tf.mul(normalised, gain), bias)), normalised, scale] as Tensor2D[];
      }) as [Tensor2D, Tensor2D, Tensor2D];
      return { y, saved: { normalised, scale } };
    },
    normReluGradient(gradient, y, gain, { normalised, scale }) {
      const [x, gainGradient, biasGradient] = tf.tidy(() => {
        const active = reluGradient(gradient, y);
        const weighted = tf.mul(active, normalised);
        const inner = tf.mul(active, gain);
        const mean = tf.mean(inner, 1, true);
        const meanWeighted = tf.mean(tf.mul(weighted, gain), 1, true);
        const x = tf.mul(scale, tf.sub(tf.sub(inner, mean), tf.mul(normalised, meanWeighted)));
        return [x, tf.sum(weighted, 0), tf.sum(active, 0)];
      }) as [Tensor2D, Tensor1D, Tensor1D];
      return { x, gain: gainGradient, bias: biasGradient };
    },
  };
}

/** Raw kernels of TensorFlow, as far as the Node.js package hands them through. */
interface NativeBackend {
  binding: { TF_FLOAT: number; TF_ATTR_BOOL: number; TF_ATTR_TYPE: number };
  executeSingleOutput(kernel: string, attributes: unknown[], inputs: unknown[]): Tensor2D;
}

/** Bodies of TensorFlow's own kernels: transposes inside the product, the ReLU's gradient in one. */
export function nativeBodies(tf: TensorFlow): Bodies {
  const backend = tf.backend() as unknown as NativeBackend;
  const { TF_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE } = backend.binding;
  const type = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
  const product = (a: Tensor2D, b: Tensor2D, transposeA: boolean, transposeB: boolean): Tensor2D =>
    backend.executeSingleOutput(
      'MatMul',
      [
        { name: 'transpose_a', type: TF_ATTR_BOOL, value: transposeA },
        { name: 'transpose_b', type: TF_ATTR_BOOL, value: transposeB },
        type,
      ],
      [a, b],
    );
  const reluGradient = (gradient: Tensor2D, y: Tensor2D): Tensor2D =>
    backend.executeSingleOutput('ReluGrad', [type], [gradient, y]);
  return {
    ...portableBodies(tf, reluGradient),
    linear: (x, matrix, bias) =>
      tf.tidy(() => backend.executeSingleOutput('BiasAdd', [type], [product(x, matrix, false, false), bias])),
    linearMatrixGradient: (x, gradient) => product(x, gradient, true, false),
    linearInputGradient: (gradient, matrix) => product(gradient, matrix, false, true),
  };
}
