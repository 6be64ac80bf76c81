import { openers, writeCorpus } from '../shared/io/corpora/write_corpus.ts';
import { UsageError } from '../shared/io/errors.ts';
import { sampleRateHz } from '../shared/io/fsdd.ts';
import { writeNoisyDigits } from '../shared/io/noisy_digits.ts';
import { writeSpeechocean762 } from '../shared/io/speechocean762.ts';
import { type Context, type OptionsOf, type OptionTable, runIfMain, type Stage } from '../shared/io/stage.ts';
import { wordUnits } from '../shared/text/spell.ts';

/** Corpora of one's own speech. */
const own = Object.keys(openers) as (keyof typeof openers)[];

export const options = {
  corpus: {
    type: 'string',
    default: 'fsdd',
    choices: ['fsdd', 'speechocean762', ...own],
    describe:
      'what is at --source: fsdd makes noisy connected digits; speechocean762 is read English, as phones; the others are speech of your own, in the layout of LibriSpeech, Kaldi, Common Voice, or a plain folder',
  },
  source: { type: 'string', role: 'texts', demandOption: true, describe: 'folder of the corpus' },
  train: {
    type: 'string',
    array: true,
    belongsTo: { corpus: own },
    describe: 'own speech: parts of the corpus to train on; those whose names begin with train unless given',
  },
  dev: {
    type: 'string',
    array: true,
    belongsTo: { corpus: own },
    describe: 'own speech: parts to tune on; those that begin with dev or valid',
  },
  test: {
    type: 'string',
    array: true,
    belongsTo: { corpus: own },
    describe: 'own speech: parts to test on; those that begin with test',
  },
  'hold-out': {
    type: 'string',
    choices: ['speakers', 'utterances'],
    belongsTo: { corpus: own },
    describe:
      'own speech: what dev and test are drawn of from the training part where they are not there; speakers unless given',
  },
  'held-out-share': {
    type: 'number',
    above: 0,
    below: 0.5,
    belongsTo: { corpus: own },
    describe: 'own speech: share of the speakers, or utterances, that each of them has; 0.1 unless given',
  },
  protocol: {
    type: 'string',
    choices: ['seen', 'unseen'],
    belongsTo: { corpus: ['fsdd'] },
    describe:
      'fsdd: seen (unless given): all speakers in every split; unseen: one for the test, one for dev, the others for training',
  },
  rotation: {
    type: 'number',
    integer: true,
    min: 0,
    max: 5,
    belongsTo: { corpus: ['fsdd'], protocol: ['unseen'] },
    describe: 'unseen: which speaker is kept for the test, 0 unless given; the next one is dev',
  },
  transcribed: {
    type: 'number',
    default: 1,
    above: 0,
    max: 1,
    describe: 'share of the training utterances that keep their transcripts; the others go with the untranscribed',
  },
  units: {
    type: 'string',
    choices: ['states', ...wordUnits],
    describe:
      'fsdd, speechocean762: states of words, and silence, unless given; or words, and a blank, for --objective ctc. own speech: what words are spelled in, characters unless given',
  },
  objective: {
    type: 'string',
    choices: ['ctc', 'frame'],
    belongsTo: { corpus: own },
    describe: 'own speech: tokens for transcripts, a blank and units, unless given; or for frames, silence and states',
  },
  text: {
    type: 'string',
    choices: ['words', 'units'],
    belongsTo: { corpus: own },
    describe: 'own speech: what transcripts consist of and errors are counted in; words unless given',
  },
  states: {
    type: 'number',
    integer: true,
    min: 1,
    max: 10,
    belongsTo: { corpus: ['speechocean762', ...own] },
    describe: 'models of frames: tokens of a unit, its shortest duration in output frames; 2 unless given',
  },
  alphabet: {
    type: 'string',
    belongsTo: { corpus: own },
    describe: 'characters: all that a word may have; unless given, those of the training transcripts',
  },
  lexicon: {
    type: 'string',
    role: 'corpus',
    belongsTo: { corpus: own, units: ['lexicon'] },
    describe: 'lexicon: file of pronunciations, as the CMU dictionary or Kaldi has them: word phone phone …',
  },
  'strip-stress': {
    type: 'boolean',
    default: false,
    belongsTo: { corpus: own, units: ['lexicon'] },
    describe: 'lexicon: AH0, AH1 and AH2 are one phone',
  },
  tokenizer: {
    type: 'string',
    role: 'corpus',
    belongsTo: { corpus: own, units: ['pieces'] },
    describe: 'pieces: a tokenizer.json with ▁ at the beginning of words, see pipelines/corpora/train_tokenizer.py',
  },
  case: {
    type: 'string',
    default: 'keep',
    choices: ['keep', 'lower', 'upper'],
    belongsTo: { corpus: own },
    describe: 'own speech: of transcripts, and of the words of a lexicon',
  },
  punctuation: {
    type: 'string',
    default: 'keep',
    choices: ['keep', 'remove'],
    belongsTo: { corpus: own },
    describe:
      'own speech: remove takes punctuation and symbols off, all but apostrophes within words; dashes part words',
  },
  seed: {
    type: 'number',
    default: 0,
    integer: true,
    min: 0,
    describe: 'of strings, pauses, noise, and of what is put away or held out',
  },
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options>;

export async function run(options: Options, context: Context) {
  checkStates(options);
  const { corpus } = options;
  if (corpus === 'fsdd' || corpus === 'speechocean762') return prepareKnown({ ...options, corpus }, context);
  const { units = 'characters', objective = 'ctc', text = 'words', states = 2 } = options;
  checkUnits(units, { ...options, objective });
  const holdOut = { by: options.holdOut ?? 'speakers', share: options.heldOutShare ?? 0.1, seed: options.seed };
  return writeCorpus({ ...options, corpus, holdOut, units, objective, text, states }, context);
}

async function prepareKnown(
  options: Options & { corpus: 'fsdd' | 'speechocean762' },
  { out, progress, breathe }: Context,
) {
  const { corpus, source, protocol = 'seen', rotation = 0, transcribed, states = 2, seed } = options;
  const { units = 'states' } = options;
  if (units !== 'states' && units !== 'words')
    throw new UsageError(`--units ${units} belongs to --corpus ${own.join(', ')}; ${corpus} has states or words`);
  const parts =
    corpus === 'fsdd'
      ? writeNoisyDigits(out, { source, protocol, rotation, transcribed, units, seed })
      : writeSpeechocean762(out, { source, out: options.out, transcribed, units, states, seed });
  const splits: Record<string, object> = {};
  progress.start('writing');
  for await (const { name, ...counts } of parts) {
    splits[name] = counts;
    progress.advance();
    await breathe();
  }
  return { splits, ...(corpus === 'fsdd' && { sampleRateHz }) };
}

function checkStates({ units, states, objective }: Options): void {
  if (units === 'words' && states !== undefined && objective !== 'frame')
    throw new UsageError('--states belongs to --units states: a whole word is one token; leave it out');
}

/** @throws {UsageError} for units that lack their file, or have what is of others */
function checkUnits(
  units: NonNullable<Options['units']>,
  { alphabet, lexicon, tokenizer, states, objective }: Options,
): asserts units is (typeof wordUnits)[number] {
  if (units === 'states')
    throw new UsageError('--units states belongs to fsdd and speechocean762; use --units words --objective frame');
  if (objective === 'ctc' && states !== undefined)
    throw new UsageError('--states belongs to --objective frame: with ctc a unit is one token; leave it out');
  if (units === 'pieces' && objective === 'frame')
    throw new UsageError('--units pieces are no sounds that have frames; use --objective ctc, or other units');
  if (units === 'lexicon' && !lexicon) throw new UsageError('--units lexicon needs --lexicon FILE');
  if (units === 'pieces' && !tokenizer) throw new UsageError('--units pieces needs --tokenizer FILE');
  if (alphabet !== undefined && units !== 'characters')
    throw new UsageError('--alphabet belongs to --units characters; leave it out');
}

export const stage = {
  name: 'prepare_corpus',
  version: 1,
  summary: 'a corpus → Kaldi data directories: train, untranscribed, dev and test',
  examples: [
    '$0 --source data/fsdd --out exp/digits/seen/data',
    '$0 --source data/fsdd --protocol unseen --rotation 3 --out exp/digits/unseen-3/data',
    '$0 --source data/fsdd --units words --out exp/digits-ctc/seen/data',
    '$0 --corpus speechocean762 --source ~/corpora/speechocean762 --out exp/speechocean762/official/data',
    '$0 --corpus librispeech --source ~/corpora/LibriSpeech --train train-clean-100 --dev dev-clean --test test-clean --out exp/librispeech/data',
    '$0 --corpus kaldi --source data --train train_960 --dev dev_clean --test test_clean --units lexicon --lexicon lexicon.txt --objective frame --out exp/kaldi/data',
    '$0 --corpus folder --source ~/recordings --case lower --punctuation remove --hold-out utterances --out exp/mine/data',
  ],
  options,
  run,
  skips: true,
} satisfies Stage;

await runIfMain(import.meta, stage);
