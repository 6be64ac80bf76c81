import type { Engine } from '../shared/engine/engine.ts';
import { openEngine } from '../shared/engine/open_engine.ts';
import { keyOf, tokensDigest } from '../shared/io/digest.ts';
import { InputError } from '../shared/io/errors.ts';
import type { InputFolder } from '../shared/io/report_file.ts';
import {
  type Context,
  type OptionsOf,
  type OptionTable,
  runIfMain,
  type Stage,
  toolkitVersion,
} from '../shared/io/stage.ts';
import { openUtterances, type Row } from '../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../shared/io/utterance_writer.ts';
import { fastCombine } from '../shared/math/kernels/fast_combine.ts';
import { type CrossFitGroup, crossFitGroups } from '../shared/training/cross_fit.ts';
import { checkFeatures, type Model, readModel } from '../shared/training/model_folder.ts';
import { openAcousticModel } from '../shared/training/network_input.ts';

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
} as const satisfies OptionTable;

export async function run(
  { features: path, teacher, crossFit }: OptionsOf<typeof options>,
  { id, inputs, out, engine, progress, breathe }: Context<Engine>,
) {
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
  const writer = createUtteranceWriter(out.createFile('part-00000-of-00001.arrow'), {
    columns: Object.fromEntries(teachers.map((_, i) => [`logPosteriors_${i}`, 'list<float16>' as const])),
    metadata: {
      'kd.format': 'logits',
      'kd.version': '1',
      'kd.id': id,
      'kd.objective': objective,
      'kd.tokens': tokensDigest(tokensText),
      'kd.vocabularySize': String(vocabularySize),
      'kd.frameShiftMs': String(outputFrameShiftMs),
      'kd.firstFrameCentreMs': String(firstFrameCentreMs),
      'kd.sampleRateHz': features.metadata['kd.sampleRateHz'] ?? '',
      'kd.teachers': JSON.stringify(teachers.map((one) => describeTeacher(one, models, inputs.teacher!).id)),
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
  progress.start('caching', features.utterances.length);
  for await (const { utterance, features: input } of features.rows()) {
    const posteriors = teachers.map(({ members, foldOf }) => {
      const fold = foldOf?.get(utterance);
      const asked = fold === undefined ? members : [members[fold]!];
      const answers = asked.map((i) => answerOf(i, utterance, input as Float32Array));
      return answers.length === 1 ? answers[0]! : fastCombine(answers, { vocabularySize, rule: 'linear' });
    });
    const row: Row = { utterance, frames: posteriors[0]!.length / vocabularySize };
    writer.append({
      ...row,
      ...Object.fromEntries(posteriors.map((values, i) => [`logPosteriors_${i}`, values])),
    } as Row);
    frames += row.frames;
    progress.advance();
    await breathe();
  }
  writer.close();
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
    teachers: teachers.map((one) => ({
      ...describeTeacher(one, models, inputs.teacher!),
      ...(one.foldOf && { crossFit: describeGroup(one as CrossFitGroup, inputs.teacher!, features.utterances) }),
    })),
  };
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
  summary: 'what each teacher says of each frame: log-posteriors at temperature 1, one column a teacher',
  examples: [
    '$0 --features exp/features/train --teacher exp/model/t1 exp/model/t2 --out exp/logits/train',
    '$0 --features exp/features/train --teacher exp/model/fold0 exp/model/fold1 --cross-fit --out exp/logits/train',
  ],
  options,
  run,
  engine: openEngine,
} satisfies Stage;

await runIfMain(import.meta, stage);
