import { type RecurrentStep, type RecurrentStepGradient, sigmoid } from './recurrent_step.ts';

/**
 * One step of long short-term memory:
 *
 *     i, f, o = σ(z), g = tanh(z);  c = f · c₋₁ + i · g;  h = o · tanh(c)
 *
 * with z the products of the input, those of the step before, and the bias, gate by gate in the order i, f, g, o. What it
 * leaves as `inner` is c.
 *
 * @see Hochreiter, Schmidhuber (1997), Long Short-Term Memory; Gers et al. (2000), Learning to Forget, eq. 1 to 9
 */
export function lstmStep({
  units,
  count,
  first,
  before,
  places,
  gates,
  recurrent,
  bias,
  inner: cells,
  hidden,
}: RecurrentStep): void {
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

/** The way back; products of the input and of the step before have one gradient, `gateGradient`. */
export function lstmStepGradient(step: Omit<RecurrentStepGradient, 'hidden' | 'recurrentGradient'>): void {
  const { units, count, first, before, places, gates, inner: cells, gradient, columns, column } = step;
  const { fromAfter, following, carried: cellGradient, gateGradient } = step;
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
