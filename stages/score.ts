import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readDataDirectory, readNumbered } from '../shared/io/data_directory.ts';
import { InputError, UsageError } from '../shared/io/errors.ts';
import type { Sink } from '../shared/io/output_folder.ts';
import { openFolderOrFile } from '../shared/io/report_file.ts';
import { type Context, type OptionsOf, type OptionTable, runIfMain, type Stage } from '../shared/io/stage.ts';
import { leavesOutSilence, readTranscripts, type Transcripts } from '../shared/io/transcript_file.ts';
import { sharedUtterances } from '../shared/io/utterance_table.ts';
import { editSteps } from '../shared/math/edit_distance.ts';
import { type Confusions, createErrorTally } from '../shared/math/error_tally.ts';
import { type RateName, scoreTables, summary } from '../shared/report/score_tables.ts';
import { lengthBin, type ScoredUtterance, scoredUtteranceLine } from '../shared/report/scored_utterances.ts';
import { alignmentLines } from '../shared/text/alignment_lines.ts';
import { startOf, wordsOfLine } from '../shared/text/fields.ts';
import { graphemes } from '../shared/text/graphemes.ts';
import { lowerCase, type WordRule, withoutHesitations, withoutPunctuation } from '../shared/text/normalise_words.ts';
import { parsePhraseMap } from '../shared/text/phrase_map.ts';
import { phraseRewriting, type Rewriting, wordRewriting } from '../shared/text/rewriting.ts';
import { spelledNumber } from '../shared/text/spell_numbers.ts';
import { createVocabulary, spelling, type Vocabulary } from '../shared/text/vocabulary.ts';

/** Rules that --normalise names, in the order they are applied in. */
const rules = {
  case: lowerCase,
  numbers: spelledNumber,
  punctuation: withoutPunctuation,
  hesitations: withoutHesitations,
} as const satisfies Record<string, WordRule>;

const rateOfUnit = { word: 'wer', character: 'cer', phone: 'per' } as const satisfies Record<string, RateName>;

