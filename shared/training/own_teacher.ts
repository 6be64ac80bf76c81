import type { Engine } from '../engine/engine.ts';
import { keyOf } from '../io/digest.ts';
import type { InputFolder } from '../io/report_file.ts';
import { fastCombine } from '../math/kernels/fast_combine.ts';
import { outputFrameCount } from '../math/splice.ts';
import { openAcousticModel } from './acoustic_model.ts';
import { type CrossFitGroup, crossFitGroups } from './cross_fit.ts';
import { type FeatureSource, findFeatures } from './feature_source.ts';
import { featureMisfit, type Model } from './model_folder.ts';
import type { Teacher } from './teacher.ts';
import { tokensOf } from './teacher_description.ts';

/** A folder of train_student, read. */
export interface OwnModel {
  folder: InputFolder;
  model: Model;
}

/**
 * A model of ours as a teacher.
 *
 * @throws {InputError} when no features are of the kind it was trained on
 */
export function openOwnTeacher(
  engine: Engine,
  { folder, model }: OwnModel,
  sources: readonly FeatureSource[],
): Teacher {
  const { path, id, report } = folder;
  const features = findFeatures(`model ${path}`, sources, {
    misfit: (metadata) => featureMisfit(model, metadata),
    remedy: 'extract them with the same options',
  });
  const acoustic = openAcousticModel(engine, model);
  const { objective, prior, selfLoop, outputFrameShiftMs, firstFrameCentreMs, architecture } = model;
  return {
    ...{ path, name: path, id, objective, prior, selfLoop },
    ...tokensOf(model.tokensText, path),
    tokenRules: {},
    shiftMs: outputFrameShiftMs,
    firstCentreMs: firstFrameCentreMs,
    about: { parameters: report.parameters, modelBytes: report.modelBytes },
    answer: async (utterance) => acoustic.logPosteriors((await features.rowOf(utterance)).features as Float32Array),
    framesOf: async (utterance) => outputFrameCount((await features.rowOf(utterance)).frames, architecture.stride),
    close: async () => acoustic.dispose(),
  };
}

/**
 * Models of one architecture that left out one fold each, as one teacher: an utterance is answered by the one that did not
 * see it, any other by the mean posterior of all.
 *
 * @param models of the teachers, in their order
 * @param utterances to be answered, for the counts of the report
 * @throws {InputError} as `crossFitGroups`
 */
export function crossFitTeachers(
  teachers: readonly Teacher[],
  models: readonly OwnModel[],
  utterances: readonly string[],
): { teacher: Teacher; first: number }[] {
  const groups = crossFitGroups(models.map(({ folder, model }) => ({ ...model, path: folder.path })));
  return groups.map((group) => ({
    teacher: teacherOfGroup(
      group.members.map((i) => teachers[i]!),
      group,
      utterances,
    ),
    first: Math.min(...group.members),
  }));
}

function teacherOfGroup(
  members: readonly Teacher[],
  { by, foldOf }: CrossFitGroup,
  utterances: readonly string[],
): Teacher {
  const first = members[0]!;
  const meanOf = (key: 'prior' | 'selfLoop'): number[] | undefined =>
    first[key]?.map((_, token) => members.reduce((sum, member) => sum + member[key]![token]!, 0) / members.length);
  const sumOf = (key: string): number => members.reduce((sum, { about }) => sum + (about[key] as number), 0);
  const byOne = utterances.filter((utterance) => foldOf.has(utterance)).length;
  return {
    ...first,
    path: members.map(({ path }) => path).join(' + '),
    name: members.map(({ name }) => name).join(' + '),
    id: keyOf(members.map(({ id }) => id)),
    prior: meanOf('prior'),
    selfLoop: meanOf('selfLoop'),
    about: {
      parameters: sumOf('parameters'),
      modelBytes: sumOf('modelBytes'),
      crossFit: {
        ...{ folds: members.length, by },
        members: members.map(({ path, id }, fold) => ({ fold, path, id })),
        utterancesByOne: byOne,
        utterancesByMean: utterances.length - byOne,
      },
    },
    async answer(utterance) {
      const fold = foldOf.get(utterance);
      if (fold !== undefined) return members[fold]!.answer(utterance);
      const answers: Float32Array[] = [];
      for (const member of members) answers.push(await member.answer(utterance));
      return fastCombine(answers, { vocabularySize: first.tokens.symbols.length, rule: 'linear' });
    },
    async close() {
      for (const member of members) await member.close();
    },
  };
}
