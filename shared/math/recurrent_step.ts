/**
 * One step of a recurrent layer, for several utterances at once. Frames are in the order of steps: first those of all
 * utterances' first step, then those of the second, longest utterance first in each; so the frames of a step follow from as
 * many first ones of the step before.
 */
export interface RecurrentStep {
  units: number;
  /** Frames of this step: how many, and the first of them and of the step before (−1: there is none). */
  count: number;
  first: number;
  before: number;
  /** Place of each frame in the batch, [frames]. */
  places: Int32Array;
  /** By place, [frames × gates·units]: products of the input; replaced by the activations of the gates. */
  gates: Float32Array;
  /** [count × gates·units]: products of the step before, where there is one. */
  recurrent: Float32Array;
  /** [4·units] */
  bias: Float32Array;
  /** In the order of steps, [frames × units]: what the way back needs beside gates and outputs. */
  inner: Float32Array;
  /** Outputs h, in the order of steps, [frames × units]. */
  hidden: Float32Array;
}

/** The way back through a step, after those that follow it. */
export interface RecurrentStepGradient
  extends Pick<RecurrentStep, 'units' | 'count' | 'first' | 'before' | 'places' | 'gates' | 'inner' | 'hidden'> {
  /** By place, [frames × columns], with this direction's units from `column` on: what the next layer wants of h. */
  gradient: Float32Array;
  columns: number;
  column: number;
  /** [following × units]: what the step after wants of h by its products, and how many frames it has. */
  fromAfter: Float32Array;
  following: number;
  /**
   * [utterances × units]: what the step after wants of this one past its products, for the following frames; replaced by
   * what this one wants of the step before.
   */
  carried: Float32Array;
  /** In the order of steps, [frames × gates·units]: receives the gradient with respect to the products of the input. */
  gateGradient: Float32Array;
  /** The same for the products of the step before; may be one array with `gateGradient` where both are equal. */
  recurrentGradient: Float32Array;
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Rows in the order of steps, each to its place among rows of `columns`, from a column on. */
export function scatterRows(
  target: Float32Array,
  rows: Float32Array,
  { places, columns, column }: { places: Int32Array; columns: number; column: number },
): void {
  const width = rows.length / places.length;
  places.forEach((place, i) => {
    target.set(rows.subarray(i * width, (i + 1) * width), place * columns + column);
  });
}
