import { type Kernels, plainKernels } from '../../math/kernels/kernels.ts';
import type { Products } from '../products.ts';

interface Held {
  values: Float32Array;
  rows: number;
  columns: number;
  dispose(): void;
}

/** Products and kernels in float64, for finite differences: the arrays only say that they are float32. */
const doubles = (length: number): Float32Array => new Float64Array(length) as unknown as Float32Array;

function product(a: Held, b: Held, turnA: boolean, turnB: boolean): Float32Array {
  const [rows, inner, columns] = [turnA ? a.columns : a.rows, turnA ? a.rows : a.columns, turnB ? b.rows : b.columns];
  return doubles(rows * columns).map((_, place) => {
    const [row, column] = [Math.floor(place / columns), place % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      const left = a.values[turnA ? k * a.columns + row : row * a.columns + k]!;
      sum += left * b.values[turnB ? column * b.columns + k : k * b.columns + column]!;
    }
    return sum;
  });
}

export const exactProducts = {
  upload: (values: Float32Array, rows: number, columns: number) => ({ values, rows, columns, dispose() {} }),
  product: (a: Held, b: Held) => product(a, b, false, false),
  transposedProduct: (a: Held, b: Held) => product(a, b, true, false),
  productTransposed: (a: Held, b: Held) => product(a, b, false, true),
} as unknown as Products;

export const exactKernels: Kernels = { ...plainKernels, floats: doubles };
