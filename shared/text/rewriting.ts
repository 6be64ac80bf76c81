import type { WordRule } from './normalise_words.ts';
import { type PhraseRule, phraseIndex, replacePhrases } from './phrase_map.ts';
import { numberOfWord, spelling, type Vocabulary } from './vocabulary.ts';

/** A step that makes other words of those of an utterance; all of them are numbers of one vocabulary. */
export interface Rewriting {
  name: string;
  /** The words given where nothing changes; `changed` is how many of them do. */
  rewrite(words: Int32Array): { words: Int32Array; changed: number };
}

/**
 * A rule for each word by itself, looked up once for each distinct one.
 *
 * @returns undefined where it leaves every word of the vocabulary as it is; what it makes is added to the vocabulary
 */
export function wordRewriting(name: string, rule: WordRule, vocabulary: Vocabulary): Rewriting | undefined {
  const became: (Int32Array | undefined)[] = [];
  for (let number = 0, { size } = vocabulary; number < size; number++) {
    const word = spelling(vocabulary, number);
    const made = rule(word);
    if (made.length !== 1 || made[0] !== word) {
      became[number] = Int32Array.from(made, (part) => numberOfWord(vocabulary, part));
    }
  }
  if (became.length === 0) return undefined;
  return {
    name,
    rewrite(words) {
      let [changed, length] = [0, 0];
      for (const word of words) {
        const parts = became[word];
        length += parts ? parts.length : 1;
        if (parts) changed++;
      }
      if (changed === 0) return { words, changed };
      const made = new Int32Array(length);
      let place = 0;
      for (const word of words) {
        const parts = became[word];
        if (parts) {
          made.set(parts, place);
          place += parts.length;
        } else made[place++] = word;
      }
      return { words: made, changed };
    },
  };
}

/** Phrases replaced by others; see `replacePhrases`. */
export function phraseRewriting(name: string, rules: readonly PhraseRule[], vocabulary: Vocabulary): Rewriting {
  const numbers = (words: readonly string[]) => words.map((word) => numberOfWord(vocabulary, word));
  const index = phraseIndex(rules.map(({ from, to }) => ({ from: numbers(from), to: numbers(to) })));
  return {
    name,
    rewrite(given) {
      const { words, replaced } = replacePhrases<number, Int32Array>(given, index);
      return { words: words instanceof Int32Array ? words : Int32Array.from(words), changed: replaced };
    },
  };
}
