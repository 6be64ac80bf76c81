/**
 * The search for the temperature at which a teacher's posteriors fit the hard labels best: p_T ∝ p^(1/T).
 *
 * Mean cross-entropy is convex in 1/T, so Newton's method finds its one minimum in a few passes over the frames; where a
 * step leaves the interval that must hold the minimum, the interval is halved instead. Nothing of a frame is kept.
 */
export interface TemperatureSearch {
  /** What this pass tries; once `advance` says that it is over, the answer. 1 where no frame tells. */
  readonly temperature: number;
  /** Whether the answer is only the best within the limits: a teacher that is always right is never sharp enough. */
  readonly atEdge: boolean;
  /**
   * Some frames of this pass. One whose label the teacher rules out says nothing, since no temperature can help it.
   *
   * @param logPosteriors [frames × vocabularySize] at T = 1, left as they are
   * @param labels [frames]
   */
  count(logPosteriors: Float32Array, labels: Uint16Array): void;
  /** Ends a pass: whether it takes another one over the same frames. */
  advance(): boolean;
}

/** Limits of 1/T. */
const [least, most] = [1 / 20, 20];
/** Nats a frame that a further step may be worth and not be taken. */
const negligible = 1e-14;
/** Rounding may keep the last step from being that small. */
const maxPasses = 50;

/** @see Guo, Pleiss, Sun, Weinberger (2017), On Calibration of Modern Neural Networks, sec. 4.2: temperature scaling */
export function createTemperatureSearch(vocabularySize: number): TemperatureSearch {
  let inverse = 1;
  let passes = 0;
  let atEdge = false;
  // the minimum lies between those; both are beyond the limits until they were tried
  let [low, high] = [least / 2, most * 2];
  let sums = { frames: 0, slope: 0, curvature: 0 };
  return {
    get temperature() {
      return 1 / inverse;
    },
    get atEdge() {
      return atEdge;
    },
    count(logPosteriors, labels) {
      for (let frame = 0; frame < labels.length; frame++) {
        const start = frame * vocabularySize;
        const labelled = logPosteriors[start + labels[frame]!]!;
        if (labelled === -Infinity) continue;
        const { mean, variance } = momentsOf(logPosteriors, { start, vocabularySize, inverse });
        sums.frames++;
        sums.slope += mean - labelled;
        sums.curvature += variance;
      }
    },
    advance() {
      const { frames, slope, curvature } = sums;
      sums = { frames: 0, slope: 0, curvature: 0 };
      atEdge = (inverse === least && slope > 0) || (inverse === most && slope < 0);
      const gain = (slope * slope) / (2 * curvature * frames);
      if (atEdge || !(gain > negligible) || ++passes === maxPasses) return false;
      if (slope > 0) high = inverse;
      else low = inverse;
      const step = Math.min(most, Math.max(least, inverse - slope / curvature));
      inverse = step > low && step < high ? step : Math.sqrt(low * high);
      return true;
    },
  };
}

/** Of a frame's log-posteriors, each with its posterior at a temperature as its weight; those of no mass are left out. */
function momentsOf(
  logPosteriors: Float32Array,
  { start, vocabularySize, inverse }: { start: number; vocabularySize: number; inverse: number },
): { mean: number; variance: number } {
  const end = start + vocabularySize;
  let largest = -Infinity;
  for (let i = start; i < end; i++) if (logPosteriors[i]! > largest) largest = logPosteriors[i]!;
  let [mass, first, second] = [0, 0, 0];
  for (let i = start; i < end; i++) {
    const below = logPosteriors[i]! - largest;
    const weight = Math.exp(below * inverse);
    if (weight === 0) continue;
    mass += weight;
    first += weight * below;
    second += weight * below * below;
  }
  const mean = first / mass;
  return { mean: largest + mean, variance: second / mass - mean * mean };
}
