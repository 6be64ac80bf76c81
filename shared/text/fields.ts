import { hashOf, hashStart, numberOf, type Vocabulary } from './vocabulary.ts';

/** The fields of each line of a text, by their numbers. */
export interface Fields {
  /** Number of the first field of each line, −1 where the line has none. */
  keys: Int32Array;
  /** Numbers of all other fields, line after line. */
  words: Int32Array;
  /** Line i has words [ends[i − 1], ends[i]). */
  ends: Int32Array;
}

export const noFields: Fields = { keys: new Int32Array(0), words: new Int32Array(0), ends: new Int32Array(0) };

/** Where the words of a line start in `words`. */
export const startOf = ({ ends }: Fields, line: number): number => (line === 0 ? 0 : ends[line - 1]!);

/** The words of a line, not copied. */
export const wordsOfLine = (fields: Fields, line: number): Int32Array =>
  fields.words.subarray(startOf(fields, line), fields.ends[line]);

/**
 * The fields of a text, parted by white space of any kind and number. A line ends with its line feed; the last one may
 * do without.
 *
 * @param bytes valid UTF-8; a byte order mark counts as white space
 * @param vocabularies that number the first field of each line, and the others; new ones are added to them
 */
export function numberedFields(bytes: Uint8Array, vocabularies: { keys: Vocabulary; words: Vocabulary }): Fields {
  const lines = lineCount(bytes);
  const keys = new Int32Array(lines);
  const ends = new Int32Array(lines);
  const words = new Int32Array((bytes.length >> 1) + 1); // what is never written takes no memory
  const text: Reading = { bytes, place: 0, words, count: 0, vocabularies };
  for (let line = 0; line < lines; line++) {
    keys[line] = readLine(text);
    ends[line] = text.count;
  }
  return { keys, words: words.subarray(0, text.count), ends };
}

/** Where the reading of a text stands, and the words it came by. */
interface Reading {
  bytes: Uint8Array;
  place: number;
  words: Int32Array;
  count: number;
  vocabularies: { keys: Vocabulary; words: Vocabulary };
}

/**
 * Reads on to the end of the line; the number of its first field, or −1. A function of its own is compiled once, where
 * a loop over all of a text is compiled while it runs, again for each text.
 */
function readLine(text: Reading): number {
  const { bytes, words, vocabularies } = text;
  const { length } = bytes;
  let key = -1;
  let i = text.place;
  while (i < length) {
    const start = i;
    let hash = hashStart;
    for (; i < length; i++) {
      const byte = bytes[i]!;
      if (byte === 32 || ((byte < 32 || byte >= 0xc2) && spaceAt(bytes, i) > 0)) break; // one look for most bytes
      hash = hashOf(hash, byte);
    }
    if (i > start) {
      if (key < 0) key = numberOf(vocabularies.keys, bytes, { start, end: i, hash });
      else words[text.count++] = numberOf(vocabularies.words, bytes, { start, end: i, hash });
    }
    const byte = bytes[i];
    i += byte === 32 ? 1 : spaceAt(bytes, i);
    if (byte === lineFeed) break;
  }
  text.place = i;
  return key;
}

const lineFeed = 10;

function lineCount(bytes: Uint8Array): number {
  let lines = 0;
  for (let i = bytes.indexOf(lineFeed); i >= 0; i = bytes.indexOf(lineFeed, i + 1)) lines++;
  return bytes.length > 0 && bytes.at(-1) !== lineFeed ? lines + 1 : lines;
}

/** How many bytes the white space has that starts here, 0 where none does: what `\s` of a regular expression matches. */
function spaceAt(bytes: Uint8Array, i: number): number {
  const byte = bytes[i]!;
  if (byte < 0xc2) return byte === 32 || (byte >= 9 && byte <= 13) ? 1 : 0;
  if (byte === 0xc2) return bytes[i + 1] === 0xa0 ? 2 : 0;
  if (byte < 0xe1 || (byte > 0xe3 && byte !== 0xef)) return 0;
  const code = ((byte & 15) << 12) | ((bytes[i + 1]! & 63) << 6) | (bytes[i + 2]! & 63);
  return (code >= 0x2000 && code <= 0x200a) || wideSpaces.includes(code) ? 3 : 0;
}
const wideSpaces = [0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff];
