/**
 * Takes one more array into the mean of those before, in place: after the first n, `mean` is their mean.
 *
 * @param n how many there are with this one, from 1 on
 * @throws {RangeError} when the lengths differ
 */
export function addToMeanInto(mean: Float64Array, values: Float32Array, n: number): void {
  if (values.length !== mean.length) {
    throw new RangeError(`Cannot take ${values.length} values into a mean of ${mean.length}; give as many`);
  }
  const share = 1 / n;
  for (let i = 0; i < mean.length; i++) mean[i]! += (values[i]! - mean[i]!) * share;
}
