import { type RecurrentStep, type RecurrentStepGradient, sigmoid } from './recurrent_step.ts';

/**
 * One step of gated recurrent units, the reset gate after the product, as in cuDNN and PyTorch:
 *
 *     r, z = σ(x + p + b);  q = p + b′;  n = tanh(x + r · q + b);  h = (1 − z) · n + z · h₋₁
 *
 * with x the products of the input and p those of the step before, gate by gate in the order r, z, n. The bias has a fourth
 * part, b′, that of q. What it leaves as `inner` is q.
 *
 * @see Cho et al. (2014), Learning Phrase Representations using RNN Encoder–Decoder, eq. 5 to 8 (the reset gate there is
 *   before the product)
 */
export function gruStep({
  units,
  count,
  first,
  before,
  places,
  gates,
  recurrent,
  bias,
  inner: candidates,
  hidden,
}: RecurrentStep): void {
  for (let row = 0; row < count; row++) {
    const gate = places[first + row]! * 3 * units;
    const own = (first + row) * units;
    for (let u = 0; u < units; u++) {
      const product = (k: number): number => (before < 0 ? 0 : recurrent[(row * 3 + k) * units + u]!);
      const input = (k: number): number => gates[gate + k * units + u]! + bias[k * units + u]!;
      const r = sigmoid(input(0) + product(0));
      const z = sigmoid(input(1) + product(1));
      const q = product(2) + bias[3 * units + u]!;
      const n = Math.tanh(input(2) + r * q);
      gates[gate + u] = r;
      gates[gate + units + u] = z;
      gates[gate + 2 * units + u] = n;
      candidates[own + u] = q;
      hidden[own + u] = (1 - z) * n + (before < 0 ? 0 : z * hidden[(before + row) * units + u]!);
    }
  }
}

/** The way back; `recurrentGradient` differs from `gateGradient` in its third part: r times that of n is that of q. */
export function gruStepGradient(step: RecurrentStepGradient): void {
  const { units, count, first, before, places, gates, inner: candidates, hidden, gradient, columns, column } = step;
  const { fromAfter, following, carried, gateGradient, recurrentGradient } = step;
  for (let row = 0; row < count; row++) {
    const place = places[first + row]!;
    const gate = place * 3 * units;
    const to = (first + row) * 3 * units;
    for (let u = 0; u < units; u++) {
      const [r, z, n] = [0, 1, 2].map((k) => gates[gate + k * units + u]!) as [number, number, number];
      const own = row * units + u;
      const dh = gradient[place * columns + column + u]! + (row < following ? fromAfter[own]! + carried[own]! : 0);
      const hiddenBefore = before < 0 ? 0 : hidden[(before + row) * units + u]!;
      const dn = dh * (1 - z) * (1 - n * n);
      const dr = dn * candidates[(first + row) * units + u]! * r * (1 - r);
      const dz = dh * (hiddenBefore - n) * z * (1 - z);
      gateGradient[to + u] = dr;
      gateGradient[to + units + u] = dz;
      gateGradient[to + 2 * units + u] = dn;
      recurrentGradient[to + u] = dr;
      recurrentGradient[to + units + u] = dz;
      recurrentGradient[to + 2 * units + u] = dn * r;
      carried[own] = dh * z;
    }
  }
}
