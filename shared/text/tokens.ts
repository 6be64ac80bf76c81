/** What a model tells apart, by id: the content of `tokens.txt`. */
export interface Tokens {
  /** Symbol of each id. */
  symbols: readonly string[];
  idOf: ReadonlyMap<string, number>;
}

/** Ids are stored in 16 bits. */
const mostTokens = 65536;

/**
 * Reads lines of `symbol id`, ids 0, 1, 2, … in order.
 *
 * @param source name for messages
 * @throws {SyntaxError} naming source and line
 */
export function parseTokens(text: string, source: string): Tokens {
  const idOf = new Map<string, number>();
  for (const [i, line] of text.trimEnd().split('\n').entries()) {
    const [symbol, id, ...rest] = line.trim().split(/\s+/);
    const place = `${source}, line ${i + 1}`;
    if (!symbol || id === undefined || rest.length > 0) throw new SyntaxError(`${place}: "${line}" is not "symbol id"`);
    if (Number(id) !== i) throw new SyntaxError(`${place}: id ${id} of ${symbol} should be ${i}: ids count from 0`);
    if (idOf.has(symbol)) throw new SyntaxError(`${place}: ${symbol} is there twice`);
    idOf.set(symbol, i);
  }
  if (idOf.size > mostTokens) throw new SyntaxError(`${source}: ${idOf.size} tokens are more than ${mostTokens}`);
  return { symbols: [...idOf.keys()], idOf };
}
