import type { Tensor2D } from '@tensorflow/tfjs-core';

/** The library, whichever package it comes from. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core');

/**
 * What an engine does for a network: matrix products. All else is plain mathematics over typed arrays, the same on
 * every engine, where one pass does what takes a dozen tensor operations.
 */
export interface Products {
  /** A matrix that the engine holds; rows × columns, row-major. The array must not change afterwards. */
  upload(values: Float32Array, rows: number, columns: number): Tensor2D;
  /** a·b */
  product(a: Tensor2D, b: Tensor2D): Float32Array;
  /** aᵀ·b: with a layer's input and the gradient of its output, the gradient of its matrix. */
  transposedProduct(a: Tensor2D, b: Tensor2D): Float32Array;
  /** a·bᵀ: with the gradient of a layer's output and its matrix, the gradient of its input. */
  productTransposed(a: Tensor2D, b: Tensor2D): Float32Array;
}

const take = (tensor: Tensor2D): Float32Array => {
  const values = tensor.dataSync() as Float32Array;
  tensor.dispose();
  return values;
};

/** Products of ordinary tensor operations: every back end has them. */
export function portableProducts(tf: TensorFlow): Products {
  // an explicit transpose: matMul's own is many times slower in WebAssembly
  const transposed = (x: Tensor2D, use: (transposed: Tensor2D) => Tensor2D): Float32Array => {
    const turned = tf.transpose(x);
    const result = take(use(turned));
    turned.dispose();
    return result;
  };
  return {
    upload: (values, rows, columns) => tf.tensor2d(values, [rows, columns]),
    product: (a, b) => take(tf.matMul(a, b)),
    transposedProduct: (a, b) => transposed(a, (turned) => tf.matMul(turned, b)),
    productTransposed: (a, b) => transposed(b, (turned) => tf.matMul(a, turned)),
  };
}

/** Raw kernels of TensorFlow, as far as the Node.js package hands them through. */
interface NativeBackend {
  binding: { TF_FLOAT: number; TF_ATTR_BOOL: number; TF_ATTR_TYPE: number };
  executeSingleOutput(kernel: string, attributes: unknown[], inputs: unknown[]): Tensor2D;
}

/**
 * Products of TensorFlow's own kernel, which transposes on the way.
 *
 * BatchMatMulV2, not MatMul: with AVX-512, MatMul ends in a kernel of oneDNN 3.5 that points the stack pointer into the
 * heap, so a signal during a product (Ctrl-C, a resized terminal, a profiler) overwrites memory. As fast, same results
 * within rounding.
 * @see https://github.com/uxlfoundation/oneDNN/issues/4845
 */
export function nativeProducts(tf: TensorFlow): Products {
  const backend = tf.backend() as unknown as NativeBackend;
  const { TF_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE } = backend.binding;
  const multiply = (transposeA: boolean, transposeB: boolean) => {
    const attributes = [
      { name: 'adj_x', type: TF_ATTR_BOOL, value: transposeA },
      { name: 'adj_y', type: TF_ATTR_BOOL, value: transposeB },
      { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
    ];
    return (a: Tensor2D, b: Tensor2D): Float32Array =>
      take(backend.executeSingleOutput('BatchMatMulV2', attributes, [a, b]));
  };
  return {
    upload: (values, rows, columns) => tf.tensor2d(values, [rows, columns]),
    product: multiply(false, false),
    transposedProduct: multiply(true, false),
    productTransposed: multiply(false, true),
  };
}
