import type { Engine } from '../shared/engine/engine.ts';
import { openEngine } from '../shared/engine/open_engine.ts';
import { compressions, openCompression } from '../shared/io/compression.ts';
import { keyOf, tokensDigest } from '../shared/io/digest.ts';
import { InputError, UsageError } from '../shared/io/errors.ts';
import { withSums } from '../shared/io/parts.ts';
import type { InputFolder } from '../shared/io/report_file.ts';
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
import { fastCombine } from '../shared/math/kernels/fast_combine.ts';
import { type CrossFitGroup, crossFitGroups } from '../shared/training/cross_fit.ts';
import {
  type CachePlace,
  createDenseCache,
  createSparseCaches,
  figuresOfCache,
  type LogitsCache,
} from '../shared/training/logits_cache.ts';
import { checkFeatures, type Model, readModel } from '../shared/training/model_folder.ts';
import { namedCombinations } from '../shared/training/named_combinations.ts';
import { openAcousticModel } from '../shared/training/network_input.ts';
import { readTunedTeachers } from '../shared/training/tuned_teachers.ts';

export const options = {
  features: { type: 'string', role: 'input', demandOption: true, describe: 'folder of extract_features' },
  teacher: {
    type: 'string',
    array: true,
    role: 'input',
    demandOption: true,
    describe: 'folders of train_student, one a teacher',
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
  const { features: path, teacher, crossFit } = given;
  const models = teacher.map(readModel);
  const features = await openUtterances(path, { format: 'features' });
  models.forEach((model, i) => {
    checkFeatures(model, teacher[i]!, features);
    checkSameOutput(models[0]!, teacher[0]!, model, teacher[i]!);
  });
  const teachers: Teacher[] = crossFit
    ? crossFitGroups(models.map((model, i) => ({ ...model, path: teacher[i]! })))
    : models.map((_, i) => ({ members: [i] }));
  const [{ tokensText, objective, outputFrameShiftMs, firstFrameCentreMs, architecture }] = models as [Model];
  const { tokens: vocabularySize } = architecture;
  if (given.compress) await openCompression();
  const described = teachers.map((one) => describeTeacher(one, models, inputs.teacher!));
  const cache = await createCache(given, inputs, {
    ...{ out, part: tableName(shard), compression: given.compress, vocabularySize },
    ...{ utterances: features, ids: described.map(({ id }) => id), hasBlank: objective === 'ctc' },
    metadata: {
      'kd.id': id,
      'kd.objective': objective,
      'kd.tokens': tokensDigest(tokensText),
      'kd.frameShiftMs': String(outputFrameShiftMs),
      'kd.firstFrameCentreMs': String(firstFrameCentreMs),
      'kd.sampleRateHz': features.metadata['kd.sampleRateHz'] ?? '',
      'kd.teachers': JSON.stringify(described.map(({ id }) => id)),
      'kd.toolkit': toolkitVersion(),
    },
  });
  const acoustic = models.map((model) => openAcousticModel(engine, model));
  const answerOf = (i: number, utterance: string, input: Float32Array): Float32Array => {
    const values = acoustic[i]!.logPosteriors(input);
    const wrong = values.findIndex(Number.isNaN);
    if (wrong < 0) return values;
    throw new InputError(
      `Cannot cache utterance "${utterance}": teacher ${teacher[i]} answers NaN in frame ${Math.floor(wrong / vocabularySize)}; check ${path}, or train the teacher again`,
    );
  };
  let frames = 0;
  progress.start('caching', shareOf(features.utterances, shard).length);
  for await (const { utterance, features: input } of features.rows(shard)) {
    const posteriors = teachers.map(({ members, foldOf }) => {
      const fold = foldOf?.get(utterance);
      const asked = fold === undefined ? members : [members[fold]!];
      const answers = asked.map((i) => answerOf(i, utterance, input as Float32Array));
      return answers.length === 1 ? answers[0]! : fastCombine(answers, { vocabularySize, rule: 'linear' });
    });
    await cache.append(utterance, posteriors);
    frames += posteriors[0]!.length / vocabularySize;
    progress.advance();
    await breathe();
  }
  await cache.close();
  out.writeText('tokens.txt', tokensText);
  for (const model of acoustic) model.dispose();
  await features.close();
  return {
    utterances: features.utterances.length,
    frames,
    vocabularySize,
    objective,
    outputFrameShiftMs,
    firstFrameCentreMs,
    tokensDigest: tokensDigest(tokensText),
    cache: cache.counted(),
    teachers: teachers.map((one, i) => ({
      ...described[i]!,
      ...(one.foldOf && { crossFit: describeGroup(one as CrossFitGroup, inputs.teacher!, features.utterances) }),
    })),
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

/** One column: a model, or those of a cross-fit. */
type Teacher = Pick<CrossFitGroup, 'members'> & Partial<CrossFitGroup>;

/** What decoding needs of a teacher, and its size; of several models, means and sums. */
function describeTeacher({ members }: Teacher, models: readonly Model[], inputs: readonly InputFolder[]) {
  const folders = members.map((i) => inputs[i]!);
  const meanOf = (key: 'prior' | 'selfLoop'): number[] | undefined =>
    models[members[0]!]![key]?.map(
      (_, token) => members.reduce((sum, i) => sum + models[i]![key]![token]!, 0) / members.length,
    );
  const sumOf = (key: 'parameters' | 'modelBytes'): number =>
    folders.reduce((sum, { report }) => sum + (report[key] as number), 0);
  return {
    name: folders.map(({ path }) => path).join(' + '),
    id: folders.length === 1 ? folders[0]!.id : keyOf(folders.map(({ id }) => id)),
    parameters: sumOf('parameters'),
    modelBytes: sumOf('modelBytes'),
    prior: meanOf('prior'),
    selfLoop: meanOf('selfLoop'),
  };
}

/** Which models a cross-fit is of, and how many utterances it answered by one that had not seen them, or by all. */
function describeGroup(
  { members, by, foldOf }: CrossFitGroup,
  inputs: readonly InputFolder[],
  utterances: readonly string[],
) {
  const byOne = utterances.filter((utterance) => foldOf.has(utterance)).length;
  return {
    folds: members.length,
    by,
    members: members.map((i, fold) => ({ fold, path: inputs[i]!.path, id: inputs[i]!.id })),
    utterancesByOne: byOne,
    utterancesByMean: utterances.length - byOne,
  };
}

function checkSameOutput(a: Model, aPath: string, b: Model, bPath: string): void {
  const differing = [
    a.objective !== b.objective && `objective (${a.objective} and ${b.objective})`,
    a.tokensText !== b.tokensText && 'tokens.txt',
    a.outputFrameShiftMs !== b.outputFrameShiftMs &&
      `frame shift (${a.outputFrameShiftMs} and ${b.outputFrameShiftMs} ms)`,
    a.firstFrameCentreMs !== b.firstFrameCentreMs &&
      `first frame (${a.firstFrameCentreMs} and ${b.firstFrameCentreMs} ms)`,
  ].filter(Boolean);
  if (differing.length > 0) {
    throw new InputError(
      `Cannot put ${aPath} and ${bPath} into one ensemble: they differ in ${differing.join(', ')}; take teachers of one kind`,
    );
  }
}

export const stage = {
  name: 'cache_logits',
  version: 1,
  summary:
    'what each teacher says of each frame, log-posteriors at temperature 1; or the best tokens of what they say together',
  examples: [
    '$0 --features exp/features/train --teacher exp/model/t1 exp/model/t2 --out exp/logits/train',
    '$0 --features exp/features/train --teacher exp/model/fold0 exp/model/fold1 --cross-fit --out exp/logits/train',
    '$0 --features exp/features/train --teacher exp/model/t1 exp/model/t2 --format sparse --combine mean=linear sure=best --k 16 --temperatures 2,4 --out exp/sparse/train',
  ],
  options,
  run,
  figures,
  engine: openEngine,
} satisfies Stage;

await runIfMain(import.meta, stage);
