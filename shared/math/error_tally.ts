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
      substitutions: mostFrequent(runsOf(substituted), most).map(([key, count]) => ({
        reference: Math.floor(key / pairs),
        hypothesis: key % pairs,
        count,
      })),
      insertions: mostFrequent(timesOf(inserted), most).map(([word, count]) => ({ word, count })),
      deletions: mostFrequent(timesOf(deleted), most).map(([word, count]) => ({ word, count })),
    }),
  };
}

const pairs = 2 ** 26;

/** Keys, ascending, with how often each is there. */
interface Counted {
  keys: number[];
  counts: number[];
}

/** Of keys of any size. */
function runsOf(keys: readonly number[]): Counted {
  const sorted = Float64Array.from(keys).sort();
  const counted: Counted = { keys: [], counts: [] };
  for (let start = 0, end = 0; start < sorted.length; start = end) {
    while (end < sorted.length && sorted[end] === sorted[start]) end++;
    counted.keys.push(sorted[start]!);
    counted.counts.push(end - start);
  }
  return counted;
}

/** Of numbers of words, which are small. */
function timesOf(words: readonly number[]): Counted {
  let most = -1;
  for (const word of words) if (word > most) most = word;
  const times = new Int32Array(most + 1);
  for (const word of words) times[word]!++;
  const counted: Counted = { keys: [], counts: [] };
  times.forEach((count, word) => {
    if (count === 0) return;
    counted.keys.push(word);
    counted.counts.push(count);
  });
  return counted;
}

function mostFrequent({ keys, counts }: Counted, most: number): [key: number, count: number][] {
  const floor = most < counts.length ? Int32Array.from(counts).sort()[counts.length - most]! : 1;
  const frequent: [number, number][] = [];
  counts.forEach((count, i) => {
    if (count >= floor) frequent.push([keys[i]!, count]);
  });
  return frequent.sort((a, b) => b[1] - a[1]).slice(0, most);
}
