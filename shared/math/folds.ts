import { createRandom } from './random.ts';

/**
 * Which of K folds each name is in: the sorted names are shuffled, always alike, and dealt one after another, so that
 * folds differ by one name at most, and depend on which names there are and not on their order.
 *
 * @returns folds from 0, by name
 * @throws {RangeError} when there are fewer names than folds
 */
export function dealFolds(names: Iterable<string>, folds: number): Map<string, number> {
  const sorted = [...new Set(names)].sort();
  if (!(Number.isInteger(folds) && folds > 0 && sorted.length >= folds)) {
    throw new RangeError(`Cannot deal ${sorted.length} names into ${folds} folds; need at least one name a fold`);
  }
  return new Map(
    createRandom('folds')
      .shuffle(sorted)
      .map((name, i) => [name, i % folds]),
  );
}
