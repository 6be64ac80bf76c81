import { InputError } from '../io/errors.ts';
import { createMoments } from '../math/moments.ts';
import { type Source, usedRows } from './batches.ts';
import type { Normalisation } from './network_input.ts';

/**
 * Mean and standard deviation of each bin over all frames of the utterances that are used.
 *
 * @throws {InputError} naming the utterance whose features are not finite numbers
 */
export async function normalisationOf(
  { features, utterances }: Pick<Source, 'features' | 'utterances'>,
  bins: number,
): Promise<Normalisation> {
  const moments = createMoments(bins);
  for await (const row of usedRows({ features, utterances })) {
    const values = row.features as Float32Array;
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      throw new InputError(
        `Cannot train on utterance "${row.utterance}": ${features.path} holds ${values[wrong]} in frame ${Math.floor(wrong / bins)}, bin ${wrong % bins}; check the audio and extract the features again`,
      );
    }
    moments.add(values);
  }
  const { mean, deviation } = moments.summary();
  // a bin that never changes (digital silence) is left at its scale
  return { mean: [...mean], deviation: Array.from(deviation, (value) => value || 1) };
}
