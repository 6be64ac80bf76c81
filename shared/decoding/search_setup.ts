import { join } from 'node:path';
import { InputError, UsageError } from '../io/errors.ts';
import { textLines } from '../io/text_lines.ts';
import { createCtcSearch } from '../math/ctc_search.ts';
import { createLexiconSearch } from '../math/lexicon_search.ts';
import type { NgramModel } from '../math/ngram_model.ts';
import { lexiconSpeller, marksWords, openSpeller } from '../math/speller.ts';
import { transitionsOf } from '../math/viterbi.ts';
import type { WordSearch, WordSequence } from '../math/word_search.ts';
import { parseArpa } from '../text/arpa.ts';
import type { Hypothesis } from '../text/hypothesis.ts';
import type { Lexicon } from '../text/lexicon.ts';
import type { Tokens } from '../text/tokens.ts';
import { blankSymbol } from '../text/units.ts';

/** What a search is made of, for any thread. */
export interface SearchSetup {
  tokens: readonly string[];
  prior: readonly number[];
  /** Self-loop probability of each token, of models of frames; CTC has none. */
  selfLoop?: readonly number[];
  /** Without it, words are what tokens mark as such. */
  lexicon?: Pick<Lexicon, 'words' | 'pronunciations'>;
  languageModel?: { model: NgramModel; words: readonly string[] };
  /** CTC: token sequences followed at once. */
  beam: number;
  /** Frames: how far behind the best a path may be. */
  beamNats?: number;
  nBest: number;
}

/** A search, and the words that its numbers stand for. */
export interface Searcher {
  search: WordSearch;
  logPrior: Float64Array;
  spell(found: WordSequence): Hypothesis;
  wordsOf(ids: Int32Array): string[];
}

export function createSearcher(setup: SearchSetup): Searcher {
  const { search, words } = setup.selfLoop ? searchOfFrames(setup) : searchOfCtc(setup);
  const wordsOf = (ids: Int32Array): string[] => Array.from(ids, (id) => words[id]!);
  return {
    search,
    logPrior: Float64Array.from(setup.prior, Math.log),
    wordsOf,
    spell: ({ words, ...found }) => ({ words: wordsOf(words), ...found }),
  };
}

function searchOfFrames({ tokens, selfLoop, lexicon, languageModel, beamNats, nBest }: SearchSetup) {
  const { words, pronunciations } = lexicon!;
  const search = createLexiconSearch({
    ...{ pronunciations, wordCount: words.length, nBest },
    silence: tokens.indexOf(silence),
    vocabularySize: tokens.length,
    transitions: transitionsOf(selfLoop!),
    ...(languageModel && { languageModel: languageModel.model }),
    ...(beamNats !== undefined && { beamNats }),
  });
  return { search, words };
}

function searchOfCtc({ tokens, lexicon, languageModel, beam }: SearchSetup) {
  const speller = lexicon
    ? lexiconSpeller(lexicon.pronunciations, lexicon.words)
    : openSpeller(tokens, languageModel?.words);
  const model = languageModel && { languageModel: languageModel.model };
  return {
    search: createCtcSearch({ speller, vocabularySize: tokens.length, beam, ...model }),
    words: speller.words,
  };
}

const silence = 'sil';

/** What is known of a model and of its words, with the paths that messages name. */
export interface SearchParts {
  source: { path: string; prior: readonly number[]; selfLoop?: readonly number[] };
  tokens: Tokens;
  /** Where tokens and lexicon come from. */
  language: string;
  lexicon?: Lexicon;
}

/** How to search; by objective some of it has no meaning. */
export interface SearchOptions {
  beam?: number | undefined;
  beamNats?: number | undefined;
  nBest?: number | undefined;
  languageModel?: string | undefined;
}

/** Word sequences that a CTC search follows unless it is told. */
const usualBeam = 8;

/**
 * @throws {UsageError} for options that do not go with each other, or with the model's objective
 * @throws {InputError} when the lexicon does not fit the model, or the language model is no whole ARPA file
 */
export function searchSetup(
  { source, tokens, language, lexicon }: SearchParts,
  { beam, beamNats, nBest = 1, languageModel: file }: SearchOptions,
): SearchSetup {
  const isCtc = source.selfLoop === undefined;
  const alien = isCtc ? beamNats !== undefined && '--beam-nats' : beam !== undefined && '--beam';
  if (alien) {
    const owner = isCtc ? 'frame' : 'ctc';
    throw new UsageError(
      `${alien} belongs to objective ${owner}, and ${source.path} is of ${isCtc ? 'ctc' : 'frames'}: leave it out`,
    );
  }
  if (isCtc) checkCtc({ tokens, language, lexicon }, { beam: beam ?? usualBeam, nBest, file });
  else if (tokens.idOf.get(silence) === undefined) {
    throw new InputError(`Cannot decode ${language}: tokens.txt has no silence token "${silence}"; add it`);
  } else if (!lexicon) throw new UsageError(`An open vocabulary needs objective ctc, and ${source.path} is of frames`);
  return {
    tokens: tokens.symbols,
    prior: source.prior,
    ...(source.selfLoop && { selfLoop: source.selfLoop }),
    ...(lexicon && { lexicon: { words: lexicon.words, pronunciations: lexicon.pronunciations } }),
    ...(file !== undefined && { languageModel: readLanguageModel(file, lexicon?.words) }),
    ...(beamNats !== undefined && { beamNats }),
    ...{ beam: beam ?? usualBeam, nBest },
  };
}

function checkCtc(
  { tokens, language, lexicon }: { tokens: Tokens; language: string; lexicon: Lexicon | undefined },
  { beam, nBest, file }: { beam: number; nBest: number; file: string | undefined },
): void {
  if (nBest > beam) {
    throw new UsageError(`--n-best ${nBest} is more than the ${beam} of the search: widen --beam, or ask for fewer`);
  }
  if (beam === 1 && file !== undefined) {
    throw new UsageError('--beam 1 takes the best token of each frame: leave out --language-model, or widen the beam');
  }
  const refuse = (why: string) => new InputError(`Cannot use ${language} with CTC: ${why}`);
  if (tokens.symbols[0] !== blankSymbol)
    throw refuse(
      `token 0 of tokens.txt is ${tokens.symbols[0]}, not the blank ${blankSymbol}; make it with prepare_corpus`,
    );
  if (!lexicon) {
    if (marksWords(tokens.symbols)) return;
    throw refuse('no token of tokens.txt marks where words begin or end ("▁", "|" or "<space>"); search its lexicon');
  }
  for (const { word, tokens: own } of lexicon.pronunciations) {
    const name = lexicon.words[word]!;
    if (own.includes(0)) throw refuse(`word "${name}" has the token of the blank in lexicon.txt`);
    if (beam === 1 && own.length > 1)
      throw new UsageError(
        `--beam 1 takes the best token of each frame, and word "${name}" has ${own.length} in ${join(language, 'lexicon.txt')}: widen the beam, or search an open vocabulary`,
      );
  }
}

/** @param words that a search knows; those of the model unless given */
function readLanguageModel(path: string, words?: readonly string[]): { model: NgramModel; words: readonly string[] } {
  try {
    return parseArpa(textLines(path), path, words);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`Cannot use a language model: ${error.message}`);
  }
}
