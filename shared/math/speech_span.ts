import { quantile } from './quantile.ts';

/** Values are averaged over this many frames to either side, so that a click is no speech. */
const reach = 4;
/** Shares of the frames taken for the level of the background and of the speech. */
const backgroundShare = 0.05;
const speechShare = 0.9;

/**
 * Where an utterance is spoken: from the first to the last frame (excluded) that is clearly louder than its background.
 *
 * The threshold lies at `height` of the way from the quietest to the loudest frames (5 % and 90 % quantiles of the
 * smoothed levels), so it adapts to noise. Good enough to start a training from; pauses inside are not looked for.
 *
 * @param levels log energy per frame, any unit, at least one
 */
export function speechSpan(levels: ArrayLike<number>, { height = 0.4 } = {}): { start: number; end: number } {
  const smooth = Float64Array.from(levels, (_, i) => {
    const from = Math.max(0, i - reach);
    const to = Math.min(levels.length, i + reach + 1);
    let sum = 0;
    for (let j = from; j < to; j++) sum += levels[j]!;
    return sum / (to - from);
  });
  const background = quantile(smooth, backgroundShare);
  const threshold = background + height * (quantile(smooth, speechShare) - background);
  const start = smooth.findIndex((level) => level >= threshold);
  return { start, end: smooth.findLastIndex((level) => level >= threshold) + 1 };
}
