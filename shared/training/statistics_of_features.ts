import { InputError } from '../io/errors.ts';
import type { UtteranceTable } from '../io/utterance_table.ts';
import type { Normalisation } from './model_folder.ts';

/**
 * Mean and standard deviation of each bin over all frames of a table, in one pass (Welford).
 *
 * @throws {InputError} naming the utterance whose features are not finite numbers
 */
export async function normalisationOf(features: UtteranceTable, bins: number): Promise<Normalisation> {
  const mean = new Float64Array(bins);
  const squares = new Float64Array(bins);
  let count = 0;
  for await (const row of features.rows()) {
    const values = row.features as Float32Array;
    for (let i = 0; i < values.length; i += bins) {
      count++;
      for (let bin = 0; bin < bins; bin++) {
        const value = values[i + bin]!;
        if (!Number.isFinite(value)) {
          throw new InputError(
            `Cannot train on utterance "${row.utterance}": ${features.path} holds ${value} in frame ${i / bins}, bin ${bin}; check the audio and extract the features again`,
          );
        }
        const difference = value - mean[bin]!;
        mean[bin]! += difference / count;
        squares[bin]! += difference * (value - mean[bin]!);
      }
    }
  }
  // a bin that never changes (digital silence) is left at its scale
  return { mean: [...mean], deviation: Array.from(squares, (sum) => Math.sqrt(sum / count) || 1) };
}
