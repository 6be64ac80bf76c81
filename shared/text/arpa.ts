import { type BigramModel, estimateBigram } from '../math/bigram.ts';
import { createNgramBuilder, type NgramModel, symbolsBeside } from '../math/ngram_model.ts';

const [start, end] = ['<s>', '</s>'];

/** The ARPA file of a bigram model over words: each pair that was seen, and how much each word leaves for the others. */
function writeArpa({ unigrams, seen, backoff }: BigramModel, words: readonly string[]): string {
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

/** A language model, and the words it is about. */
export interface LanguageModel {
  model: NgramModel;
  words: readonly string[];
}

/** How models spell the word that stands for all that they do not know. */
const unknownNames = ['<unk>', '<UNK>'];

/**
 * Reads an ARPA file of n-grams of any order. What is about words that are not wanted is left out; a word without a
 * probability takes that of `<unk>`.
 *
 * @param lines without their ends
 * @param source name for messages
 * @param wanted the words that a search knows; all of the file unless given
 * @throws {SyntaxError} naming source and line: what is not in the format, an n-gram that comes twice, other counts than
 *   announced; or the word that has no probability
 */
export function parseArpa(lines: Iterable<string>, source: string, wanted?: readonly string[]): LanguageModel {
  const unigrams: Entry[] = [];
  let language: Language | undefined;
  for (const entry of entriesOf(lines, source)) {
    if (entry.words.length === 1) unigrams.push(entry);
    else {
      language ??= languageOf(unigrams, source, wanted);
      addTo(language, entry, source);
    }
  }
  const { words, builder } = language ?? languageOf(unigrams, source, wanted);
  return { model: builder.model(), words };
}

/** A language model in the making. */
interface Language {
  words: readonly string[];
  symbolOf: ReadonlyMap<string, number>;
  builder: ReturnType<typeof createNgramBuilder>;
}

function languageOf(unigrams: readonly Entry[], source: string, wanted?: readonly string[]): Language {
  const markers = [start, end, ...unknownNames];
  const words = wanted ?? unigrams.flatMap(({ words: [word] }) => (markers.includes(word!) ? [] : [word!]));
  const beside = symbolsBeside(words.length);
  const symbolOf = new Map(words.map((word, id) => [word, id]));
  for (const name of unknownNames) symbolOf.set(name, beside.unknown);
  symbolOf.set(start, beside.start).set(end, beside.end);
  const known = new Set(unigrams.map(({ words: [word] }) => symbolOf.get(word!)));
  const symbols = words.map((word, id) => {
    if (known.has(id)) return id;
    if (known.has(beside.unknown)) return beside.unknown;
    throw new SyntaxError(`${source} has no probability of "${word}"; make it from text that has this word`);
  });
  if (!known.has(beside.end)) throw new SyntaxError(`${source} has no probability of "${end}"; make it from sentences`);
  const language = { words, symbolOf, builder: createNgramBuilder(words.length, symbols) };
  for (const entry of unigrams) addTo(language, entry, source);
  return language;
}

function addTo({ symbolOf, builder }: Language, { line, words, log, backoff }: Entry, source: string): void {
  const ngram = words.map((word) => symbolOf.get(word) ?? -1);
  if (ngram.includes(-1) || builder.add(ngram, log, backoff)) return;
  throw new SyntaxError(`${source}, line ${line}: "${words.join(' ')}" is there twice; leave one of them out`);
}

/** An n-gram of an ARPA file, with natural logarithms. */
interface Entry {
  line: number;
  words: string[];
  log: number;
  backoff: number;
}

/** Goes through the sections of an ARPA file, shorter n-grams first. */
function* entriesOf(lines: Iterable<string>, source: string): Generator<Entry> {
  const announced: { line: number; count: number }[] = []; // by order, from 1 on
  let order = -1; // of the section: −1 before \data\, 0 in it
  let found = 0;
  let line = 0;
  const refuse = (why: string, place = line) => new SyntaxError(`${source}, line ${place}: ${why}`);
  const endSection = (): void => {
    const { line: place, count } = announced[order] ?? { count: 0 };
    if (order > 0 && found !== count) throw refuse(`has ${found} of ${count} ${order}-grams that it announces`, place);
    found = 0;
  };
  for (const raw of lines) {
    line++;
    const text = raw.trim();
    if (text === '') continue;
    if (text === '\\data\\') order = 0;
    else if (order < 0)
      continue; // a comment
    else if (text === '\\end\\') {
      endSection();
      if (order !== announced.length - 1) throw refuse(`the ${order + 1}-grams that it announces are missing`);
      return;
    } else if (text.startsWith('\\')) {
      const next = Number(/^\\(\d+)-grams:$/.exec(text)?.[1] ?? Number.NaN);
      if (Number.isNaN(next)) throw refuse(`"${text}" is no section of an ARPA file`);
      endSection();
      if (next !== order + 1 || !announced[next]) throw refuse(`"${text}" comes out of order, or was not announced`);
      order = next;
    } else if (order === 0) {
      const [, n, count] = /^ngram\s+(\d+)\s*=\s*(\d+)$/.exec(text) ?? [];
      if (!n) throw refuse(`"${text}" is not "ngram N=COUNT"`);
      if (Number(n) !== Math.max(1, announced.length)) throw refuse(`"${text}" comes out of order`);
      announced[Number(n)] = { line, count: Number(count) };
    } else {
      const fields = text.split(/[ \t]+/);
      const [log, backoff] = [Number(fields[0]), Number(fields[order + 1] ?? 0)];
      if (fields.length < order + 1 || fields.length > order + 2 || !(log <= 0) || Number.isNaN(backoff))
        throw refuse(`"${text}" is not "log10 probability, ${wordsOf(order)}, log10 backoff"`);
      found++;
      yield { line, words: fields.slice(1, order + 1), log: log * Math.LN10, backoff: backoff * Math.LN10 };
    }
  }
  throw new SyntaxError(`${source} is cut off after line ${line}: it has no line \\end\\`);
}

const wordsOf = (count: number): string => (count === 1 ? 'word' : `${count} words`);
