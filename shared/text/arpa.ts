import { type BigramModel, estimateBigram } from '../math/bigram.ts';

const ln10 = Math.LN10;
const [start, end] = ['<s>', '</s>'];

/** The ARPA file of a bigram model over words: each pair that was seen, and how much each word leaves for the others. */
export function writeArpa({ unigrams, seen, backoff }: BigramModel, words: readonly string[]): string {
  const size = words.length + 1;
  const log10 = (probability: number): string => (probability > 0 ? Math.log10(probability).toFixed(7) : '-99');
  const nameOf = (id: number, edge: string): string => words[id] ?? edge;
  const singles = [
    ...words.map((word, id) => `${log10(unigrams[id]!)}\t${word}\t${log10(backoff[id]!)}`),
    `${log10(unigrams[size - 1]!)}\t${end}`,
    `-99\t${start}\t${log10(backoff[size - 1]!)}`,
  ];
  const pairs: string[] = [];
  seen.forEach((probability, i) => {
    const [previous, word] = [Math.floor(i / size), i % size];
    if (probability > 0) pairs.push(`${log10(probability)}\t${nameOf(previous, start)} ${nameOf(word, end)}`);
  });
  return [
    '\\data\\',
    `ngram 1=${singles.length}`,
    `ngram 2=${pairs.length}`,
    '\n\\1-grams:',
    ...singles,
    '\n\\2-grams:',
    ...pairs,
    '\n\\end\\\n',
  ].join('\n');
}

/** The ARPA file of the bigram model of some sentences, see `estimateBigram`. */
export function bigramArpaOf(sentences: readonly (readonly string[])[], words: readonly string[]): string {
  const idOf = new Map(words.map((word, id) => [word, id]));
  const ids = sentences.map((sentence) => sentence.map((word) => idOf.get(word)!));
  return writeArpa(estimateBigram(ids, words.length), words);
}

/**
 * Reads an ARPA file of words and pairs, for the words of a lexicon; those of the file that are not in it are left out.
 *
 * @param source name for messages
 * @throws {SyntaxError} naming source and line: what is not in the format, longer n-grams, words without a probability
 */
export function parseArpa(text: string, words: readonly string[], source: string): BigramModel {
  const wordCount = words.length;
  const size = wordCount + 1;
  const idOf = new Map(words.map((word, id) => [word, id]));
  const model = {
    wordCount,
    unigrams: new Float64Array(size),
    seen: new Float64Array(size * size),
    backoff: new Float64Array(size).fill(1),
  };
  const announced = new Map<number, number>();
  const found = new Map<number, number>();
  let unknown: number | undefined;
  let order = -1; // of the section: −1 before \data\, 0 in it
  let ended = false;
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const refuse = (why: string): SyntaxError => new SyntaxError(`${source}, line ${i + 1}: ${why}`);
    const fields = line.trim().split(/\s+/);
    if (fields[0] === '' || ended) continue;
    if (line.startsWith('\\')) {
      const section = /^\\(\d+)-grams:$/.exec(line.trim());
      if (line.trim() === '\\data\\') order = 0;
      else if (line.trim() === '\\end\\') ended = true;
      else if (section) order = Number(section[1]);
      else throw refuse(`"${line}" is no section of an ARPA file`);
      if (order > 2) throw refuse('n-grams of more than two words; use a bigram model');
      continue;
    }
    if (order < 0) continue; // a comment
    if (order === 0) {
      const [, n, count] = /^ngram (\d+)=(\d+)$/.exec(line.trim()) ?? [];
      if (!n) throw refuse(`"${line}" is not "ngram N=COUNT"`);
      announced.set(Number(n), Number(count));
      continue;
    }
    const [probability, backoff] = [Number(fields[0]), Number(fields[order + 1] ?? 0)];
    if (fields.length < order + 1 || fields.length > order + 2 || !(probability <= 0) || Number.isNaN(backoff))
      throw refuse(`"${line}" is not "log10 probability, ${order === 1 ? 'word' : 'two words'}, log10 backoff"`);
    found.set(order, (found.get(order) ?? 0) + 1);
    if (order === 1) {
      const word = fields[1]!;
      const id = idOf.get(word);
      if (word === '<unk>') unknown = Math.exp(ln10 * probability);
      if (word === end) model.unigrams[wordCount] = Math.exp(ln10 * probability);
      if (word === start) model.backoff[wordCount] = Math.exp(ln10 * backoff);
      if (id === undefined) continue;
      model.unigrams[id] = Math.exp(ln10 * probability);
      model.backoff[id] = Math.exp(ln10 * backoff);
      continue;
    }
    const previous = fields[1] === start ? wordCount : idOf.get(fields[1]!);
    const word = fields[2] === end ? wordCount : idOf.get(fields[2]!);
    if (previous !== undefined && word !== undefined) model.seen[previous * size + word] = Math.exp(ln10 * probability);
  }
  if (!ended) throw new SyntaxError(`${source} is cut off: it has no line \\end\\`);
  for (const [n, count] of announced) {
    if ((found.get(n) ?? 0) !== count)
      throw new SyntaxError(`${source} has ${found.get(n) ?? 0} of ${count} ${n}-grams that it announces`);
  }
  [...words, end].forEach((word, id) => {
    if (model.unigrams[id]! > 0) return;
    if (unknown === undefined || word === end)
      throw new SyntaxError(`${source} has no probability of "${word}"; make it from text that has this word`);
    model.unigrams[id] = unknown;
  });
  return model;
}
