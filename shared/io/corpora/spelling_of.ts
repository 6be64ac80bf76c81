import { parsePronunciations } from '../../text/pronunciations.ts';
import {
  characterSpelling,
  lexiconSpelling,
  pieceSpelling,
  type Spelling,
  type WordUnits,
  wholeWords,
} from '../../text/spell.ts';
import type { TranscriptOptions } from '../../text/transcript_words.ts';
import { readUtf8 } from '../utf8_file.ts';
import { openWordPieces } from '../word_pieces.ts';
import type { Report } from './corpus.ts';

export interface SpellingOptions extends Pick<TranscriptOptions, 'case'> {
  units: WordUnits;
  /** Characters: all there may be; those of the training transcripts unless given. */
  alphabet?: string;
  /** Lexicon: file of pronunciations. */
  lexicon?: string;
  stripStress: boolean;
  /** Pieces: a tokenizer.json. */
  tokenizer?: string;
}

/**
 * How words are spelled; each is looked up once.
 *
 * @param trainingWords where units are those that training transcripts have
 */
export async function spellingOf(
  trainingWords: Iterable<string>,
  options: SpellingOptions,
  report: Report,
): Promise<Spelling> {
  const spelling = await openSpelling(trainingWords, options, report);
  const known = new Map<string, ReturnType<Spelling['waysOf']>>();
  return {
    ...spelling,
    waysOf(word) {
      const ways = known.get(word) ?? spelling.waysOf(word);
      known.set(word, ways);
      return ways;
    },
  };
}

async function openSpelling(words: Iterable<string>, options: SpellingOptions, report: Report): Promise<Spelling> {
  const { units, alphabet, lexicon, tokenizer } = options;
  if (units === 'words') return wholeWords(words);
  if (units === 'characters') return characterSpelling(words, alphabet);
  if (units === 'pieces') return pieceSpelling(await openWordPieces(tokenizer!), tokenizer!);
  const { pronunciations, faults } = parsePronunciations(readUtf8(lexicon!), lexicon!, options);
  for (const { place, why } of faults) report(`${place}: ${why}`);
  return lexiconSpelling(pronunciations, lexicon!);
}
