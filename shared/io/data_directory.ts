import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type Fields, noFields, numberedFields, startOf, wordsOfLine } from '../text/fields.ts';
import { type Lexicon, parseLexicon } from '../text/lexicon.ts';
import { parseTokens, type Tokens } from '../text/tokens.ts';
import { createVocabulary, spelling, type Vocabulary } from '../text/vocabulary.ts';
import { contentDigest, fileSha256, keyOf } from './digest.ts';
import { InputError } from './errors.ts';
import { checkUtf8 } from './utf8_file.ts';

/** One utterance of a data directory. */
export interface Utterance {
  id: string;
  speaker: string;
  /** Path of the audio it is in. */
  audio: string;
  /** Its part of the audio, where it is not all of it. */
  startSeconds?: number;
  endSeconds?: number;
}

/** When a word was said. */
export interface WordTime {
  word: string;
  startSeconds: number;
  durationSeconds: number;
}

/** Kaldi's data directory: text files, sorted by utterance. */
export interface DataDirectory {
  path: string;
  utterances: Utterance[];
  tokens: Tokens;
  lexicon: Lexicon;
  /** Words of an utterance as ids of the lexicon, a view that is made anew each time; undefined where there is no text. */
  wordsOf(utterance: string): Int32Array | undefined;
  /** True times of the words, where they are known. */
  ctm?: Map<string, WordTime[]>;
}

/** A text file by lines: numbers of their fields, and the first field of each as text, empty where there is none. */
export interface NumberedFile extends Fields {
  file: string;
  ids: readonly string[];
}

/**
 * The lines of a text file.
 *
 * @param vocabularies that number the first field of each line, and the others; new ones are added to them
 * @throws {InputError} where it is not UTF-8
 */
export function readNumbered(file: string, vocabularies: { keys: Vocabulary; words: Vocabulary }): NumberedFile {
  return numberedLines(file, checkUtf8(readFileSync(file), file), vocabularies);
}

/** `readNumbered` of what a file holds, or what was made of it, in UTF-8. */
export function numberedLines(
  file: string,
  content: Buffer,
  vocabularies: { keys: Vocabulary; words: Vocabulary },
): NumberedFile {
  const fields = numberedFields(content, vocabularies);
  const ids: string[] = [];
  for (const key of fields.keys) ids.push(key < 0 ? '' : spelling(vocabularies.keys, key));
  return { file, ids, ...fields };
}

/** For messages. */
export const placeOf = ({ file }: NumberedFile, line: number): string => `${file}, line ${line + 1}`;

/** Utterances of a data directory, and its other files by line. */
interface UtteranceFiles {
  utterances: Utterance[];
  /** A line for each utterance; absent where each is a recording of its own. */
  segments: NumberedFile | undefined;
  /** All fields of a line but the first. */
  restOf(lines: NumberedFile, line: number): string[];
  /** Lines of a file, checked to be sorted; undefined where there is none. */
  linesOf(name: string, options?: { sorted?: boolean; words?: Vocabulary }): NumberedFile | undefined;
  /** Every utterance has a line in a file, and every line an utterance. */
  covers(
    name: string,
    lines: NumberedFile,
    use: (utterance: Utterance, lines: NumberedFile, line: number) => void,
  ): void;
  /** Whether an utterance has the first field of a line. */
  isUtterance(lines: NumberedFile, line: number): boolean;
}

/**
 * Reads and checks `wav.scp`, `segments` where it is there, and `utt2spk`. Paths in `wav.scp` are relative to the directory;
 * a pipe is refused, never run.
 *
 * @param problems what is wrong is added to them, with its file and line
 * @param fileOf the file that stands for what `wav.scp` says
 */
