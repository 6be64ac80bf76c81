/** A token after others: where it leads, and the word that it completes; −1: none. */
export interface Move {
  place: Place;
  word: number;
}

/** What has been said of a word: a node of a lexicon's tree, or its letters. */
export type Place = number | string;

/** How tokens, one after another, make words. */
export interface Speller {
  /** Words by number; an open vocabulary grows. */
  words: readonly string[];
  /** Before the first token. */
  start: Place;
  /** Tokens that may come next; never the blank. */
  tokensAfter(place: Place): ArrayLike<number>;
  /** One or several, as words may be spelled alike, or begin as another one ends. */
  movesBy(place: Place, token: number): readonly Move[];
  /** The word that is complete at the end: −1 where there is none, undefined where one is begun and not complete. */
  wordAtEnd(place: Place): number | undefined;
  /** Whether a word has the token that completes it; otherwise that one belongs to what follows. */
  endsWithToken: boolean;
  /** Whether a token is part of words, and not a mark between them. */
  isSpoken(token: number): boolean;
}

/** Words of a lexicon, whatever their tokens look like. */
export function lexiconSpeller(
  pronunciations: readonly { word: number; tokens: ArrayLike<number> }[],
  words: readonly string[],
): Speller {
  const nodes: Map<number, Move[]>[] = [new Map()];
  for (const { word, tokens } of pronunciations) {
    if (tokens.length === 0) throw new RangeError(`Cannot spell word ${word}: a pronunciation has no tokens`);
    let node = 0;
    for (let i = 0; i < tokens.length; i++) {
      const moves = nodes[node]!.get(tokens[i]!) ?? [];
      nodes[node]!.set(tokens[i]!, moves);
      if (i === tokens.length - 1) {
        if (!moves.some((move) => move.word === word)) moves.push({ word, place: 0 });
        break;
      }
      let inner = moves.find((move) => move.word < 0);
      if (!inner) {
        inner = { word: -1, place: nodes.push(new Map()) - 1 };
        moves.push(inner);
      }
      node = inner.place as number;
    }
  }
  const tokens = nodes.map((moves) => Int32Array.from(moves.keys()));
  return {
    words,
    start: 0,
    tokensAfter: (place) => tokens[place as number]!,
    movesBy: (place, token) => nodes[place as number]!.get(token) ?? [],
    wordAtEnd: (place) => (place === 0 ? -1 : undefined),
    endsWithToken: true,
    isSpoken: () => true,
  };
}

/** What a word begins with, as SentencePiece marks it; alone, or other names of the like, a mark between words. */
const beginning = '▁';
const separators = ['|', '<space>'];

/** Whether words can be told from the symbols of tokens alone. */
export const marksWords = (symbols: readonly string[]): boolean =>
  symbols.some((symbol) => symbol.startsWith(beginning) || separators.includes(symbol));

/**
 * Any words: tokens are characters or word pieces, of which `▁…` begins a word, and `▁`, `|` or `<space>` lie between
 * words.
 *
 * @param symbols of all tokens, the blank first
 * @param known words that have numbers from the start, such as those of a language model
 */
export function openSpeller(symbols: readonly string[], known: readonly string[] = []): Speller {
  const words = [...known, '']; // the number after those of a language model is its end of a sentence
  const idOf = new Map(known.map((word, id) => [word, id]));
  const begins = symbols.map((symbol) => symbol.startsWith(beginning) || separators.includes(symbol));
  const letters = symbols.map((symbol, token) =>
    separators.includes(symbol) ? '' : begins[token] ? symbol.slice(beginning.length) : symbol,
  );
  const numberOf = (word: string): number => {
    if (word === '') return -1;
    const id = idOf.get(word) ?? words.push(word) - 1;
    idOf.set(word, id);
    return id;
  };
  const tokens = Int32Array.from(symbols.keys()).subarray(1);
  return {
    words,
    start: '',
    tokensAfter: () => tokens,
    movesBy: (place, token) =>
      begins[token]
        ? [{ place: letters[token]!, word: numberOf(place as string) }]
        : [{ place: place + letters[token]!, word: -1 }],
    wordAtEnd: (place) => numberOf(place as string),
    endsWithToken: false,
    isSpoken: (token) => letters[token] !== '',
  };
}
