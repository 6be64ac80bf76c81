import type { Engine } from '../engine/engine.ts';
import { InputError, UsageError } from '../io/errors.ts';
import type { InputFolder } from '../io/report_file.ts';
import { openUtterances, sharedUtterances } from '../io/utterance_table.ts';
import {
  alignFrames,
  centreMs,
  type FrameGrid,
  type FrameRule,
  isSameGrid,
  reachBeyondMs,
} from '../math/align_frames.ts';
import { createTokenMap } from '../math/map_tokens.ts';
import { openCachedTeachers } from './cached_teacher.ts';
import { createFeatureSource, type FeatureSource } from './feature_source.ts';
import { openForeignTeacher } from './foreign_teacher.ts';
import { readModel } from './model_folder.ts';
import { crossFitTeachers, type OwnModel, openOwnTeacher } from './own_teacher.ts';
import type { Teacher } from './teacher.ts';
import { isDescribed } from './teacher_description.ts';
import { carriedOver, tokenShares } from './token_shares.ts';

/** A teacher of ours, whose tokens and frames are those of the ensemble. */
type Reference = Teacher & Required<Pick<Teacher, 'framesOf' | 'prior'>>;

/** A teacher in an ensemble. */
export interface Member {
  id: string;
  /** What decoding needs of it, its size and origin, and what became of its tokens and frames. */
  report: Record<string, unknown>;
  /**
   * Log-posteriors over the tokens and on the frames of the ensemble, nats [frames × tokens].
   *
   * @throws {InputError} when its frames do not cover the time of the ensemble's, or a frame has no distribution
   */
  answer(utterance: string): Promise<Float32Array>;
}

export interface Ensemble {
  /** What has its tokens and frames. */
  reference: Reference;
  members: Member[];
  /** Those of the first folder of features, in its order. */
  utterances: readonly string[];
  sampleRateHz: string;
  close(): Promise<void>;
}

export interface EnsembleOptions {
  features: readonly string[];
  teachers: readonly InputFolder[];
  /** A model of ours whose tokens and frames count; without it those of the first teacher that is ours do. */
  like?: InputFolder;
  crossFit: boolean;
  frameRule: FrameRule;
  /** Kaldi's file of speakers, for teachers that want features normalised over them. */
  utt2spk?: string;
}

/**
 * Opens teachers of any origin and puts them onto the tokens and frames of one of ours.
 *
 * @throws {UsageError} when none of them is ours and none is named, or one is there twice
 * @throws {InputError} when they do not fit each other or the features
 */
export async function openEnsemble(engine: Engine, given: EnsembleOptions): Promise<Ensemble> {
  const sources: FeatureSource[] = [];
  for (const path of given.features)
    sources.push(createFeatureSource(await openUtterances(path, { format: 'features' })));
  const [{ table: listed }] = sources as [FeatureSource];
  for (const { table } of sources) sharedUtterances(listed, table, 'features');
  const teachers = await openTeachers(engine, given, sources);
  checkTeachersDiffer(teachers);
  const like = given.like && openOwnTeacher(engine, { folder: given.like, model: readModel(given.like.path) }, sources);
  const reference = like ?? teachers.find(({ framesOf }) => framesOf);
  if (!isReference(reference)) {
    throw new UsageError(
      'No teacher is ours, so nothing says which tokens and frames a student has: name a model of ours with --like, such as the aligner',
    );
  }
  return {
    reference,
    members: teachers.map((teacher) => memberOf(teacher, reference, given.frameRule)),
    utterances: listed.utterances,
    sampleRateHz: listed.metadata['kd.sampleRateHz'] ?? '',
    async close() {
      for (const teacher of [...teachers, ...(like ? [like] : [])]) await teacher.close();
      for (const { table } of sources) await table.close();
    },
  };
}

/** The same teacher twice would have two voices, and its ensemble no other opinion. */
function checkTeachersDiffer(teachers: readonly Teacher[]): void {
  const known = new Map<string, string>();
  for (const { id, path } of teachers) {
    const other = known.get(id);
    if (other !== undefined) {
      throw new UsageError(
        `--teacher names one teacher twice, as ${other === path ? path : `${other} and ${path}`}: name it once`,
      );
    }
    known.set(id, path);
  }
}

const isReference = (teacher: Teacher | undefined): teacher is Reference =>
  teacher?.framesOf !== undefined && teacher.prior !== undefined;

/** All teachers in the order given; models of a cross-fit in the place of the first. */
async function openTeachers(
  engine: Engine,
  { teachers: folders, crossFit, utt2spk }: EnsembleOptions,
  sources: readonly FeatureSource[],
): Promise<Teacher[]> {
  const listed = sources[0]!.table;
  const placed: { place: number; teacher: Teacher }[] = [];
  const models: (OwnModel & { place: number })[] = [];
  for (const [place, folder] of folders.entries()) {
    if (isDescribed(folder.path)) {
      placed.push({ place, teacher: await openForeignTeacher(folder, { engine, sources, listed, utt2spk }) });
    } else if (folder.report.stage === 'cache_logits') {
      for (const teacher of await openCachedTeachers(folder, listed)) placed.push({ place, teacher });
    } else models.push({ place, folder, model: readModel(folder.path) });
  }
  const own = models.map((model) => openOwnTeacher(engine, model, sources));
  if (crossFit) {
    for (const { first, teacher } of crossFitTeachers(own, models, listed.utterances))
      placed.push({ place: models[first]!.place, teacher });
  } else placed.push(...own.map((teacher, i) => ({ place: models[i]!.place, teacher })));
  return placed.sort((a, b) => a.place - b.place).map(({ teacher }) => teacher);
}

