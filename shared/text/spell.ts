import { graphemes } from './graphemes.ts';

/** What words are made of. */
export const wordUnits = ['characters', 'words', 'lexicon', 'pieces'] as const;
export type WordUnits = (typeof wordUnits)[number];
/** How words are spelled. */
export interface Spelling {
  /** All units, in the order of their tokens. */
  units: readonly string[];
  /** Ways to spell a word, the usual one first; none where it cannot be. */
  waysOf(word: string): readonly (readonly string[])[];
  /** Why not, for messages. */
  why(word: string): string;
}

/**
 * Words by their characters, as a reader counts them.
 *
 * @param alphabet all there may be; those of the words unless given
 */
export function characterSpelling(words: Iterable<string>, alphabet?: string): Spelling {
  const found = alphabet === undefined ? [...words].flatMap(graphemes) : graphemes(alphabet.normalize('NFC'));
  const known = new Set(found);
  return {
    units: [...known].sort(),
    waysOf(word) {
      const characters = graphemes(word);
      return characters.every((character) => known.has(character)) ? [characters] : [];
    },
    why(word) {
      const strange = graphemes(word).find((character) => !known.has(character))!;
      return `"${strange}" of "${word}" is not ${alphabet === undefined ? 'in any training transcript' : 'in the alphabet'}`;
    },
  };
}

/** Words that are units themselves. */
export function wholeWords(words: Iterable<string>): Spelling {
  const known = new Set(words);
  return {
    units: [...known].sort(),
    waysOf: (word) => (known.has(word) ? [[word]] : []),
    why: (word) => `"${word}" is not in any training transcript`,
  };
}

/** Words by their pronunciations. */
export function lexiconSpelling(
  pronunciations: ReadonlyMap<string, readonly (readonly string[])[]>,
  source: string,
): Spelling {
  return {
    units: [...new Set([...pronunciations.values()].flat(2))].sort(),
    waysOf: (word) => pronunciations.get(word) ?? [],
    why: (word) => `"${word}" is not in ${source}`,
  };
}

/** Words by the pieces of a tokenizer. */
export function pieceSpelling(
  { pieces, piecesOf }: { pieces: readonly string[]; piecesOf(word: string): readonly string[] | undefined },
  source: string,
): Spelling {
  return {
    units: pieces,
    waysOf(word) {
      const found = piecesOf(word);
      return found ? [found] : [];
    },
    why: (word) => `"${word}" has letters that ${source} does not know`,
  };
}
