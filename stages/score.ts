import { join } from 'node:path';
import { readDataDirectory, readNumbered } from '../shared/io/data_directory.ts';
import { InputError } from '../shared/io/errors.ts';
import { type Context, type OptionsOf, type OptionTable, runIfMain, type Stage } from '../shared/io/stage.ts';
import { sharedUtterances } from '../shared/io/utterance_table.ts';
import { editCounts } from '../shared/math/edit_distance.ts';
import { type Fields, wordsOfLine } from '../shared/text/fields.ts';
import type { Lexicon } from '../shared/text/lexicon.ts';
import { createVocabulary } from '../shared/text/vocabulary.ts';

/** Count word errors: hypotheses against the text of a data directory, as sclite counts them. */
export const options = {
  data: { type: 'string', role: 'corpus', demandOption: true, describe: 'data directory with the reference text' },
  hypotheses: { type: 'string', role: 'input', demandOption: true, describe: 'folder of decode' },
  arm: { type: 'string', describe: 'label of the report: arm of the experiment' },
  seed: { type: 'number', integer: true, describe: 'label of the report: seed of the training' },
  size: { type: 'string', describe: 'label of the report: size of the model' },
  protocol: { type: 'string', describe: 'label of the report: how corpus and speakers are divided' },
} as const satisfies OptionTable;

/** Errors of one utterance, or of many together. */
export interface ScoreCounts {
  words: number; // of the reference
  insertions: number;
  deletions: number;
  substitutions: number;
}

interface UtteranceCounts extends ScoreCounts {
  utterance: string;
  speaker: string;
}

export async function run({ data, hypotheses }: OptionsOf<typeof options>, context: Context) {
  const { utterances, lexicon, wordsOf } = readDataDirectory(data);
  const file = join(hypotheses, 'hypotheses.txt');
  const recognised = readHypotheses(file, lexicon);
  const said = { path: data, utterances: utterances.map(({ id }) => id) };
  const heard = { path: file, utterances: [...recognised.lineOf.keys()] };
  sharedUtterances(heard, said, 'transcript');
  sharedUtterances(said, heard, 'hypothesis', context.skip);
  const perUtterance: UtteranceCounts[] = [];
  for (const { id, speaker } of utterances) {
    const line = recognised.lineOf.get(id);
    if (line === undefined) continue;
    const reference = wordsOf(id);
    if (!reference) throw new InputError(`Cannot score ${id}: ${join(data, 'text')} has no words for it; add them`);
    const { insertions, deletions, substitutions } = editCounts({
      reference,
      hypothesis: wordsOfLine(recognised, line),
    });
    perUtterance.push({ utterance: id, speaker, words: reference.length, insertions, deletions, substitutions });
  }
  const bySpeaker = new Map<string, ScoreCounts[]>();
  for (const counts of perUtterance) {
    const own = bySpeaker.get(counts.speaker);
    if (own) own.push(counts);
    else bySpeaker.set(counts.speaker, [counts]);
  }
  context.progress.note(`${perUtterance.length} utterances of ${bySpeaker.size} speakers`);
  const wrong = perUtterance.filter((counts) => errorsOf(counts) > 0).length;
  return {
    utterances: perUtterance.length,
    ...summary(perUtterance),
    sentenceErrorRate: perUtterance.length > 0 ? wrong / perUtterance.length : null,
    speakers: [...bySpeaker.keys()].sort().map((speaker) => {
      const own = bySpeaker.get(speaker)!;
      return { speaker, utterances: own.length, ...summary(own) };
    }),
    perUtterance,
  };
}

const errorsOf = ({ insertions, deletions, substitutions }: ScoreCounts) => insertions + deletions + substitutions;

/** Sums, and errors per reference word: null where there is no word. */
function summary(counts: readonly ScoreCounts[]) {
  const sum = (name: keyof ScoreCounts) => counts.reduce((total, count) => total + count[name], 0);
  const total = {
    words: sum('words'),
    insertions: sum('insertions'),
    deletions: sum('deletions'),
    substitutions: sum('substitutions'),
  };
  const errors = errorsOf(total);
  return { ...total, errors, wer: total.words > 0 ? errors / total.words : null };
}

/** Hypotheses by line: words are ids of the lexicon, or numbers above them. */
interface Hypotheses extends Fields {
  lineOf: ReadonlyMap<string, number>;
}

/** @throws {InputError} naming the line of an utterance that comes twice */
function readHypotheses(file: string, lexicon: Lexicon): Hypotheses {
  const lines = readNumbered(file, { keys: createVocabulary(), words: createVocabulary(lexicon.words) });
  const lineOf = new Map<string, number>();
  lines.ids.forEach((utterance, line) => {
    if (utterance === '') return;
    if (lineOf.has(utterance)) {
      throw new InputError(`Cannot read ${file}:${line + 1}: utterance "${utterance}" is there twice; decode again`);
    }
    lineOf.set(utterance, line);
  });
  return { ...lines, lineOf };
}

export const stage = {
  name: 'score',
  version: 1,
  summary: 'count word errors of hypotheses',
  examples: [
    '$0 --data exp/digits/data/test --hypotheses exp/digits/decode/test/hard --arm hard --seed 0 --out exp/digits/score/hard',
  ],
  options,
  run,
  skips: true,
} satisfies Stage;

await runIfMain(import.meta, stage);
