/** What all tokens of each frame are needed for, [frames] each. */
export interface FrameSums {
  /** Nats. */
  entropy: Float64Array;
  /** Of each temperature: log Σ exp(log p / T). */
  logSums: Float64Array[];
}

/**
 * Entropy, and what normalises the posteriors at other temperatures. NaN in a frame makes both NaN.
 *
 * @param logPosteriors [frames × vocabularySize] at temperature 1
 */
export function frameSums(
  logPosteriors: Float32Array,
  vocabularySize: number,
  temperatures: readonly number[],
): FrameSums {
  const frames = logPosteriors.length / vocabularySize;
  const ofFrames = (sumOf: (row: Float32Array) => number): Float64Array =>
    Float64Array.from({ length: frames }, (_, frame) =>
      sumOf(logPosteriors.subarray(frame * vocabularySize, (frame + 1) * vocabularySize)),
    );
  return {
    entropy: ofFrames((row) =>
      row.reduce((sum, value) => (value === -Infinity ? sum : sum - Math.exp(value) * value), 0),
    ),
    logSums: temperatures.map((temperature) =>
      ofFrames((row) => {
        const largest = row.reduce((most, value) => (value > most ? value : most), -Infinity);
        return (
          largest / temperature +
          Math.log(row.reduce((sum, value) => sum + Math.exp((value - largest) / temperature), 0))
        );
      }),
    ),
  };
}
