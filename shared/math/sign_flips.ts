import type { Random } from './random.ts';

/**
 * How surprising the sum of paired differences is when the sign of each could as well be the other: a two-sided p value
 * by random sign flips (approximate randomisation). The observed signs count as one draw, so p is never 0.
 *
 * It speaks for utterances like these with the seeds as they are: average over the seeds before.
 *
 * @param differences one per utterance (or speaker, to speak for speakers like these), e.g. errors of one arm less those of the other
 * @returns (1 + draws at least as far from 0) / (1 + resamples); 1 when nothing differs
 * @throws {RangeError} when a difference is not finite
 * @see Noreen (1989), Computer-Intensive Methods for Testing Hypotheses; Phipson, Smyth (2010) for the added one
 */
export function signFlipTest(
  differences: Float64Array,
  { resamples, random }: { resamples: number; random: Random },
): number {
  const odd = differences.find((difference) => !Number.isFinite(difference));
  if (odd !== undefined) throw new RangeError(`Cannot test a difference of ${odd}; give finite numbers`);
  const changed = differences.filter((difference) => difference !== 0);
  let observed = 0;
  let scale = 0;
  for (const difference of changed) {
    observed += difference;
    scale += Math.abs(difference);
  }
  const reach = Math.abs(observed) - 1e-12 * scale; // sums in another order may differ in the last bits and still tie
  let asFar = 0;
  for (let resample = 0; resample < resamples; resample++) {
    let sum = 0;
    let signs = 0;
    for (let i = 0; i < changed.length; i++) {
      if (i % 32 === 0) signs = random.uint32();
      sum += signs & 1 ? changed[i]! : -changed[i]!;
      signs >>>= 1;
    }
    if (Math.abs(sum) >= reach) asFar++;
  }
  return (1 + asFar) / (1 + resamples);
}

/**
 * p values after Holm's step-down correction: the chance of one false alarm among all of them stays below the level.
 *
 * @returns in the order given, each ≥ the one it came from and ≤ 1
 * @see Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure
 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const adjusted = new Array<number>(pValues.length);
  let floor = 0;
  const ascending = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  ascending.forEach((i, rank) => {
    floor = Math.max(floor, Math.min(1, pValues[i]! * (pValues.length - rank)));
    adjusted[i] = floor;
  });
  return adjusted;
}
