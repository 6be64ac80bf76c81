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

/** Most frequent first; of as many, the one that came first. */
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
  const substituted = new Map<number, number>(); // by reference × 2²⁶ + hypothesis
  const inserted = new Map<number, number>();
  const deleted = new Map<number, number>();
  const count = (counts: Map<number, number>, key: number): void => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  return {
    add({ reference, hypothesis, steps }) {
      let [insertions, deletions, substitutions] = [0, 0, 0];
      let [said, heard] = [0, 0];
      for (const step of steps) {
        if (step === editStep.correct) {
          said++;
          heard++;
        } else if (step === editStep.substituted) {
          substitutions++;
          count(substituted, reference[said++]! * pairs + hypothesis[heard++]!);
        } else if (step === editStep.inserted) {
          insertions++;
          count(inserted, hypothesis[heard++]!);
        } else {
          deletions++;
          count(deleted, reference[said++]!);
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

/** Entries with the highest counts; those with the lowest among them are the first that came. */
function mostFrequent(counts: ReadonlyMap<number, number>, most: number): [key: number, count: number][] {
  const howMany = new Map<number, number>();
  for (const count of counts.values()) howMany.set(count, (howMany.get(count) ?? 0) + 1);
  let floor = 1; // the lowest count that is still among them
  let above = 0;
  for (const count of [...howMany.keys()].sort((a, b) => b - a)) {
    floor = count;
    above += howMany.get(count)!;
    if (above >= most) break;
  }
  const kept: [number, number][] = [];
  for (const entry of counts) if (entry[1] >= floor) kept.push(entry);
  return kept.sort((a, b) => b[1] - a[1]).slice(0, most);
}
