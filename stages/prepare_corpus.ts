import { UsageError } from '../shared/io/errors.ts';
import { sampleRateHz } from '../shared/io/fsdd.ts';
import { writeNoisyDigits } from '../shared/io/noisy_digits.ts';
import { writeSpeechocean762 } from '../shared/io/speechocean762.ts';
import { type Context, type OptionsOf, type OptionTable, runIfMain, type Stage } from '../shared/io/stage.ts';
import { units } from '../shared/text/units.ts';

export const options = {
  corpus: {
    type: 'string',
    default: 'fsdd',
    choices: ['fsdd', 'speechocean762'],
    describe: 'what is at --source: fsdd makes noisy connected digits; speechocean762 is read English, as phones',
  },
  source: { type: 'string', role: 'corpus', demandOption: true, describe: 'folder of the corpus' },
  protocol: {
    type: 'string',
    choices: ['seen', 'unseen'],
    describe:
      'fsdd: seen (unless given): all speakers in every split; unseen: one for the test, one for dev, the others for training',
  },
  rotation: {
    type: 'number',
    integer: true,
    min: 0,
    max: 5,
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
    default: 'states',
    choices: units,
    describe: 'what tokens stand for: states of words, and silence; or whole words, and a blank, for --objective ctc',
  },
  states: {
    type: 'number',
    integer: true,
    min: 1,
    max: 10,
    describe: 'speechocean762: tokens of a phone, its shortest duration in output frames; 2 unless given',
  },
  seed: {
    type: 'number',
    default: 0,
    integer: true,
    min: 0,
    describe: 'of strings, pauses, noise, and of what is put away',
  },
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options>;

/** Options that only one corpus has. */
const belongTo = {
  protocol: 'fsdd',
  rotation: 'fsdd',
  states: 'speechocean762',
} as const;

export async function run(options: Options, { out, progress, breathe }: Context) {
  checkOptions(options);
  const { corpus, source, protocol = 'seen', rotation = 0, transcribed, units, states = 2, seed } = options;
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

function checkOptions(options: Options): void {
  for (const [flag, corpus] of Object.entries(belongTo) as [keyof typeof belongTo, string][]) {
    if (options[flag] !== undefined && options.corpus !== corpus)
      throw new UsageError(`--${flag} belongs to --corpus ${corpus}; leave it out`);
  }
  if (options.units === 'words' && options.states !== undefined)
    throw new UsageError('--states belongs to --units states: a whole word is one token; leave it out');
  if (options.corpus === 'fsdd' && options.protocol !== 'unseen' && options.rotation) {
    throw new UsageError(`--rotation ${options.rotation} has no meaning with --protocol seen; use --protocol unseen`);
  }
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
  ],
  options,
  run,
} satisfies Stage;

await runIfMain(import.meta, stage);
