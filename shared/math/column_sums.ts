/** Sums over rows of a row-major matrix, [columns]. */
export function columnSums(values: Float32Array, columns: number): Float32Array {
  const sums = new Float32Array(columns);
  for (let i = 0; i < values.length; i += columns)
    for (let column = 0; column < columns; column++) sums[column]! += values[i + column]!;
  return sums;
}
