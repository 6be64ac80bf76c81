/** When frames are: frame j has its centre at firstCentreMs + j · shiftMs. */
export interface FrameGrid {
  shiftMs: number;
  firstCentreMs: number;
  frames: number;
}

export const frameRules = ['nearest', 'linear'] as const;
/** Which frames an answer is taken from: the one nearest in time, or a mean of the two around it. */
export type FrameRule = (typeof frameRules)[number];

/** Centre of frame j. */
export const centreMs = ({ firstCentreMs, shiftMs }: FrameGrid, j: number): number => firstCentreMs + j * shiftMs;

/** Whether both have the same frames. */
export const isSameGrid = (a: FrameGrid, b: FrameGrid): boolean =>
  a.frames === b.frames && a.shiftMs === b.shiftMs && a.firstCentreMs === b.firstCentreMs;

/**
 * How far one grid reaches beyond the other at either end: what no frame of the other is near. Zero or less where it
 * does not.
 */
export function reachBeyondMs(grid: FrameGrid, other: FrameGrid): number {
  const atStart = other.firstCentreMs - grid.firstCentreMs;
  const atEnd = centreMs(grid, grid.frames - 1) - centreMs(other, other.frames - 1);
  return Math.max(atStart, atEnd);
}

/**
 * Log-posteriors at other times. Beyond the first and the last frame these stand for what is there.
 *
 * `nearest` takes the frame whose centre is nearest, the earlier of two as near. `linear` is the mean of the posteriors
 * (not of their logarithms) of the two frames around, each weighted by how near it is: a distribution again.
 *
 * @param logPosteriors nats, [from.frames × vocabularySize], left as they are
 * @returns [to.frames × vocabularySize]; the same array where the grids are the same
 */
export function alignFrames(
  logPosteriors: Float32Array,
  vocabularySize: number,
  { from, to, rule }: { from: FrameGrid; to: FrameGrid; rule: FrameRule },
): Float32Array {
  if (isSameGrid(from, to)) return logPosteriors;
  const result = new Float32Array(to.frames * vocabularySize);
  for (let j = 0; j < to.frames; j++) {
    const place = (centreMs(to, j) - from.firstCentreMs) / from.shiftMs;
    const inside = Math.min(Math.max(place, 0), from.frames - 1);
    const before = rule === 'nearest' ? Math.ceil(inside - 0.5) : Math.floor(inside);
    const share = rule === 'nearest' ? 0 : inside - before;
    const start = before * vocabularySize;
    const target = j * vocabularySize;
    if (share === 0) {
      result.set(logPosteriors.subarray(start, start + vocabularySize), target);
      continue;
    }
    for (let token = 0; token < vocabularySize; token++) {
      const earlier = Math.exp(logPosteriors[start + token]!);
      const later = Math.exp(logPosteriors[start + vocabularySize + token]!);
      result[target + token] = Math.log((1 - share) * earlier + share * later);
    }
  }
  return result;
}
