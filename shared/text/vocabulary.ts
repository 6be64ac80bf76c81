/** Distinct words by number: 0, 1, 2, … in the order they came in. Found by their bytes, without a string for each. */
export interface Vocabulary {
  size: number;
  /** Word i is spelled by letters [places[i], places[i + 1]), UTF-8. */
  letters: Buffer;
  places: Int32Array;
  hashes: Int32Array;
  /** A hash table with linear probing: number + 1, or 0 where it is free; at most half of it is taken. */
  slots: Int32Array;
  /** Strings of the words that were asked for. */
  spellings: string[];
}

/** A vocabulary that starts with these words, all different: the first one has number 0. */
export function createVocabulary(words: readonly string[] = []): Vocabulary {
  const vocabulary: Vocabulary = {
    size: 0,
    letters: Buffer.alloc(1 << 12),
    places: new Int32Array(513),
    hashes: new Int32Array(512),
    slots: new Int32Array(1024),
    spellings: [],
  };
  for (const word of words) numberOfWord(vocabulary, word);
  return vocabulary;
}

/** A word in a text, and the hash of its bytes: `hashStart`, and `hashOf` of each byte after it. */
export interface Span {
  start: number;
  end: number;
  hash: number;
}

export const hashStart = 0x811c9dc5 | 0;

/** @see Fowler, Noll, Vo: FNV-1a, 32 bits */
export const hashOf = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);

/** The number of a word, valid UTF-8; one that was not seen before is added. */
export function numberOf(vocabulary: Vocabulary, bytes: Uint8Array, { start, end, hash }: Span): number {
  const { letters, places, hashes, slots } = vocabulary;
  const mask = slots.length - 1;
  for (let slot = mixed(hash) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const number = slots[slot]! - 1;
    if (hashes[number] !== hash || places[number + 1]! - places[number]! !== end - start) continue;
    let i = start;
    for (let j = places[number]!; i < end && letters[j] === bytes[i]; j++) i++;
    if (i === end) return number;
  }
  return add(vocabulary, bytes, { start, end, hash });
}

/** `numberOf` a word that is a string. */
export function numberOfWord(vocabulary: Vocabulary, word: string): number {
  const bytes = Buffer.from(word);
  let hash = hashStart;
  for (let i = 0; i < bytes.length; i++) hash = hashOf(hash, bytes[i]!);
  return numberOf(vocabulary, bytes, { start: 0, end: bytes.length, hash });
}

/** The word of a number: one string, however often it is asked for. */
export function spelling({ spellings, letters, places }: Vocabulary, number: number): string {
  spellings[number] ??= letters.toString('utf8', places[number], places[number + 1]);
  return spellings[number];
}

function add(vocabulary: Vocabulary, bytes: Uint8Array, { start, end, hash }: Span): number {
  if (vocabulary.size === vocabulary.hashes.length) grow(vocabulary);
  const { places, hashes, slots, size: number } = vocabulary;
  const from = places[number]!;
  const to = from + end - start;
  if (vocabulary.letters.length < to) vocabulary.letters = Buffer.concat([vocabulary.letters], 2 * to);
  for (let i = start; i < end; i++) vocabulary.letters[from + i - start] = bytes[i]!;
  slots[freeSlot(slots, hash)] = number + 1;
  hashes[number] = hash;
  places[number + 1] = to;
  vocabulary.size++;
  return number;
}

function grow(vocabulary: Vocabulary): void {
  const { places, hashes, slots, size } = vocabulary;
  vocabulary.places = new Int32Array(2 * size + 1);
  vocabulary.places.set(places);
  vocabulary.hashes = new Int32Array(2 * size);
  vocabulary.hashes.set(hashes);
  vocabulary.slots = new Int32Array(2 * slots.length);
  for (let number = 0; number < size; number++) {
    vocabulary.slots[freeSlot(vocabulary.slots, hashes[number]!)] = number + 1;
  }
}

function freeSlot(slots: Int32Array, hash: number): number {
  const mask = slots.length - 1;
  let slot = mixed(hash) & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  return slot;
}

/** A hash whose low bits depend on all others. */
const mixed = (hash: number): number => hash ^ (hash >>> 15);
