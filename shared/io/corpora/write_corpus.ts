import { relative, resolve } from 'node:path';
import { createRandom } from '../../math/random.ts';
import { bigramArpaOf } from '../../text/arpa.ts';
import type { Spelling } from '../../text/spell.ts';
import { type SpelledLanguage, type SpelledLanguageOptions, spelledLanguage } from '../../text/spelled_language.ts';
import { type TranscriptOptions, transcriptWords } from '../../text/transcript_words.ts';
import { audioLength } from '../audio_length.ts';
import { type WrittenUtterance, writeDataDirectory } from '../data_directory_writer.ts';
import { describeSystemError, InputError } from '../errors.ts';
import type { Context } from '../stage.ts';
import type { Corpus, CorpusUtterance, Report } from './corpus.ts';
import { chooseSubsets, type HoldOut, holdOut, type Part, parts } from './divide.ts';
import { openAudioFolder } from './open_audio_folder.ts';
import { openCommonVoice } from './open_common_voice.ts';
import { openKaldi } from './open_kaldi.ts';
import { openLibriSpeech } from './open_librispeech.ts';
import { type SpellingOptions, spellingOf } from './spelling_of.ts';

/** Corpora by what they are called on the command line. */
export const openers = {
  librispeech: openLibriSpeech,
  kaldi: openKaldi,
  commonvoice: openCommonVoice,
  folder: openAudioFolder,
} as const satisfies Record<string, (source: string) => Corpus>;

export interface CorpusOptions
  extends TranscriptOptions,
    SpellingOptions,
    Pick<SpelledLanguageOptions, 'objective' | 'states' | 'text'>,
    Partial<Record<Part, readonly string[]>> {
  corpus: keyof typeof openers;
  source: string;
  /** Folder that the data directories will lie in: paths of audio are relative to it. */
  out: string;
  /** How parts that the corpus does not have are held out of the training part. */
  holdOut: HoldOut;
  /** Share of the training utterances that keep their transcripts; the others go to `untranscribed`. */
  transcribed: number;
}

/** An utterance that was looked at. */
interface Prepared extends CorpusUtterance {
  words: string[];
  seconds: number | undefined;
}

/**
 * A corpus on disk as data directories `train`, `dev`, `test`, and `untranscribed` where training transcripts are put away;
 * the audio stays where it is. With transcripts of units, their bigram model is `lm.arpa`.
 *
 * @returns what each part holds and where it is from
 * @throws {InputError} with all that is wrong, by file and line, unless leaving out as many utterances as allowed mends it
 */
export async function writeCorpus(options: CorpusOptions, { out, progress, skip, breathe }: Context) {
  const { source } = options;
  const corpus = openers[options.corpus](source);
  const sources = chooseSubsets(source, corpus.subsets, options);
  const problems: { text: string; utterance?: string }[] = [];
  const report: Report = (text, utterance) => problems.push({ text, utterance });

  progress.start('reading');
  const divided: Record<Part, CorpusUtterance[]> = { train: [], dev: [], test: [] };
  for (const part of parts) divided[part] = sources[part].flatMap((subset) => corpus.read(subset, report));
  checkNames(
    parts.flatMap((part) => divided[part]),
    report,
  );
  const wanted = parts.filter((part) => sources[part].length === 0);
  const { left, held, names } = holdOut(divided.train, wanted, options.holdOut, report);
  Object.assign(divided, held, { train: left });

  const lengths = createLengths();
  const interned = createInterned();
  progress.start(
    'checking',
    parts.reduce((sum, part) => sum + divided[part].length, 0),
  );
  const prepared: Record<Part, Prepared[]> = { train: [], dev: [], test: [] };
  for (const part of parts) {
    for (const utterance of divided[part]) {
      prepared[part].push(prepare(utterance, { options, lengths, interned, report }));
      progress.advance();
      await breathe();
    }
  }
  const spelling = await spellingOf(distinctWords(prepared.train), options, report);
  for (const utterance of parts.flatMap((part) => prepared[part])) checkWords(utterance, { spelling, options, report });
  const faulty = leaveOut(problems, { source, skip });

  const language = languageOf(spelling, options);
  const putAway = ({ id }: Prepared): boolean =>
    !(createRandom(options.holdOut.seed, 'transcribed', id).uniform() < options.transcribed);
  const [train, dev, test] = parts.map((part) => prepared[part].filter(({ id }) => !faulty.has(id)));
  const groups = {
    train: train!.filter((utterance) => !putAway(utterance)),
    untranscribed: train!.filter(putAway),
    dev: dev!,
    test: test!,
  };
  const known = distinctWords(groups.train);
  const splits: Record<string, object> = {};
  for (const [name, utterances] of Object.entries(groups)) {
    if (utterances.length === 0 && name === 'untranscribed') continue;
    if (utterances.length === 0)
      throw new InputError(`Cannot use ${source}: no utterance is left for ${name}; check what it is made of`);
    const hasText = name !== 'untranscribed';
    write(out, name, { utterances, language, known, hasText, options });
    splits[name] = summary(utterances, known);
  }
  const { textUnits } = language;
  if (textUnits && textUnits.length <= mostBigramUnits) {
    const said = groups.train.map(({ words }) => language.textOf(words));
    out.writeText('lm.arpa', bigramArpaOf(said, textUnits));
  }
  return {
    splits,
    ...{ from: sources, ...(wanted.length > 0 && { heldOut: names }) },
    ...{ sampleRatesHz: lengths.rates, tokens: language.tokens.length },
  };
}

