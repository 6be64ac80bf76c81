/** What tokens stand for: states of a word, passed one after another, or whole words beside a blank. */
export const units = ['states', 'words'] as const;
export type Units = (typeof units)[number];

/** The symbol of the token that stands for no word; models that have it have it first. */
export const blankSymbol = '<blk>';
/** The symbol of silence, first where there is no blank. */
const silenceSymbol = 'sil';
/** The token that ends a word, where units alone do not say where words end. */
export const separatorSymbol = '|';

/** `tokens.txt` and `lexicon.txt` to be. */
export interface Language {
  /** Symbols in the order of their ids. */
  tokens: string[];
  lexicon: [word: string, ...tokens: string[]][];
}

export interface UnitTokensOptions {
  /** Models of frames: silence and states of each unit; of connectionist temporal classification: the blank and units. */
  objective: 'frame' | 'ctc';
  /** Tokens of a unit, for models of frames; a single one is named like the unit. */
  states: number;
}

/** Tokens for units, and those of a unit, one after another. */
export function unitTokens(
  units: readonly string[],
  { objective, states }: UnitTokensOptions,
): { tokens: string[]; tokensOf(unit: string): string[] } {
  const count = objective === 'ctc' ? 1 : states;
  const tokensOf = (unit: string): string[] =>
    count === 1 ? [unit] : Array.from({ length: count }, (_, state) => `${unit}_${state + 1}`);
  return { tokens: [objective === 'ctc' ? blankSymbol : silenceSymbol, ...units.flatMap(tokensOf)], tokensOf };
}

/**
 * Tokens for words: silence and so many states of each word, for models of frames; or the blank and each word, for
 * models of connectionist temporal classification.
 */
export function languageOf(words: readonly string[], { units, states }: { units: Units; states: number }): Language {
  const { tokens, tokensOf } = unitTokens(words, { objective: units === 'words' ? 'ctc' : 'frame', states });
  return { tokens, lexicon: words.map((word) => [word, ...tokensOf(word)]) };
}
