import type { Spelling } from './spell.ts';
import { type Language, separatorSymbol, type UnitTokensOptions, unitTokens } from './units.ts';

export interface SpelledLanguageOptions extends UnitTokensOptions {
  /** What transcripts consist of: words, or the units that they are spelled in. */
  text: 'words' | 'units';
  /** Whether `|` ends each word, lest it run into the next one. */
  separated: boolean;
}

/** Tokens, transcripts and lexicons of words that are spelled in units. */
export interface SpelledLanguage extends Pick<Language, 'tokens'> {
  /** A transcript of these words. */
  textOf(words: readonly string[]): readonly string[];
  /** For transcripts of these words. */
  lexiconOf(words: Iterable<string>): Language['lexicon'];
  /** What transcripts consist of, where that is units. */
  textUnits: readonly string[] | undefined;
}

/**
 * @throws {RangeError} naming a unit that has the symbol of another token
 */
export function spelledLanguage(
  { units, waysOf }: Pick<Spelling, 'units' | 'waysOf'>,
  { text, separated, ...options }: SpelledLanguageOptions,
): SpelledLanguage {
  const all = separated ? [separatorSymbol, ...units] : units;
  const { tokens, tokensOf } = unitTokens(all, options);
  const clash = tokens.find((symbol, id) => tokens.indexOf(symbol) !== id);
  if (clash !== undefined) throw new RangeError(`"${clash}" is both a unit and a token of its own`);
  const between = separated ? [separatorSymbol] : [];
  if (text === 'units') {
    return {
      tokens,
      textOf: (words) => words.flatMap((word, i) => [...(i > 0 ? between : []), ...waysOf(word)[0]!]),
      lexiconOf: () => all.map((unit) => [unit, ...tokensOf(unit)]),
      textUnits: all,
    };
  }
  return {
    tokens,
    textOf: (words) => words,
    lexiconOf: (words) =>
      Array.from(words).flatMap((word) =>
        waysOf(word).map((way): [string, ...string[]] => [word, ...[...way, ...between].flatMap(tokensOf)]),
      ),
    textUnits: undefined,
  };
}