/** A bigram model has a number for each pair. */
const mostBigramUnits = 1000;

/** Utterances have names of their own, and recordings one file each. */
function checkNames(utterances: readonly CorpusUtterance[], report: Report): void {
  const placeOf = new Map<string, string>();
  const audioOf = new Map<string, string>();
  for (const { id, place, segment, audio } of utterances) {
    const other = placeOf.get(id);
    if (other !== undefined) report(`${place}: utterance ${id} is in ${other} as well; make the names differ`);
    placeOf.set(id, place);
    if (/\s/.test(id)) report(`${place}: the name "${id}" has white space; rename it`);
    const recording = segment?.recording ?? id;
    if ((audioOf.get(recording) ?? audio) !== audio)
      report(`${place}: recording ${recording} is ${audioOf.get(recording)} as well; make the names differ`);
    audioOf.set(recording, audio);
  }
}

interface Lengths {
  /** Seconds of a file, as far as it says. */
  of(path: string): number | undefined;
  /** Files of each sampling rate. */
  rates: Record<string, number>;
}

/** Lengths of files, each opened once while one after another are of it. */
function createLengths(): Lengths {
  const rates: Record<string, number> = {};
  const known = new Map<string, number | undefined>();
  return {
    rates,
    of(path) {
      if (known.has(path)) return known.get(path);
      const { sampleRateHz, seconds } = audioLength(path);
      if (sampleRateHz) rates[sampleRateHz] = (rates[sampleRateHz] ?? 0) + 1;
      known.set(path, seconds);
      return seconds;
    },
  };
}

/** @returns a function that gives one string for equal ones, however many there are */
function createInterned(): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text) ?? text;
    known.set(text, found);
    return found;
  };
}

/** A segment that ends so much after its recording is cut, as Kaldi's extract-segments does. */
const mostOvershootSeconds = 0.5;

interface Preparing {
  options: CorpusOptions;
  lengths: Lengths;
  interned: (word: string) => string;
  report: Report;
}

function prepare(utterance: CorpusUtterance, { options, lengths, interned, report }: Preparing): Prepared {
  const { id, audio, segment, said, place } = utterance;
  const words = said.flatMap(({ text }) => transcriptWords(text, options)).map(interned);
  if (words.length === 0) report(`${said[0]?.place ?? place}: ${id} has no words`, id);
  const fault = (why: string): void => report(`${place}: ${why}`, id);
  let whole: number | undefined;
  try {
    whole = lengths.of(audio);
    if (whole === 0) fault(`${audio} has no samples`);
  } catch (error) {
    const why = error instanceof InputError ? error.message : describeSystemError(error);
    if (why === undefined) throw error;
    fault(why);
  }
  if (audio.split(/\s+/).join(' ') !== audio)
    fault(`the path "${audio}" has white space that wav.scp cannot have; rename it`);
  if (!segment) return { ...utterance, words, seconds: whole };
  const { startSeconds } = segment;
  if (segment.endSeconds > (whole ?? Infinity) + mostOvershootSeconds || startSeconds >= (whole ?? Infinity))
    fault(`${id} is from ${startSeconds} to ${segment.endSeconds} s, but ${audio} ends at ${whole!.toFixed(3)} s`);
  const endSeconds = Math.min(segment.endSeconds, whole ?? Infinity);
  return { ...utterance, words, segment: { ...segment, endSeconds }, seconds: endSeconds - startSeconds };
}

