import { wordsOfLine } from '../text/fields.ts';
import { linesOfCtm, linesOfTrn } from '../text/transcript_lines.ts';
import type { Vocabulary } from '../text/vocabulary.ts';
import { createVocabulary } from '../text/vocabulary.ts';
import { numberedLines, readNumbered } from './data_directory.ts';
import { InputError } from './errors.ts';
import { readUtf8 } from './utf8_file.ts';

/** What was said or heard in each utterance, as numbers of a vocabulary. */
export interface Transcripts {
  /** For messages. */
  path: string;
  utterances: readonly string[];
  /** Undefined for an utterance that is not among them. */
  wordsOf(utterance: string): Int32Array | undefined;
}

/** Whether utterances without a word are left out of a file by its kind. */
export const leavesOutSilence = (file: string): boolean => file.endsWith('.ctm');

/**
 * A file of transcripts: `*.trn` as sclite reads them, `*.ctm` with words and their times, any other as Kaldi's `text`.
 *
 * @param words numbers the words; new ones are added to it
 * @throws {InputError} naming the line of an utterance that comes twice, or one that cannot be read
 */
export function readTranscripts(file: string, words: Vocabulary): Transcripts {
  const lines = linesOf(file, { keys: createVocabulary(), words });
  const utterances: string[] = [];
  const lineOf: number[] = [];
  lines.keys.forEach((key, line) => {
    if (key < 0) return;
    const utterance = lines.ids[line]!;
    // keys are numbered as they come: a smaller one was there
    if (key < utterances.length) {
      throw new InputError(
        `Cannot read ${file}:${line + 1}: utterance "${utterance}" is there twice; keep one of them`,
      );
    }
    utterances.push(utterance);
    lineOf.push(line);
  });
  if (utterances.length === 0) throw new InputError(`Cannot read ${file}: it has no transcript; check the path`);
  const placeOf = finder(utterances);
  const wordsOf = (utterance: string): Int32Array | undefined => {
    const place = placeOf(utterance);
    return place === undefined ? undefined : wordsOfLine(lines, lineOf[place]!);
  };
  return { path: file, utterances, wordsOf };
}

/** Where a text is among others, all different; in their order they are found without a table. */
function finder(texts: readonly string[]): (text: string) => number | undefined {
  let next = 0;
  let places: Map<string, number> | undefined;
  return (text) => {
    if (text === texts[next]) return next++;
    places ??= new Map(texts.map((other, place) => [other, place]));
    const place = places.get(text);
    if (place !== undefined) next = place + 1;
    return place;
  };
}

function linesOf(file: string, vocabularies: { keys: Vocabulary; words: Vocabulary }) {
  const convert = file.endsWith('.trn') ? linesOfTrn : file.endsWith('.ctm') ? linesOfCtm : undefined;
  if (!convert) return readNumbered(file, vocabularies);
  try {
    return numberedLines(file, Buffer.from(convert(readUtf8(file), file)), vocabularies);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`Cannot read transcripts: ${error.message}`);
  }
}
