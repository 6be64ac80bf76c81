/** A bigram model as its counts make it: P(w | v) = seen(w | v) where w followed v, else backoff(v) · P(w). */
export interface BigramModel {
  wordCount: number;
  /** P(w), [wordCount + 1]; the last is the end of a sentence. */
  unigrams: Float64Array;
  /**
   * P(w | v) of every pair that was seen, row-major [(wordCount + 1) × (wordCount + 1)]: row `wordCount` is the start of
   * a sentence, column `wordCount` its end; 0 elsewhere.
   */
  seen: Float64Array;
  /** [wordCount + 1] */
  backoff: Float64Array;
}

/**
 * Estimates a bigram model from sentences, smoothed by Witten and Bell's method, interpolated: with c counts and t(v)
 * the number of different words seen after v,
 *
 *     P(w | v) = (c(v w) + t(v) · P(w)) / (c(v) + t(v)),  P(w) = (c(w) + t / (wordCount + 1)) / (c + t)
 *
 * Every word and the end of a sentence has some probability after every word, seen or not.
 *
 * @param sentences words as ids below `wordCount`
 * @throws {RangeError} when there is no sentence, or an id is out of range
 * @see Witten, Bell (1991), The Zero-Frequency Problem, method C; Chen, Goodman (1998), sec. 2.5
 */
export function estimateBigram(sentences: Iterable<ArrayLike<number>>, wordCount: number): BigramModel {
  const size = wordCount + 1;
  const pairs = new Float64Array(size * size);
  const counts = new Float64Array(size);
  for (const sentence of sentences) {
    let previous = wordCount;
    for (let i = 0; i <= sentence.length; i++) {
      const word = i < sentence.length ? sentence[i]! : wordCount;
      if (!(Number.isInteger(word) && word >= 0 && word <= wordCount))
        throw new RangeError(`Cannot count word ${word}: there are ${wordCount}`);
      pairs[previous * size + word]!++;
      counts[word]!++;
      previous = word;
    }
  }
  if (sum(counts) === 0) throw new RangeError('Cannot estimate a bigram model without sentences');
  const unigrams = smoothed(counts, new Float64Array(size).fill(1 / size)).probabilities;
  const seen = new Float64Array(size * size);
  const backoff = new Float64Array(size);
  for (let previous = 0; previous < size; previous++) {
    const row = pairs.subarray(previous * size, (previous + 1) * size);
    const { probabilities, share } = smoothed(row, unigrams);
    backoff[previous] = share;
    row.forEach((count, word) => {
      if (count > 0) seen[previous * size + word] = probabilities[word]!;
    });
  }
  return { wordCount, unigrams, seen, backoff };
}

/** Counts mixed with a less specific distribution, and the share of the latter; all of it where nothing was counted. */
function smoothed(counts: Float64Array, lower: Float64Array): { probabilities: Float64Array; share: number } {
  const kinds = counts.reduce((kinds, count) => kinds + (count > 0 ? 1 : 0), 0);
  const total = sum(counts) + kinds;
  if (total === 0) return { probabilities: lower, share: 1 };
  return { probabilities: counts.map((count, word) => (count + kinds * lower[word]!) / total), share: kinds / total };
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
