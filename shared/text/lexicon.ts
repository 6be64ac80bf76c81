import type { Tokens } from './tokens.ts';

/** How words are made of tokens: the content of `lexicon.txt`. */
export interface Lexicon {
  /** Words in order of appearance; a word's id is its place. */
  words: readonly string[];
  idOf: ReadonlyMap<string, number>;
  /** One or several for each word. */
  pronunciations: readonly { word: number; tokens: Uint16Array }[];
}

/**
 * Reads lines of `word token token …`; a word on several lines has several pronunciations.
 *
 * @param source name for messages
 * @throws {SyntaxError} naming source and line
 */
export function parseLexicon(text: string, tokens: Tokens, source: string): Lexicon {
  const idOf = new Map<string, number>();
  const pronunciations = text
    .trimEnd()
    .split('\n')
    .map((line, i) => {
      const [word, ...symbols] = line.trim().split(/\s+/);
      const place = `${source}, line ${i + 1}`;
      if (!word || symbols.length === 0) throw new SyntaxError(`${place}: "${line}" is not "word token token …"`);
      if (!idOf.has(word)) idOf.set(word, idOf.size);
      const ids = symbols.map((symbol) => {
        const id = tokens.idOf.get(symbol);
        if (id === undefined) throw new SyntaxError(`${place}: ${symbol} is not in tokens.txt`);
        return id;
      });
      return { word: idOf.get(word)!, tokens: Uint16Array.from(ids) };
    });
  return { words: [...idOf.keys()], idOf, pronunciations };
}
