/** Words that stand for other words, as in NIST's global mapping files: none, one or several for one or several. */
export interface PhraseRule<Word = string> {
  from: readonly Word[];
  to: readonly Word[];
}

/**
 * Reads lines of `word word … => word word …`; nothing after the arrow leaves the words out. Brackets around either side
 * and a context of any word, `/ [ ] __ [ ]`, may stand as in NIST's files; `;;` starts a comment.
 *
 * @param source name for messages
 * @throws {SyntaxError} naming source and line
 */
export function parsePhraseMap(text: string, source: string): PhraseRule[] {
  const seen = new Set<string>();
  return text.split('\n').flatMap((line, i) => {
    const rule = line.replace(/;;.*/, '').trim();
    if (rule === '' || rule.startsWith('*')) return []; // NIST's files name themselves in lines with a star
    const fail = (why: string): never => {
      throw new SyntaxError(`${source}, line ${i + 1}: "${rule}" ${why}`);
    };
    const plain = rule.replace(/\/\s*\[\s*\]\s*__\s*\[\s*\]$/, '');
    const [left, right, ...more] = plain.split('=>');
    if (right === undefined || more.length > 0) fail('is not "words => words"');
    if (/[{}]|__/.test(plain)) fail('has alternatives or a context, which no map here can have: write what is counted');
    const [from, to] = [left!, right!].map((side) => wordsOf(side.trim().replace(/^\[(.*)\]$/, '$1')));
    if (from!.length === 0) fail('maps no word');
    const key = from!.join(' ');
    if (seen.has(key)) fail('maps words that an earlier line maps');
    seen.add(key);
    return [{ from: from!, to: to! }];
  });
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** Rules by their first word, the longest first. */
export type PhraseIndex<Word> = ReadonlyMap<Word, readonly PhraseRule<Word>[]>;

export function phraseIndex<Word>(rules: readonly PhraseRule<Word>[]): PhraseIndex<Word> {
  const index = new Map<Word, PhraseRule<Word>[]>();
  for (const rule of rules) index.set(rule.from[0]!, [...(index.get(rule.from[0]!) ?? []), rule]);
  for (const alike of index.values()) alike.sort((a, b) => b.from.length - a.from.length);
  return index;
}

/**
 * Replaces phrases, from left to right and the longest at each place; what came in is not replaced again.
 *
 * @returns the words, and how many of the given ones were replaced; the words given where none was
 */
export function replacePhrases<Word, Words extends ArrayLike<Word>>(
  words: Words,
  index: PhraseIndex<Word>,
): { words: Words | Word[]; replaced: number } {
  const result: Word[] = [];
  let replaced = 0;
  for (let i = 0; i < words.length; ) {
    const rule = index.get(words[i]!)?.find(({ from }) => from.every((word, j) => word === words[i + j]));
    if (rule) {
      result.push(...rule.to);
      replaced += rule.from.length;
      i += rule.from.length;
    } else result.push(words[i++]!);
  }
  return replaced === 0 ? { words, replaced } : { words: result, replaced };
}
