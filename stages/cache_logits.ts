import type { Engine } from '../shared/engine/engine.ts';
import { openEngine } from '../shared/engine/open_engine.ts';
import { compressions, openCompression } from '../shared/io/compression.ts';
import { tokensDigest } from '../shared/io/digest.ts';
import { UsageError } from '../shared/io/errors.ts';
import { withSums } from '../shared/io/parts.ts';
import { shareOf, tableName } from '../shared/io/shard.ts';
import {
  type Context,
  type OptionsOf,
  type OptionTable,
  runIfMain,
  type Stage,
  toolkitVersion,
} from '../shared/io/stage.ts';
import { checkMetadataEqual, openUtterances, sharedUtterances } from '../shared/io/utterance_table.ts';
import { frameRules } from '../shared/math/align_frames.ts';
import { openEnsemble } from '../shared/training/ensemble.ts';
import {
  type CachePlace,
  createDenseCache,
  createSparseCaches,
  figuresOfCache,
  type LogitsCache,
} from '../shared/training/logits_cache.ts';
import { namedCombinations } from '../shared/training/named_combinations.ts';
import { openTeacherFolder } from '../shared/training/teacher_description.ts';
import { readTunedTeachers } from '../shared/training/tuned_teachers.ts';

export const options = {
  features: {
    type: 'string',
    array: true,
    role: 'input',
    demandOption: true,
    describe:
      'folders of extract_features; each teacher takes the first that fits it, utterances are those of the first',
  },
  teacher: {
    type: 'string',
    array: true,
    role: 'input',
    open: openTeacherFolder,
    demandOption: true,
    describe:
      'teachers: folders of train_student, folders of cache_logits, or teachers made elsewhere, each a folder with a teacher.json or such a file (see shared/training/FORMATS.md)',
  },
  like: {
    type: 'string',
    role: 'input',
    describe:
      'folder of train_student whose tokens, frames and features a student will have; the first teacher that is ours unless given',
  },
  frames: {
    type: 'string',
    default: 'nearest',
    choices: frameRules,
    describe:
      'where the frames of a teacher lie elsewhere: the one nearest in time, or posteriors between the two around',
  },
  utt2spk: {
    type: 'string',
    role: 'corpus',
    describe: "Kaldi's file of speakers, for teachers that want features normalised over a speaker",
  },
  'cross-fit': {
    type: 'boolean',
    default: false,
    describe:
      'models of one architecture that left out one fold each (train_student --folds) are one teacher: an utterance is answered by the one that did not see it, any other by the mean posterior of all',
  },
  format: {
    type: 'string',
    choices: ['dense', 'sparse'],
    describe:
      'dense: all tokens of each teacher, for filter_targets to combine; sparse: the best tokens of combinations made here; dense up to 512 tokens unless given',
  },
  combine: {
    type: 'string',
    array: true,
    describe:
      'sparse: NAME=RULE, one cache each: linear, geometric, best (the surest teacher of each utterance), weighted (as tuned), or linear:W,W,… with weights; linear unless given',
  },
  combination: {
    type: 'string',
    role: 'input',
    describe: "sparse: folder of filter_targets --tune, to take the teachers' own temperatures and weights from",
  },
  k: { type: 'number', integer: true, min: 1, max: 65536, describe: 'sparse: tokens a frame; 16 unless given' },
  temperatures: {
    type: 'numbers',
    above: 0,
    describe: 'sparse: what filter_targets may ask for as --temperature, beside 1',
  },
  alignment: {
    type: 'string',
    role: 'input',
    describe: 'sparse: folder of align_labels, to keep the posterior of the hard label, among the best or not',
  },
  compress: {
    type: 'string',
    choices: compressions,
    describe: 'columns of the Arrow files; not compressed unless given',
  },
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options>;

/** Up to this many tokens all of them are kept, unless asked for otherwise. */
const denseTokens = 512;
const usualK = 16;

export async function run(given: Options, { id, inputs, out, shard, engine, progress, breathe }: Context<Engine>) {
  const { features, crossFit, frames: frameRule, utt2spk } = given;
  const { teacher: teachers, like } = inputs;
  const ensemble = await openEnsemble(engine, {
    ...{ features, teachers: teachers!, like: like?.[0], crossFit, frameRule, utt2spk },
  });
  const { reference, members, utterances } = ensemble;
  const { tokensText, objective, shiftMs: outputFrameShiftMs, firstCentreMs: firstFrameCentreMs } = reference;
  const vocabularySize = reference.tokens.symbols.length;
  if (given.compress) await openCompression();
  const cache = await createCache(given, inputs, {
    ...{ out, part: tableName(shard), compression: given.compress, vocabularySize },
    ...{
      utterances: { path: features[0]!, utterances },
      ids: members.map(({ id }) => id),
      hasBlank: objective === 'ctc',
    },
    metadata: {
      'kd.id': id,
      'kd.objective': objective,
      'kd.tokens': tokensDigest(tokensText),
      'kd.frameShiftMs': String(outputFrameShiftMs),
      'kd.firstFrameCentreMs': String(firstFrameCentreMs),
      'kd.sampleRateHz': ensemble.sampleRateHz,
      'kd.teachers': JSON.stringify(members.map(({ id }) => id)),
      'kd.toolkit': toolkitVersion(),
    },
  });
  let frames = 0;
  const share = shareOf(utterances, shard);
  progress.start('caching', share.length);
  for (const utterance of share) {
    const posteriors: Float32Array[] = [];
    for (const member of members) posteriors.push(await member.answer(utterance));
    await cache.append(utterance, posteriors);
    frames += posteriors[0]!.length / vocabularySize;
    progress.advance();
    await breathe();
  }
  await cache.close();
  out.writeText('tokens.txt', tokensText);
  await ensemble.close();
  return {
    utterances: utterances.length,
    frames,
    vocabularySize,
    objective,
    outputFrameShiftMs,
    firstFrameCentreMs,
    tokensDigest: tokensDigest(tokensText),
    cache: cache.counted(),
    reference: reference.path,
    teachers: members.map(({ report }) => report),
  };
}

/** The figures of all parts. */
function figures(parts: Awaited<ReturnType<typeof run>>[]) {
  const { teachers, ...all } = withSums(
    parts.map(({ cache: _, ...known }) => known),
    ['frames'],
  );
  return { ...all, ...figuresOfCache(parts.map(({ cache }) => cache)), teachers };
}

interface Surroundings extends CachePlace {
  utterances: { path: string; utterances: readonly string[] };
  /** Of the teachers. */
  ids: readonly string[];
  hasBlank: boolean;
}

/** @throws {UsageError} when options of a sparse cache are given for a dense one, or do not fit */
async function createCache(
  given: Options,
  inputs: Context['inputs'],
  { utterances, ids, hasBlank, ...place }: Surroundings,
): Promise<LogitsCache> {
  const { vocabularySize } = place;
  const format = given.format ?? (vocabularySize > denseTokens ? 'sparse' : 'dense');
  if (format === 'dense') {
    const ofSparse = (['combine', 'combination', 'k', 'temperatures', 'alignment'] as const).find(
      (flag) => given[flag],
    );
    if (ofSparse) {
      throw new UsageError(
        `--${ofSparse} belongs to --format sparse, and this cache of ${vocabularySize} tokens is dense: give it, or leave --${ofSparse} to filter_targets`,
      );
    }
    return createDenseCache(place, ids.length);
  }
  const { k = Math.min(usualK, vocabularySize), temperatures = [] } = given;
  if (k > vocabularySize) throw new UsageError(`--k ${k} is more than the ${vocabularySize} tokens there are`);
  if (given.alignment && hasBlank) {
    throw new UsageError(
      '--alignment gives the hard label of each frame, and teachers of --objective ctc have none: leave it out',
    );
  }
  const tuned = inputs.combination ? readTunedTeachers(inputs.combination[0]!, ids) : undefined;
  return createSparseCaches(place, {
    ...{ k, hasBlank, teachers: ids.length },
    temperatures: [...new Set([1, ...[...temperatures].sort((a, b) => a - b)])],
    combinations: namedCombinations(given.combine ?? ['linear'], { teachers: ids.length, tuned }),
    alignment: given.alignment
      ? await openLabels(given.alignment, inputs.alignment![0]!.id, place, utterances)
      : undefined,
  });
}

async function openLabels(path: string, id: string, { metadata }: CachePlace, utterances: Surroundings['utterances']) {
  const table = await openUtterances(path, { format: 'alignment' });
  checkMetadataEqual({ path: utterances.path, metadata }, table, ['kd.tokens']);
  sharedUtterances(utterances, table, 'hard labels');
  return { table, id };
}

export const stage = {
  name: 'cache_logits',
  version: 1,
  summary:
    'what each teacher says of each frame, log-posteriors at temperature 1; or the best tokens of what they say together',
  examples: [
    '$0 --features exp/features/train --teacher exp/model/t1 exp/model/t2 --out exp/logits/train',
    '$0 --features exp/features/train --teacher exp/model/fold0 exp/model/fold1 --cross-fit --out exp/logits/train',
    '$0 --features exp/features/train exp/features80/train --teacher exp/model/t1 their/model --utt2spk exp/data/train/utt2spk --out exp/logits/train',
    '$0 --features exp/features/train --teacher exp/model/t1 exp/model/t2 --format sparse --combine mean=linear sure=best --k 16 --temperatures 2,4 --out exp/sparse/train',
  ],
  options,
  run,
  figures,
  engine: openEngine,
} satisfies Stage;

await runIfMain(import.meta, stage);