export function readUtterances(
  path: string,
  problems: string[],
  fileOf: (audio: string) => string = (audio) => audio,
): UtteranceFiles {
  const names = createVocabulary();
  const restOf = (lines: NumberedFile, line: number): string[] => {
    const rest: string[] = [];
    for (let i = startOf(lines, line); i < lines.ends[line]!; i++) rest.push(spelling(names, lines.words[i]!));
    return rest;
  };
  const linesOf = (name: string, { sorted = true, words = names } = {}): NumberedFile | undefined => {
    const file = join(path, name);
    if (!existsSync(file)) return undefined;
    const lines = readNumbered(file, { keys: names, words });
    lines.ids.forEach((id, line) => {
      const previous = lines.ids[line - 1];
      if (id === '') problems.push(`${placeOf(lines, line)} is empty`);
      else if (sorted && previous === id) problems.push(`${placeOf(lines, line)}: ${id} is there twice`);
      else if (previous !== undefined && previous > id)
        problems.push(`${placeOf(lines, line)}: ${id} comes after ${previous}; sort with LC_ALL=C`);
    });
    return lines;
  };
  const needed = (name: string): NumberedFile => {
    const lines = linesOf(name);
    if (!lines) problems.push(`${join(path, name)} is missing`);
    else if (lines.ids.length === 0) problems.push(`${join(path, name)} is empty`);
    return lines ?? { file: join(path, name), ids: [], ...noFields };
  };

  // by number of the name + 1: at 0 stands what lines without a field come to
  const audioOf: (string | undefined)[] = [];
  const utteranceOf: (Utterance | undefined)[] = [];
  const files = new Map<string, string>();
  const present = new Set<string>();
  const list = needed('wav.scp');
  list.ids.forEach((id, line) => {
    const audio = fileOf(restOf(list, line).join(' '));
    const known = files.get(audio);
    const file = known ?? (isAbsolute(audio) ? audio : join(path, audio));
    audioOf[list.keys[line]! + 1] = file;
    if (audio.endsWith('|'))
      problems.push(`${placeOf(list, line)}: "${audio}" is a command; decode it to a file first`);
    if (audio === '') problems.push(`${placeOf(list, line)}: ${id} has no path`);
    else if (known === undefined && !audio.endsWith('|') && !present.has(file) && !existsSync(file))
      problems.push(`${placeOf(list, line)}: there is no file ${file}`);
    files.set(audio, file);
    present.add(file);
  });
  const partOf = (parts: NumberedFile, line: number): Utterance => {
    const [recording = '', start, end] = restOf(parts, line);
    const [startSeconds, endSeconds] = [Number(start), Number(end)];
    const audio = audioOf[recording === '' ? 0 : parts.words[startOf(parts, line)]! + 1];
    if (!audio) problems.push(`${placeOf(parts, line)}: recording ${recording} is not in wav.scp`);
    if (!(startSeconds >= 0 && endSeconds > startSeconds))
      problems.push(`${placeOf(parts, line)}: ${start} to ${end} is no stretch of time`);
    return { id: parts.ids[line]!, audio: audio ?? '', speaker: '', startSeconds, endSeconds };
  };
  const parts = linesOf('segments');
  const listed = parts ?? list;
  const utterances = listed.ids.map((id, line): Utterance => {
    const name = listed.keys[line]! + 1;
    const utterance = parts ? partOf(parts, line) : { id, audio: audioOf[name]!, speaker: '' };
    utteranceOf[name] = utterance;
    return utterance;
  });
  const covers = (
    name: string,
    lines: NumberedFile,
    use: (utterance: Utterance, lines: NumberedFile, line: number) => void,
  ): void => {
    const seen = new Uint8Array(names.size + 1);
    lines.ids.forEach((id, line) => {
      const utterance = utteranceOf[lines.keys[line]! + 1];
      seen[lines.keys[line]! + 1] = 1;
      if (utterance) use(utterance, lines, line);
      else problems.push(`${placeOf(lines, line)}: ${id} is not in ${parts ? 'segments' : 'wav.scp'}`);
    });
    listed.ids.forEach((id, line) => {
      if (!seen[listed.keys[line]! + 1]) problems.push(`${join(path, name)} has no line for ${id}`);
      seen[listed.keys[line]! + 1] = 1; // one that is listed twice is missing once
    });
  };
  covers('utt2spk', needed('utt2spk'), (utterance, lines, line) => {
    const rest = restOf(lines, line);
    if (rest.length === 1) utterance.speaker = rest[0]!;
    else problems.push(`${placeOf(lines, line)}: need one speaker, found "${rest.join(' ')}"`);
  });
  const isUtterance = (lines: NumberedFile, line: number): boolean => utteranceOf[lines.keys[line]! + 1] !== undefined;
  return { utterances, segments: parts, restOf, linesOf, covers, isUtterance };
}