/** A teacher on the tokens and frames of another one. */
function memberOf(teacher: Teacher, reference: Reference, rule: FrameRule): Member {
  const sides = `Cannot put ${reference.path} and ${teacher.path} into one ensemble`;
  if (teacher.objective !== reference.objective) {
    throw new InputError(
      `${sides}: they differ in objective (${reference.objective} and ${teacher.objective}); take teachers of one objective`,
    );
  }
  const { prior, selfLoop, answer: inOurTokens, figures } = translate(teacher, reference);
  const isElsewhere = teacher.shiftMs !== reference.shiftMs || teacher.firstCentreMs !== reference.firstCentreMs;
  if (isElsewhere && teacher.objective === 'ctc') checkFramesOfCtc(teacher, reference, { sides, rule });
  const vocabularySize = reference.tokens.symbols.length;
  return {
    id: teacher.id,
    report: {
      ...{ name: teacher.name, id: teacher.id, ...teacher.about, prior, selfLoop, ...figures },
      ...(isElsewhere && { frames: { shiftMs: teacher.shiftMs, firstCentreMs: teacher.firstCentreMs, rule } }),
    },
    async answer(utterance) {
      const said = await inOurTokens(utterance);
      const from = { ...timesOf(teacher), frames: said.length / vocabularySize };
      const to = { ...timesOf(reference), frames: await reference.framesOf(utterance) };
      checkReach(from, to, { sides, utterance });
      return alignFrames(said, vocabularySize, { from, to, rule });
    },
  };
}

const timesOf = ({ shiftMs, firstCentreMs }: Teacher) => ({ shiftMs, firstCentreMs });

/** A teacher in the tokens of another one. */
function translate(teacher: Teacher, reference: Reference) {
  const sizes = { from: teacher.tokens.symbols.length, to: reference.tokens.symbols.length };
  const { shares, figures } = tokenShares(teacher, reference, teacher.tokenRules);
  const isSame = sizes.from === sizes.to && shares.every(({ from, to, share }) => from === to && share === 1);
  const map = isSame ? (values: Float32Array) => values : createTokenMap(shares, sizes);
  return {
    prior: priorOf(teacher, reference, shares),
    selfLoop: (isSame && teacher.selfLoop) || reference.selfLoop,
    figures: isSame ? {} : { tokens: figures },
    async answer(utterance: string): Promise<Float32Array> {
      const said = await teacher.answer(utterance);
      const refuse = (values: Float32Array, size: number, what: string): void => {
        const wrong = values.findIndex(Number.isNaN);
        if (wrong < 0) return;
        throw new InputError(
          `Cannot cache utterance "${utterance}": teacher ${teacher.path} answers ${what} in frame ${Math.floor(wrong / size)}; check its input, or train the teacher again`,
        );
      };
      refuse(said, sizes.from, 'NaN');
      const mapped = map(said);
      if (!isSame) refuse(mapped, sizes.to, 'tokens alone that are dropped');
      return mapped;
    },
  };
}

/** Mean posteriors of a teacher over our tokens; those it does not say are the reference's. */
function priorOf(
  { prior }: Teacher,
  reference: Reference,
  shares: Parameters<typeof carriedOver>[1],
): readonly number[] {
  if (!prior) return reference.prior;
  const known = carriedOver(prior, shares, reference.prior.length).map((value, i) =>
    value > 0 ? value : reference.prior[i]!,
  );
  if (known.length === prior.length && known.every((value, i) => value === prior[i])) return prior;
  const sum = known.reduce((a, b) => a + b, 0);
  return known.map((value) => value / sum);
}

/** CTC's spikes are single frames, and mean something by their order: they are not resampled. */
function checkFramesOfCtc(
  teacher: Teacher,
  reference: Reference,
  { sides, rule }: { sides: string; rule: FrameRule },
): void {
  const isSameRate = teacher.shiftMs === reference.shiftMs;
  if (
    isSameRate &&
    Math.abs(teacher.firstCentreMs - reference.firstCentreMs) < teacher.shiftMs / 2 &&
    rule === 'nearest'
  )
    return;
  throw new InputError(
    `${sides}: ${timesText(reference)} in the former and ${timesText(teacher)} in the latter, and frames of objective ctc are neither left out, doubled nor interpolated; take teachers of one frame shift, with --frames nearest`,
  );
}

const timesText = ({ shiftMs, firstCentreMs }: Teacher): string =>
  `a frame each ${shiftMs} ms from ${firstCentreMs} ms on`;

/**
 * Ends may differ by two frames of the longer kind: one that an edge cut off or mirrored makes, one of rounding. A frame
 * shift that is not what a description says makes more in all but the shortest utterances.
 */
function checkReach(from: FrameGrid, to: FrameGrid, { sides, utterance }: { sides: string; utterance: string }): void {
  if (isSameGrid(from, to)) return;
  const allowed = 2 * Math.max(from.shiftMs, to.shiftMs);
  if (Math.max(reachBeyondMs(from, to), reachBeyondMs(to, from)) <= allowed) return;
  const span = (grid: FrameGrid): string =>
    `${grid.frames} frames from ${grid.firstCentreMs} to ${centreMs(grid, grid.frames - 1)} ms`;
  throw new InputError(
    `${sides}: utterance "${utterance}" has ${span(to)} in the former and ${span(from)} in the latter; check frameShiftMs and firstFrameCentreMs, or make both from the same audio`,
  );
}