/** Count errors: hypotheses against transcripts, as sclite aligns and counts them. */
export const options = {
  data: {
    type: 'string',
    role: 'texts',
    demandOption: true,
    describe: "what was said: a data directory, or a file of transcripts (.trn, .ctm, any other as Kaldi's text)",
  },
  hypotheses: {
    type: 'string',
    role: 'input',
    open: openFolderOrFile,
    demandOption: true,
    describe: 'what was heard: a folder of decode, or a file of transcripts, of whatever made it',
  },
  speakers: {
    type: 'string',
    role: 'corpus',
    describe: "Kaldi's utt2spk, where --data is a file; without it a speaker is what stands before the first - or _",
  },
  unit: {
    type: 'string',
    default: 'word',
    choices: ['word', 'character', 'phone'],
    describe: 'what is counted; character: graphemes without the spaces; phone: the first pronunciation of each word',
  },
  'words-are': {
    type: 'string',
    choices: ['word', 'character', 'phone'],
    belongsTo: { unit: ['word'] },
    describe: 'unit word: what transcripts consist of, where that is not words; it names the rate',
  },
  lexicon: {
    type: 'string',
    role: 'corpus',
    describe: 'unit phone: lines of "word phone phone …", where --data is a file',
  },
  normalise: {
    type: 'string',
    array: true,
    choices: Object.keys(rules) as (keyof typeof rules)[],
    describe:
      'what both sides leave out or write alike; numbers in English: 21 as twenty one; applied in this order, after Unicode NFC',
  },
  map: {
    type: 'string',
    role: 'corpus',
    describe: 'file of lines "words => words", replaced on both sides, after --normalise',
  },
  alignments: {
    type: 'boolean',
    default: false,
    describe: 'write alignments.txt, words below each other, and confusions.tsv, all of them',
  },
  arm: { type: 'string', describe: 'label of the report: arm of the experiment' },
  seed: { type: 'number', integer: true, describe: 'label of the report: seed of the training' },
  size: { type: 'string', describe: 'label of the report: size of the model' },
  protocol: {
    type: 'string',
    describe:
      'label of the report: how corpus and speakers are divided; scores of other utterances under one label are pooled',
  },
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options>;

/** Confusions in the report; all of them are in confusions.tsv. */
const confusionsShown = 20;

export async function run(options: Options, context: Context) {
  const { vocabulary, said, speakerOf, phonesOf } = readReference(options);
  const heard = readHypotheses(options, vocabulary, said, context);
  sharedUtterances(heard, said, 'transcript');
  const utterances = sharedUtterances(said, heard, 'hypothesis', context.skip);
  const rewritings = rewritingsOf(options, vocabulary);
  const toUnits = unitRewriting(options, { vocabulary, phonesOf });
  const sides = { reference: rewriterOf(rewritings), hypothesis: rewriterOf(rewritings) };

  const lines = collected(context.out.createFile('utterances.tsv'));
  const alignments = options.alignments ? collected(context.out.createFile('alignments.txt')) : undefined;
  const tally = createErrorTally();
  const scored: ScoredUtterance[] = [];
  const spell = (word: number) => spelling(vocabulary, word);
  context.progress.start('aligning', utterances.length);
  for (const utterance of utterances) {
    const given = said.wordsOf(utterance);
    if (!given) throw new InputError(`Cannot score ${utterance}: ${said.path} has no words for it; add them`);
    const reference = toUnits(sides.reference.rewrite(given), utterance);
    const hypothesis = toUnits(sides.hypothesis.rewrite(heard.wordsOf(utterance)!));
    const steps = editSteps({ reference, hypothesis });
    const operations = lettersOf(steps);
    const row = { utterance, speaker: speakerOf(utterance), ...tally.add({ reference, hypothesis, steps }) };
    scored.push(row);
    lines.add(scoredUtteranceLine(row, operations));
    if (alignments) {
      const spelled = { reference: Array.from(reference, spell), hypothesis: Array.from(hypothesis, spell) };
      alignments.add(alignmentLines({ utterance, ...spelled, operations }));
    }
    context.progress.advance();
  }
  lines.end();
  alignments?.end();
  if (options.alignments) writeConfusions(context, tally.confusions(), spell);

  const rate = rateOfUnit[options.wordsAre ?? options.unit];
  const speakers = summaries(scored, ({ speaker }) => speaker, rate).map(([speaker, counts]) => ({
    speaker,
    ...counts,
  }));
  const lengths = summaries(scored, ({ words }) => lengthBin(words), rate).map(([words, counts]) => ({
    ofWords: words,
    ...counts,
  }));
  context.progress.note(`${scored.length} utterances of ${speakers.length} speakers`);
  const wrong = scored.filter((counts) => counts.insertions + counts.deletions + counts.substitutions > 0).length;
  const report = {
    rate,
    utterances: scored.length,
    ...summary(scored, rate),
    sentenceErrorRate: scored.length > 0 ? wrong / scored.length : null,
    ...(rewritings.length > 0
      ? {
          normalisation: rewritings.map(({ name }, i) => ({
            name,
            wordsChanged: { reference: sides.reference.changed[i]!, hypotheses: sides.hypothesis.changed[i]! },
          })),
        }
      : {}),
    ...(options.unit === 'character'
      ? { unicode: { icu: process.versions.icu, unicode: process.versions.unicode } }
      : {}),
    speakers,
    lengths,
    confusions: spelled(tally.confusions(confusionsShown), spell),
  };
  context.out.writeText('tables.md', scoreTables(report, { rate }));
  return report;
}

interface Reference {
  /** Numbers the words of both sides. */
  vocabulary: Vocabulary;
  said: Transcripts;
  speakerOf(utterance: string): string;
  phonesOf?: ReadonlyMap<string, readonly string[]>;
}

function readReference({ data, speakers, lexicon, unit }: Options): Reference {
  if (statSync(data).isFile()) {
    if (unit === 'phone' && !lexicon) throw new UsageError('--unit phone needs --lexicon where --data is a file');
    const vocabulary = createVocabulary();
    const said = readTranscripts(data, vocabulary);
    const phonesOf = lexicon ? readPronunciations(lexicon) : undefined;
    return { vocabulary, said, speakerOf: speakers ? readSpeakers(speakers) : speakerInName, phonesOf };
  }
  for (const [flag, value] of Object.entries({ speakers, lexicon })) {
    if (value)
      throw new UsageError(`--${flag} is for a file of transcripts, and ${data} is a data directory: leave it out`);
  }
  const { utterances, lexicon: own, tokens, wordsOf } = readDataDirectory(data);
  const speakerOf = new Map(utterances.map(({ id, speaker }) => [id, speaker]));
  const phonesOf = new Map<string, readonly string[]>();
  for (const { word, tokens: phones } of own.pronunciations) {
    const name = own.words[word]!;
    if (!phonesOf.has(name))
      phonesOf.set(
        name,
        Array.from(phones, (phone) => tokens.symbols[phone]!),
      );
  }
  return {
    vocabulary: createVocabulary(own.words),
    said: { path: data, utterances: utterances.map(({ id }) => id), wordsOf },
    speakerOf: (utterance) => speakerOf.get(utterance)!,
    phonesOf,
  };
}

/** What stands before the first - or _, as sclite takes it. */
const speakerInName = (utterance: string): string => /^[^-_]+/.exec(utterance)?.[0] ?? utterance;

function readSpeakers(file: string): (utterance: string) => string {
  const names = createVocabulary();
  const lines = readNumbered(file, { keys: createVocabulary(), words: names });
  const speakerOf = new Map<string, string>();
  lines.ids.forEach((utterance, line) => {
    const words = wordsOfLine(lines, line);
    if (words.length !== 1)
      throw new InputError(`Cannot read ${file}:${line + 1}: it is not "utterance speaker"; mend it`);
    speakerOf.set(utterance, spelling(names, lines.words[startOf(lines, line)]!));
  });
  return (utterance) => {
    const speaker = speakerOf.get(utterance);
    if (speaker !== undefined) return speaker;
    throw new InputError(`Cannot score ${utterance}: ${file} has no speaker for it; add it`);
  };
}

function readPronunciations(file: string): Map<string, readonly string[]> {
  const phonesOf = new Map<string, readonly string[]>();
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .forEach((line, i) => {
      const [word, ...phones] = line.trim().split(/\s+/);
      if (!word || phones.length === 0) {
        throw new InputError(`Cannot read ${file}:${i + 1}: "${line}" is not "word phone phone …"; mend it`);
      }
      if (!phonesOf.has(word)) phonesOf.set(word, phones);
    });
  return phonesOf;
}

function readHypotheses(
  { hypotheses }: Options,
  vocabulary: Vocabulary,
  said: Transcripts,
  { inputs, progress }: Context,
) {
  const isFile = inputs.hypotheses![0]!.report.stage === 'file';
  const file = isFile ? hypotheses : join(hypotheses, 'hypotheses.txt');
  const heard = readTranscripts(file, vocabulary);
  if (!leavesOutSilence(file)) return heard;
  const known = new Set(heard.utterances);
  const silent = said.utterances.filter((utterance) => !known.has(utterance));
  if (silent.length > 0)
    progress.note(`${silent.length} utterances have no word in ${file}: nothing was heard in them`);
  const none = new Int32Array(0);
  return {
    ...heard,
    utterances: [...heard.utterances, ...silent],
    wordsOf: (utterance: string) => heard.wordsOf(utterance) ?? none,
  };
}

/** What changes words before they are compared; what would change none of them is left out, but for what was asked for. */
function rewritingsOf({ normalise = [], map }: Options, vocabulary: Vocabulary): Rewriting[] {
  const nfc = wordRewriting('nfc', (word) => [word.normalize('NFC')], vocabulary);
  const asked = Object.entries(rules)
    .filter(([name]) => normalise.includes(name))
    .map(([name, rule]) => wordRewriting(name, rule, vocabulary) ?? { name, rewrite: unchanged });
  return [...(nfc ? [nfc] : []), ...asked, ...(map ? [phraseRewriting('map', readMap(map), vocabulary)] : [])];
}

const unchanged = (words: Int32Array) => ({ words, changed: 0 });

function readMap(file: string) {
  try {
    return parsePhraseMap(readFileSync(file, 'utf8').normalize('NFC'), file);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`Cannot use a map: ${error.message}`);
  }
}