/**
 * Reads and checks a data directory: `wav.scp` and `utt2spk`, `tokens.txt` and `lexicon.txt`; `segments`, `text` and
 * `ctm` where they are there, see `readUtterances`.
 *
 * @throws {InputError} naming every problem with its file and line, the first twenty of them
 */
export function readDataDirectory(path: string): DataDirectory {
  const problems: string[] = [];
  const { utterances, restOf, linesOf, covers, isUtterance } = readUtterances(path, problems);
  const { tokens, lexicon } = readLanguage(path, problems);
  const spoken = createVocabulary(lexicon?.words);
  const text = linesOf('text', { words: spoken });
  const textLines = new Map<string, number>();
  if (text) {
    covers('text', text, ({ id }, lines, line) => {
      textLines.set(id, line);
      if (!lexicon) return;
      for (let i = startOf(lines, line); i < lines.ends[line]!; i++) {
        const word = lines.words[i]!;
        if (word >= lexicon.words.length)
          problems.push(`${placeOf(lines, line)}: word "${spelling(spoken, word)}" is not in lexicon.txt`);
      }
    });
  }
  const times = linesOf('ctm', { sorted: false });
  const ctm = new Map<string, WordTime[]>();
  times?.ids.forEach((id, line) => {
    const [, start, duration, word = ''] = restOf(times, line);
    const time = { word, startSeconds: Number(start), durationSeconds: Number(duration) };
    if (!isUtterance(times, line)) problems.push(`${placeOf(times, line)}: ${id} is not an utterance`);
    if (!(time.startSeconds >= 0 && time.durationSeconds >= 0 && word))
      problems.push(`${placeOf(times, line)} is not "utterance channel start duration word"`);
    ctm.set(id, [...(ctm.get(id) ?? []), time]);
  });
  if (problems.length > 0 || !tokens || !lexicon) {
    const more = problems.length > 20 ? `; and ${problems.length - 20} more` : '';
    throw new InputError(`Cannot use data directory ${path}: ${problems.slice(0, 20).join('; ')}${more}`);
  }
  const wordsOf = (utterance: string): Int32Array | undefined => {
    const line = textLines.get(utterance);
    return text && line !== undefined ? wordsOfLine(text, line) : undefined;
  };
  return { path, utterances, tokens, lexicon, wordsOf, ...(times ? { ctm } : {}) };
}

function readLanguage(path: string, problems: string[]): { tokens?: Tokens; lexicon?: Lexicon } {
  const read = (name: string): string | undefined => {
    const file = join(path, name);
    if (existsSync(file)) return readFileSync(file, 'utf8');
    problems.push(`${file} is missing`);
    return undefined;
  };
  const [tokensText, lexiconText] = [read('tokens.txt'), read('lexicon.txt')];
  try {
    if (tokensText === undefined) return {};
    const tokens = parseTokens(tokensText, join(path, 'tokens.txt'));
    if (lexiconText === undefined) return { tokens };
    return { tokens, lexicon: parseLexicon(lexiconText, tokens, join(path, 'lexicon.txt')) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    problems.push(error.message);
    return {};
  }
}

/**
 * What a data directory holds: a digest of all files below it and of the audio that `wav.scp` names elsewhere.
 * For a folder without `wav.scp`, of its files alone.
 */
export function dataDirectoryId(path: string): string {
  const list = join(path, 'wav.scp');
  const audio = existsSync(list) ? readFileSync(list, 'utf8').split('\n') : [];
  const elsewhere = audio
    .map((line) => line.trim().replace(/^\S+\s*/, ''))
    .filter((file) => isAbsolute(file) || file.startsWith('../'))
    .map((file) => (isAbsolute(file) ? file : join(path, file)))
    .filter((file) => existsSync(file)); // what is not there is refused when the directory is read
  return keyOf({ files: contentDigest(path), elsewhere: [...new Set(elsewhere)].map(fileSha256) });
}
