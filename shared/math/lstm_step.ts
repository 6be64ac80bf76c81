/**
 * One step of long short-term memory, for several utterances at once:
 *
 *     i, f, o = σ(z), g = tanh(z);  c = f · c₋₁ + i · g;  h = o · tanh(c)
 *
 * with z the products of the input, those of the step before, and the bias, gate by gate. Frames in the order of steps:
 * first those of all utterances' first step, then those of the second, longest utterance first in each; so the frames of a
 * step follow from as many first ones of the step before.
 *
 * @see Hochreiter, Schmidhuber (1997), Long Short-Term Memory; Gers et al. (2000), Learning to Forget, eq. 1 to 9
 */
export interface LstmStep {
  units: number;
  /** Frames of this step: how many, and the first of them and of the step before (−1: there is none). */
  count: number;
  first: number;
  before: number;
  /** Place of each frame in the batch, [frames]. */
  places: Int32Array;
  /** By place, [frames × 4·units]: products of the input; replaced by the activations of i, f, g and o. */
  gates: Float32Array;
  /** [count × 4·units]: products of the step before, where there is one. */
  recurrent: Float32Array;
  /** [4·units] */
  bias: Float32Array;
  /** c and h, in the order of steps, [frames × units]. */
  cells: Float32Array;
  hidden: Float32Array;
}

export function lstmStep({
  units,
  count,
  first,
  before,
  places,
  gates,
  recurrent,
  bias,
  cells,
  hidden,
}: LstmStep): void {
  for (let r = 0; r < count; r++) {
    const gate = places[first + r]! * 4 * units;
    const own = (first + r) * units;
    for (let u = 0; u < units; u++) {
      const z = (k: number): number => {
        const column = k * units + u;
        return gates[gate + column]! + bias[column]! + (before < 0 ? 0 : recurrent[r * 4 * units + column]!);
      };
      const [i, f, g, o] = [sigmoid(z(0)), sigmoid(z(1)), Math.tanh(z(2)), sigmoid(z(3))];
      gates[gate + u] = i;
      gates[gate + units + u] = f;
      gates[gate + 2 * units + u] = g;
      gates[gate + 3 * units + u] = o;
      const cell = i * g + (before < 0 ? 0 : f * cells[(before + r) * units + u]!);
      cells[own + u] = cell;
      hidden[own + u] = o * Math.tanh(cell);
    }
  }
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The way back through a step, after those that follow it. */
export interface LstmStepGradient
  extends Pick<LstmStep, 'units' | 'count' | 'first' | 'before' | 'places' | 'gates' | 'cells'> {
  /** By place, [frames × columns], with this direction's units from `column` on: what the next layer wants of h. */
  gradient: Float32Array;
  columns: number;
  column: number;
  /** [following × units]: what the step after wants of h, and how many frames it has. */
  fromAfter: Float32Array;
  following: number;
  /** [utterances × units] ∂/∂c: of the following frames of the step after; replaced by that of the step before. */
  cellGradient: Float32Array;
  /** In the order of steps, [frames × 4·units]: receives ∂/∂z of this step. */
  gateGradient: Float32Array;
}

export function lstmStepGradient(step: LstmStepGradient): void {
  const { units, count, first, before, places, gates, cells, gradient, columns, column } = step;
  const { fromAfter, following, cellGradient, gateGradient } = step;
  for (let r = 0; r < count; r++) {
    const place = places[first + r]!;
    const gate = place * 4 * units;
    const to = (first + r) * 4 * units;
    for (let u = 0; u < units; u++) {
      const [i, f, g, o] = [0, 1, 2, 3].map((k) => gates[gate + k * units + u]!) as [number, number, number, number];
      const carried = r < following;
      const dh = gradient[place * columns + column + u]! + (carried ? fromAfter[r * units + u]! : 0);
      const tanhCell = Math.tanh(cells[(first + r) * units + u]!);
      const dc = dh * o * (1 - tanhCell * tanhCell) + (carried ? cellGradient[r * units + u]! : 0);
      const cellBefore = before < 0 ? 0 : cells[(before + r) * units + u]!;
      gateGradient[to + u] = dc * g * i * (1 - i);
      gateGradient[to + units + u] = dc * cellBefore * f * (1 - f);
      gateGradient[to + 2 * units + u] = dc * i * (1 - g * g);
      gateGradient[to + 3 * units + u] = dh * tanhCell * o * (1 - o);
      cellGradient[r * units + u] = dc * f;
    }
  }
}

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