/** All of the rewritings, one after another, and how many words each has changed. */
function rewriterOf(rewritings: readonly Rewriting[]) {
  const changed = rewritings.map(() => 0);
  return {
    changed,
    rewrite: (given: Int32Array): Int32Array =>
      rewritings.reduce((words, { rewrite }, i) => {
        const made = rewrite(words);
        changed[i]! += made.changed;
        return made.words;
      }, given),
  };
}

/** Words as what is counted; of a reference, which names its utterance, every word must be known. */
function unitRewriting(
  { unit, data, lexicon }: Options,
  { vocabulary, phonesOf }: Pick<Reference, 'vocabulary' | 'phonesOf'>,
) {
  const rule = unit === 'phone' ? (word: string) => phonesOf!.get(word) ?? [word] : graphemes;
  const step = unit === 'word' ? undefined : wordRewriting(unit, rule, vocabulary);
  return (words: Int32Array, referenceOf?: string): Int32Array => {
    const alien = unit === 'phone' && referenceOf && words.find((word) => !phonesOf!.has(spelling(vocabulary, word)));
    if (typeof alien === 'number') {
      throw new InputError(
        `Cannot score ${referenceOf}: "${spelling(vocabulary, alien)}" has no pronunciation in ${lexicon ?? join(data, 'lexicon.txt')}; add it`,
      );
    }
    return step ? step.rewrite(words).words : words;
  };
}

