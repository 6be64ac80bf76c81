import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fieldsOf } from '../text/fields.ts';
import { type Lexicon, parseLexicon } from '../text/lexicon.ts';
import { parseTokens, type Tokens } from '../text/tokens.ts';
import { contentDigest, fileSha256, keyOf } from './digest.ts';
import { InputError } from './errors.ts';

/** One utterance of a data directory. */
export interface Utterance {
  id: string;
  speaker: string;
  /** Path of the audio it is in. */
  audio: string;
  /** Its part of the audio, where it is not all of it. */
  startSeconds?: number;
  endSeconds?: number;
  /** Its words, where it is transcribed. */
  words?: string[];
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
  /** True times of the words, where they are known. */
  ctm?: Map<string, WordTime[]>;
}

interface Line {
  file: string;
  number: number;
  id: string;
  rest: string[];
}

/** For messages. */
const placeOf = ({ file, number }: Line): string => `${file}, line ${number}`;

/**
 * Reads and checks a data directory: `wav.scp` and `utt2spk`, `tokens.txt` and `lexicon.txt`; `segments`, `text` and
 * `ctm` where they are there. Paths in `wav.scp` are relative to the directory; a pipe is refused, never run.
 *
 * @throws {InputError} naming every problem with its file and line, the first twenty of them
 */
export function readDataDirectory(path: string): DataDirectory {
  const problems: string[] = [];
  const linesOf = (name: string, { sorted = true } = {}): Line[] | undefined => {
    const file = join(path, name);
    if (!existsSync(file)) return undefined;
    const lines = readFileSync(file, 'utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    const result: Line[] = [];
    let previous: string | undefined;
    for (let i = 0; i < lines.length; i++) {
      const rest = fieldsOf(lines[i]!);
      const id = rest.shift() ?? '';
      const line: Line = { file, number: i + 1, id, rest };
      if (id === '') problems.push(`${placeOf(line)} is empty`);
      else if (sorted && previous === id) problems.push(`${placeOf(line)}: ${id} is there twice`);
      else if (previous !== undefined && previous > id)
        problems.push(`${placeOf(line)}: ${id} comes after ${previous}; sort with LC_ALL=C`);
      previous = id;
      result.push(line);
    }
    return result;
  };
  const needed = (name: string): Line[] => {
    const lines = linesOf(name);
    if (!lines) problems.push(`${join(path, name)} is missing`);
    else if (lines.length === 0) problems.push(`${join(path, name)} is empty`);
    return lines ?? [];
  };

  const recordings = new Map<string, string>();
  const present = new Set<string>();
  for (const line of needed('wav.scp')) {
    const { id, rest } = line;
    const audio = rest.join(' ');
    if (audio.endsWith('|')) problems.push(`${placeOf(line)}: "${audio}" is a command; decode it to a file first`);
    const file = isAbsolute(audio) ? audio : join(path, audio);
    if (audio === '') problems.push(`${placeOf(line)}: ${id} has no path`);
    else if (!audio.endsWith('|') && !present.has(file) && !existsSync(file))
      problems.push(`${placeOf(line)}: there is no file ${file}`);
    present.add(file);
    recordings.set(id, file);
  }
  const parts = linesOf('segments');
  const utterances: Utterance[] = parts ? [] : [...recordings].map(([id, audio]) => ({ id, audio, speaker: '' }));
  for (const line of parts ?? []) {
    const { id, rest } = line;
    const [recording = '', start, end] = rest;
    const [startSeconds, endSeconds] = [Number(start), Number(end)];
    const audio = recordings.get(recording);
    if (!audio) problems.push(`${placeOf(line)}: recording ${recording} is not in wav.scp`);
    if (!(startSeconds >= 0 && endSeconds > startSeconds))
      problems.push(`${placeOf(line)}: ${start} to ${end} is no stretch of time`);
    utterances.push({ id, audio: audio ?? '', speaker: '', startSeconds, endSeconds });
  }
  const byId = new Map(utterances.map((utterance) => [utterance.id, utterance]));
  const covers = (name: string, lines: readonly Line[], use: (utterance: Utterance, line: Line) => void): void => {
    const seen = new Set<string>();
    for (const line of lines) {
      const utterance = byId.get(line.id);
      seen.add(line.id);
      if (utterance) use(utterance, line);
      else problems.push(`${placeOf(line)}: ${line.id} is not in ${parts ? 'segments' : 'wav.scp'}`);
    }
    for (const { id } of utterances) if (!seen.has(id)) problems.push(`${join(path, name)} has no line for ${id}`);
  };
  covers('utt2spk', needed('utt2spk'), (utterance, line) => {
    const { rest } = line;
    if (rest.length === 1) utterance.speaker = rest[0]!;
    else problems.push(`${placeOf(line)}: need one speaker, found "${rest.join(' ')}"`);
  });
  const { tokens, lexicon } = readLanguage(path, problems);
  const text = linesOf('text');
  if (text) {
    covers('text', text, (utterance, line) => {
      const { rest } = line;
      for (const word of rest)
        if (lexicon && !lexicon.idOf.has(word)) problems.push(`${placeOf(line)}: word "${word}" is not in lexicon.txt`);
      utterance.words = rest;
    });
  }
  const times = linesOf('ctm', { sorted: false });
  const ctm = new Map<string, WordTime[]>();
  for (const line of times ?? []) {
    const { id, rest } = line;
    const [, start, duration, word = ''] = rest;
    const time = { word, startSeconds: Number(start), durationSeconds: Number(duration) };
    if (!byId.has(id)) problems.push(`${placeOf(line)}: ${id} is not an utterance`);
    if (!(time.startSeconds >= 0 && time.durationSeconds >= 0 && word))
      problems.push(`${placeOf(line)} is not "utterance channel start duration word"`);
    ctm.set(id, [...(ctm.get(id) ?? []), time]);
  }
  if (problems.length > 0 || !tokens || !lexicon) {
    const more = problems.length > 20 ? `; and ${problems.length - 20} more` : '';
    throw new InputError(`Cannot use data directory ${path}: ${problems.slice(0, 20).join('; ')}${more}`);
  }
  return { path, utterances, tokens, lexicon, ...(times ? { ctm } : {}) };
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
