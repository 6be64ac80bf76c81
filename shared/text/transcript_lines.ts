/** Transcripts of other toolkits as Kaldi's: a line of `utterance word word …` for each. */

/**
 * @param text lines of `word word … (utterance)`, as sclite reads them; `;;` starts a comment
 * @param source name for messages
 * @throws {SyntaxError} naming source and line
 */
export const linesOfTrn = (text: string, source: string): string =>
  text
    .split('\n')
    .map((line, i) => {
      if (/^\s*(;;|$)/.test(line)) return '';
      const [, words, utterance] = /^(.*)\(([^()\s]+)\)\s*$/.exec(line) ?? [];
      if (utterance === undefined) {
        throw new SyntaxError(`${source}, line ${i + 1}: "${line}" does not end with its utterance in brackets`);
      }
      if (/(^|\s)[{}](\s|$)/.test(words!)) {
        throw new SyntaxError(`${source}, line ${i + 1}: there are alternatives in braces; write what is counted`);
      }
      return `${utterance} ${words!.trim()}`;
    })
    .join('\n');

/**
 * @param text lines of `utterance channel start duration word`, with a confidence or more after them; `;;` starts a
 *   comment. Words of an utterance come in the order of their start.
 * @param source name for messages
 * @throws {SyntaxError} naming source and line
 */
export function linesOfCtm(text: string, source: string): string {
  const wordsOf = new Map<string, { start: number; word: string }[]>();
  text.split('\n').forEach((line, i) => {
    if (/^\s*(;;|$)/.test(line)) return;
    const [utterance = '', , start = '', duration = '', word] = line.trim().split(/\s+/);
    if (word === undefined || !(Number(start) >= 0 && Number(duration) >= 0)) {
      throw new SyntaxError(`${source}, line ${i + 1}: "${line}" is not "utterance channel start duration word"`);
    }
    const words = wordsOf.get(utterance) ?? [];
    words.push({ start: Number(start), word });
    wordsOf.set(utterance, words);
  });
  return [...wordsOf]
    .map(([utterance, words]) =>
      [utterance, ...words.sort((a, b) => a.start - b.start).map(({ word }) => word)].join(' '),
    )
    .join('\n');
}