/** Words that cannot be spelled, each by its line. */
function checkWords(
  { id, words, said }: Prepared,
  { spelling, options, report }: { spelling: Spelling; options: CorpusOptions; report: Report },
): void {
  const isStrange = (word: string): boolean => spelling.waysOf(word).length === 0;
  if (!words.some(isStrange)) return;
  for (const { text, place } of said) {
    for (const word of transcriptWords(text, options).filter(isStrange)) report(`${place}: ${spelling.why(word)}`, id);
  }
}

/** Utterances to leave out for their faults; where that does not help, or is not allowed, all that is wrong is said. */
function leaveOut(
  problems: readonly { text: string; utterance?: string }[],
  { source, skip }: { source: string; skip: Context['skip'] },
): Set<string> {
  const many = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const refuse = (why: string): InputError =>
    new InputError([`Cannot use ${source}: ${many}${why}`, ...problems.map(({ text }) => text)].join('\n'));
  if (problems.some(({ utterance }) => utterance === undefined)) throw refuse('; mend them');
  const faulty = new Map(problems.map(({ text, utterance }) => [utterance!, text]));
  for (const [utterance, text] of faulty) {
    try {
      skip([utterance], new InputError(text));
    } catch (error) {
      if (error instanceof InputError)
        throw refuse(`; mend them, or leave their utterances out with --allow-missing ${faulty.size}`);
      throw error;
    }
  }
  return new Set(faulty.keys());
}

function languageOf(spelling: Spelling, options: CorpusOptions): SpelledLanguage {
  const separated = options.objective === 'ctc' && options.units === 'characters';
  try {
    return spelledLanguage(spelling, { ...options, separated });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(`Cannot use ${options.source}: ${error.message}; take it out of transcripts or lexicon`);
  }
}

const distinctWords = (utterances: readonly Prepared[]): Set<string> => {
  const distinct = new Set<string>();
  for (const { words } of utterances) for (const word of words) distinct.add(word);
  return distinct;
};

interface Written {
  utterances: readonly Prepared[];
  language: SpelledLanguage;
  /** Words of the training transcripts. */
  known: ReadonlySet<string>;
  hasText: boolean;
  options: CorpusOptions;
}

function write(out: Context['out'], name: string, { utterances, language, known, hasText, options }: Written): void {
  const directory = resolve(options.out, name);
  const sorted = [...utterances].sort((a, b) => (a.id < b.id ? -1 : 1));
  const inSegments = sorted.some(({ segment }) => segment);
  const recordings = new Map<string, string>();
  const written = sorted.map((utterance): WrittenUtterance => {
    const { id, speaker, words, audio, segment, seconds } = utterance;
    recordings.set(segment?.recording ?? id, relative(directory, resolve(audio)));
    if (inSegments && !segment && seconds === undefined)
      throw new InputError(`Cannot use ${audio} beside segments: it does not say how long it is; convert it to WAV`);
    return {
      ...{ id, speaker, ...(hasText && { words: language.textOf(words) }) },
      ...(inSegments && { segment: segment ?? { recording: id, startSeconds: 0, endSeconds: seconds! } }),
    };
  });
  const words = hasText ? new Set([...known, ...distinctWords(sorted)]) : known;
  writeDataDirectory(out, name, {
    recordings: [...recordings].map(([id, path]) => ({ id, path })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    utterances: written,
    tokens: language.tokens,
    lexicon: language.lexiconOf([...words].sort()),
  });
}

function summary(utterances: readonly Prepared[], known: ReadonlySet<string>) {
  const sum = (of: (utterance: Prepared) => number) => utterances.reduce((total, one) => total + of(one), 0);
  return {
    utterances: utterances.length,
    speakers: new Set(utterances.map(({ speaker }) => speaker)).size,
    words: sum(({ words }) => words.length),
    /** Of these words, how many training transcripts do not have. */
    unknownWords: sum(({ words }) => words.filter((word) => !known.has(word)).length),
    seconds: sum(({ seconds = 0 }) => seconds),
  };
}
