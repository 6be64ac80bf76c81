/** Errors of a hypothesis against a reference of `words` words. */
export interface ErrorCounts {
  words: number;
  insertions: number;
  deletions: number;
  substitutions: number;
}

/**
 * Errors per reference word, of all counts together (not the mean of the rates): a fraction, above 1 when insertions abound.
 *
 * @throws {RangeError} when the references have no words
 */
export function wordErrorRate(counts: Iterable<ErrorCounts>): number {
  let errors = 0;
  let words = 0;
  for (const count of counts) {
    errors += count.insertions + count.deletions + count.substitutions;
    words += count.words;
  }
  if (!(words > 0))
    throw new RangeError(`Cannot compute a word error rate over ${words} reference words; score at least one`);
  return errors / words;
}