const lettersOf = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString('latin1');

/** Lines that go to a file many at a time. */
function collected(sink: Sink) {
  let waiting: string[] = [];
  const flush = (): void => {
    sink.write(Buffer.from(waiting.join('')));
    waiting = [];
  };
  return {
    add(line: string) {
      waiting.push(line);
      if (waiting.length === 4096) flush();
    },
    end() {
      flush();
      sink.close();
    },
  };
}

/** Sums of utterances that are alike, in order of what they share. */
function summaries<Key extends string | number>(
  scored: readonly ScoredUtterance[],
  keyOf: (utterance: ScoredUtterance) => Key,
  rate: RateName,
) {
  const groups = new Map<Key, ScoredUtterance[]>();
  for (const utterance of scored) {
    const key = keyOf(utterance);
    const own = groups.get(key);
    if (own) own.push(utterance);
    else groups.set(key, [utterance]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, own]) => [key, { utterances: own.length, ...summary(own, rate) }] as const);
}

function spelled({ substitutions, insertions, deletions }: Confusions, spell: (word: number) => string) {
  return {
    substitutions: substitutions.map(({ reference, hypothesis, count }) => ({
      ...{ reference: spell(reference), hypothesis: spell(hypothesis), count },
    })),
    insertions: insertions.map(({ word, count }) => ({ word: spell(word), count })),
    deletions: deletions.map(({ word, count }) => ({ word: spell(word), count })),
  };
}

function writeConfusions({ out }: Context, confusions: Confusions, spell: (word: number) => string): void {
  const { substitutions, insertions, deletions } = spelled(confusions, spell);
  const rows = [
    ...substitutions.map(({ reference, hypothesis, count }) => ['S', count, reference, hypothesis]),
    ...insertions.map(({ word, count }) => ['I', count, '', word]),
    ...deletions.map(({ word, count }) => ['D', count, word, '']),
  ];
  out.writeText('confusions.tsv', rows.map((row) => `${row.join('\t')}\n`).join(''));
}

export const stage = {
  name: 'score',
  version: 2,
  summary: 'count errors of hypotheses',
  examples: [
    '$0 --data exp/digits/data/test --hypotheses exp/digits/decode/test/hard --arm hard --seed 0 --out exp/digits/score/hard',
    '$0 --data ref.trn --hypotheses whisper.trn --normalise case punctuation numbers --map english.glm --alignments --out score',
  ],
  options,
  run,
  skips: true,
} satisfies Stage;

await runIfMain(import.meta, stage);
