import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDataDirectory } from '../shared/io/data_directory.ts';
import { InputError } from '../shared/io/errors.ts';
import { type Context, type OptionsOf, type OptionTable, runIfMain, type Stage } from '../shared/io/stage.ts';
import { sharedUtterances } from '../shared/io/utterance_table.ts';
import { type EditCounts, editCounts } from '../shared/math/edit_distance.ts';
import { fieldsOf } from '../shared/text/fields.ts';

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

export async function run({ data, hypotheses }: OptionsOf<typeof options>, context: Context) {
  const { utterances } = readDataDirectory(data);
  const file = join(hypotheses, 'hypotheses.txt');
  const recognised = readHypotheses(file);
  const said = { path: data, utterances: utterances.map(({ id }) => id) };
  const heard = { path: file, utterances: [...recognised.keys()] };
  sharedUtterances(heard, said, 'transcript');
  const scored = new Set(sharedUtterances(said, heard, 'hypothesis', context.skip));
  const idOf = createNumbering();
  const perUtterance = utterances
    .filter(({ id }) => scored.has(id))
    .map(({ id, speaker, words: reference }) => {
      if (!reference) throw new InputError(`Cannot score ${id}: ${join(data, 'text')} has no words for it; add them`);
      return {
        utterance: id,
        speaker,
        ...countsOf(editCounts({ reference: idOf(reference), hypothesis: idOf(recognised.get(id)!) })),
      };
    });
  const speakers = [...new Set(perUtterance.map(({ speaker }) => speaker))].sort();
  context.progress.note(`${perUtterance.length} utterances of ${speakers.length} speakers`);
  const wrong = perUtterance.filter((counts) => errorsOf(counts) > 0).length;
  return {
    utterances: perUtterance.length,
    ...summary(perUtterance),
    sentenceErrorRate: perUtterance.length > 0 ? wrong / perUtterance.length : null,
    speakers: speakers.map((speaker) => {
      const own = perUtterance.filter((counts) => counts.speaker === speaker);
      return { speaker, utterances: own.length, ...summary(own) };
    }),
    perUtterance,
  };
}

/** Words as numbers, which compare faster. */
function createNumbering(): (words: readonly string[]) => Int32Array {
  const numbers = new Map<string, number>();
  return (words) => {
    const result = new Int32Array(words.length);
    for (let i = 0; i < result.length; i++) {
      const number = numbers.get(words[i]!) ?? numbers.size;
      if (number === numbers.size) numbers.set(words[i]!, number);
      result[i] = number;
    }
    return result;
  };
}

function countsOf({ correct, substitutions, insertions, deletions }: EditCounts): ScoreCounts {
  return { words: correct + substitutions + deletions, insertions, deletions, substitutions };
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

/** @throws {InputError} naming the line of an utterance that comes twice */
function readHypotheses(file: string): Map<string, string[]> {
  const recognised = new Map<string, string[]>();
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, i) => {
      const words = fieldsOf(line);
      const utterance = words.shift();
      if (utterance === undefined) return;
      if (recognised.has(utterance)) {
        throw new InputError(`Cannot read ${file}:${i + 1}: utterance "${utterance}" is there twice; decode again`);
      }
      recognised.set(utterance, words);
    });
  return recognised;
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
