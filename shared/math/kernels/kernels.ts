import { type AdamSettings, type AdamState, adamWInto, clipByGlobalNormInto } from '../adamw.ts';
import { type Attention, type AttentionGradient, attentionGradient, attentionInto } from '../attention.ts';
import { addInto, multiplyInto } from '../elementwise.ts';
import { gruStep, gruStepGradient } from '../gru_step.ts';
import { type KeptUnits, keepUnitsInto } from '../kept_units.ts';
import { lstmStep, lstmStepGradient } from '../lstm_step.ts';
import { type NormRelu, type NormReluGradient, normReluGradient, normReluInPlace } from '../norm_relu.ts';
import { type RecurrentStep, type RecurrentStepGradient, scatterRows } from '../recurrent_step.ts';
import { addFoldInto, type Unfolding, unfoldInto } from '../unfold.ts';

/** The loops that a training step spends its time in beside matrix products, and the memory they work in. */
export interface Kernels {
  name: 'simd' | 'plain';
  /** Forgets all arrays given out, and makes room for others of so many numbers in all. */
  clear(numbers: number): void;
  /** An array that kernels can work on; what it holds is not defined. */
  floats(length: number): Float32Array;
  integers(length: number): Int32Array;
  bytes(length: number): Uint8Array;
  normReluInPlace(layer: NormRelu): void;
  normReluGradient(layer: NormReluGradient): void;
  unfoldInto(target: Float32Array, x: Float32Array, unfolding: Unfolding): void;
  addFoldInto(target: Float32Array, gradient: Float32Array, unfolding: Unfolding): void;
  addInto(target: Float32Array, values: Float32Array): void;
  multiplyInto(target: Float32Array, factors: Float32Array): void;
  lstmStep(step: RecurrentStep): void;
  lstmStepGradient(step: RecurrentStepGradient): void;
  gruStep(step: RecurrentStep): void;
  gruStepGradient(step: RecurrentStepGradient): void;
  attentionInto(attention: Attention): void;
  attentionGradient(gradient: AttentionGradient): void;
  scatterRows(target: Float32Array, rows: Float32Array, where: Parameters<typeof scatterRows>[2]): void;
  keepUnitsInto(units: KeptUnits): void;
  adamWInto(weights: Float32Array, gradients: Float32Array, state: AdamState, settings: AdamSettings): void;
  clipByGlobalNormInto(gradients: Float32Array, limit: number): number;
}

/** The definitions: what the fast ones are tested against, and what runs where the processor has no SIMD. */
export const plainKernels: Kernels = {
  name: 'plain',
  clear: () => {},
  floats: (length) => new Float32Array(length),
  integers: (length) => new Int32Array(length),
  bytes: (length) => new Uint8Array(length),
  normReluInPlace,
  normReluGradient,
  unfoldInto,
  addFoldInto,
  addInto,
  multiplyInto,
  lstmStep,
  lstmStepGradient,
  gruStep,
  gruStepGradient,
  attentionInto,
  attentionGradient,
  scatterRows,
  keepUnitsInto,
  adamWInto,
  clipByGlobalNormInto,
};
