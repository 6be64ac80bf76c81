import { toHalf } from './half.ts';
import { fastFromHalf, fastToHalfInto } from './kernels/fast_half.ts';

/** Mean and quantiles of the mass that frames keep, in memory that does not grow with their number. */
export interface KeptMassTally {
  /** Adds what another tally has counted. */
  add(counts: KeptMassCounts): void;
  counts(): KeptMassCounts;
  /** One frame after another: the mass each one lost, in [0, 1]. */
  count(lostMass: Float32Array): void;
  /** Mass kept: the mean, and the value that a share of the frames stays at or below. Zeros where nothing was counted. */
  summary(): { mean: number; p01: number; p05: number; p50: number };
}

/** What a tally has counted, to be kept and added up. */
export interface KeptMassCounts {
  frames: number;
  lostSum: number;
  /** Of each lost mass, as the bits of its half-precision value, the frames that lost it. */
  lost: [half: number, frames: number][];
}

/** Lost masses are counted by their half-precision value, so that quantiles are right to three digits of what is lost. */
export function createKeptMassTally(): KeptMassTally {
  const [one] = toHalf(Float32Array.of(1));
  const counts = new Float64Array(one! + 1);
  let frames = 0;
  let lostSum = 0;
  const quantile = (share: number): number => {
    let above = 0;
    for (let half = one!; half >= 0; half--) {
      above += counts[half]!;
      if (above >= share * frames && above > 0) return 1 - fastFromHalf(Uint16Array.of(half))[0]!;
    }
    return 0;
  };
  return {
    add(other) {
      frames += other.frames;
      lostSum += other.lostSum;
      for (const [half, count] of other.lost) counts[half]! += count;
    },
    counts: () => ({
      frames,
      lostSum,
      lost: Array.from(counts, (count, half): [number, number] => [half, count]).filter(([, count]) => count > 0),
    }),
    count(lostMass) {
      const halves = new Uint16Array(lostMass.length);
      fastToHalfInto(halves, lostMass);
      for (let i = 0; i < halves.length; i++) {
        counts[Math.min(halves[i]!, one!)]!++;
        lostSum += lostMass[i]!;
      }
      frames += halves.length;
    },
    summary: () => ({
      mean: frames > 0 ? 1 - lostSum / frames : 0,
      p01: quantile(0.01),
      p05: quantile(0.05),
      p50: quantile(0.5),
    }),
  };
}
