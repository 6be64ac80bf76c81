import { editStep } from './edit_distance.ts';
import type { ErrorCounts } from './word_error_rate.ts';

/** What was said and what was heard instead, as numbers of words. */
export interface Confusion {
  reference: number;
  hypothesis: number;
  count: number;
}

/** A word that was heard too much, or not at all. */
export interface Miss {
  word: number;
  count: number;
}

/** Most frequent first; of as many, in the order of their numbers. */
export interface Confusions {
  substitutions: Confusion[];
  insertions: Miss[];
  deletions: Miss[];
}

export interface AlignedWords {
  reference: Int32Array;
  hypothesis: Int32Array;
  /** Of `editSteps`. */
  steps: Uint8Array;
}

export interface ErrorTally {
  /** Counts the errors of an utterance, and returns them. */
  add(words: AlignedWords): ErrorCounts;
  /** @param most of each kind; all unless given */
  confusions(most?: number): Confusions;
}

/** Counts which words are taken for which. */
export function createErrorTally(): ErrorTally {
  const substituted: number[] = []; // reference × 2²⁶ + hypothesis
  const inserted: number[] = [];
  const deleted: number[] = [];
  return {
    add({ reference, hypothesis, steps }) {
      let [insertions, deletions, substitutions] = [0, 0, 0];
      let [said, heard] = [0, 0];
      for (let i = 0; i < steps.length; i++) {
        const step = steps[i];
        if (step === editStep.correct) {
          said++;
          heard++;
        } else if (step === editStep.substituted) {
          substitutions++;
          substituted.push(reference[said++]! * pairs + hypothesis[heard++]!);
        } else if (step === editStep.inserted) {
          insertions++;
          inserted.push(hypothesis[heard++]!);
        } else {
          deletions++;
          deleted.push(reference[said++]!);
        }
      }
      return { words: reference.length, insertions, deletions, substitutions };
    },
    confusions: (most = Infinity) => ({
      substitutions: mostFrequent(substituted, most).map(([key, count]) => ({
        reference: Math.floor(key / pairs),
        hypothesis: key % pairs,
        count,
      })),
      insertions: mostFrequent(inserted, most).map(([word, count]) => ({ word, count })),
      deletions: mostFrequent(deleted, most).map(([word, count]) => ({ word, count })),
    }),
  };
}

const pairs = 2 ** 26;

/** Keys with how often each is there, the most frequent ones. */
function mostFrequent(keys: readonly number[], most: number): [key: number, count: number][] {
  const sorted = Float64Array.from(keys).sort();
  const starts: number[] = [];
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) starts.push(i);
  const counts = Int32Array.from(starts, (start, i) => (starts[i + 1] ?? sorted.length) - start);
  const floor = most < counts.length ? counts.toSorted()[counts.length - most]! : 1;
  const frequent: [number, number][] = [];
  counts.forEach((count, i) => {
    if (count >= floor) frequent.push([sorted[starts[i]!]!, count]);
  });
  return frequent.sort((a, b) => b[1] - a[1]).slice(0, most);
}
