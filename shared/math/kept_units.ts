import { randomFrom } from './random.ts';

/** Dropout of units: which of them stay in training. */
export interface KeptUnits {
  /** Receives the factor of each unit: 0, or what keeps the mean. */
  kept: Float32Array;
  /** Probability that a unit is dropped, in [0, 1); exact to 1/256. */
  dropout: number;
  /** Of xoshiro128**, see `randomState`; left as it is. */
  state: Uint32Array;
}

/** What is drawn below this, of 256, is dropped, and the factor of what is not. */
export function dropRule(dropout: number): { threshold: number; factor: number } {
  const threshold = Math.round(dropout * 256);
  return { threshold, factor: 256 / (256 - threshold) };
}

/** Draws one byte a unit, four from each number; the same on every engine. */
export function keepUnitsInto({ kept, dropout, state }: KeptUnits): void {
  const random = randomFrom(state);
  const { threshold, factor } = dropRule(dropout);
  // a table, since a branch would be mispredicted
  const factors = new Float32Array(256).fill(factor, threshold);
  for (let i = 0; i < kept.length; i += 4) {
    const bits = random.uint32();
    // writes past the end have no effect
    kept[i] = factors[bits & 255]!;
    kept[i + 1] = factors[(bits >>> 8) & 255]!;
    kept[i + 2] = factors[(bits >>> 16) & 255]!;
    kept[i + 3] = factors[bits >>> 24]!;
  }
}
