/** Mean and deviation of each column of rows that come piece by piece. */
export interface Moments {
  /** @param rows [rows × columns] */
  add(rows: Float32Array): void;
  /** Of all rows so far, [columns] each; the deviation divides by the number of rows. */
  summary(): { mean: Float64Array; deviation: Float64Array };
}

/** @see Welford (1962), Note on a method for calculating corrected sums of squares and products */
export function createMoments(columns: number): Moments {
  const mean = new Float64Array(columns);
  const squares = new Float64Array(columns);
  let count = 0;
  return {
    add(rows) {
      for (let i = 0; i < rows.length; i += columns) {
        count++;
        for (let k = 0; k < columns; k++) {
          const difference = rows[i + k]! - mean[k]!;
          mean[k]! += difference / count;
          squares[k]! += difference * (rows[i + k]! - mean[k]!);
        }
      }
    },
    summary: () => ({ mean: mean.slice(), deviation: squares.map((sum) => Math.sqrt(sum / count)) }),
  };
}
