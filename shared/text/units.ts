/** What tokens stand for: states of a word, passed one after another, or whole words beside a blank. */
export const units = ['states', 'words'] as const;
export type Units = (typeof units)[number];

/** The symbol of the token that stands for no word; models of whole words have it first. */
export const blankSymbol = '<blk>';

/** `tokens.txt` and `lexicon.txt` to be. */
export interface Language {
  /** Symbols in the order of their ids. */
  tokens: string[];
  lexicon: [word: string, ...tokens: string[]][];
}

/**
 * Tokens for words: silence and so many states of each word, for models of frames; or the blank and each word, for
 * models of connectionist temporal classification.
 *
 * @param states tokens of a word; a single one is named like the word
 */
export function languageOf(words: readonly string[], { units, states }: { units: Units; states: number }): Language {
  if (units === 'words') return { tokens: [blankSymbol, ...words], lexicon: words.map((word) => [word, word]) };
  const statesOf = (word: string): string[] =>
    states === 1 ? [word] : Array.from({ length: states }, (_, state) => `${word}_${state + 1}`);
  return { tokens: ['sil', ...words.flatMap(statesOf)], lexicon: words.map((word) => [word, ...statesOf(word)]) };
}
