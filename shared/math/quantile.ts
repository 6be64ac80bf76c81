/**
 * The value below which a share of the values lies, interpolated between the two nearest (estimator R-7).
 *
 * @param values any order, left as they are
 * @param share in [0, 1]; 0 is the minimum, 0.5 the median, 1 the maximum
 * @throws {RangeError} when there are no values, one of them is NaN, or the share is outside [0, 1]
 * @see Hyndman, Fan (1996), Sample Quantiles in Statistical Packages, definition 7
 */
export function quantile(values: ArrayLike<number>, share: number): number {
  return quantileSorted(Float64Array.from(values).sort(), share);
}

/** `quantile` of values already in ascending order. */
export function quantileSorted(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) throw new RangeError('Cannot take a quantile of no values; give at least one');
  if (!(share >= 0 && share <= 1)) throw new RangeError(`Cannot take the quantile ${share}; give a share in [0, 1]`);
  if (Number.isNaN(sorted[sorted.length - 1]))
    throw new RangeError('Cannot take a quantile of NaN; leave it out first');
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const low = sorted[below]!;
  const fraction = place - below;
  return fraction === 0 ? low : low + (sorted[below + 1]! - low) * fraction;
}

/** The central interval that holds `confidence` of the values: percentiles, equal tails. */
export function centralInterval(values: ArrayLike<number>, confidence = 0.95): { low: number; high: number } {
  const sorted = Float64Array.from(values).sort();
  const tail = (1 - confidence) / 2;
  return { low: quantileSorted(sorted, tail), high: quantileSorted(sorted, 1 - tail) };
}
