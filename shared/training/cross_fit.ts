import { keyOf } from '../io/digest.ts';
import { InputError } from '../io/errors.ts';
import { dealFolds } from '../math/folds.ts';
import type { Source } from './batches.ts';
import type { CrossFit, Model } from './model_folder.ts';

export interface FoldOptions extends Pick<CrossFit, 'folds' | 'fold' | 'by'> {
  /** The speaker of an utterance, for folds of speakers. */
  speakerOf?: ReadonlyMap<string, string>;
}

/**
 * A source without the utterances of one fold, and which they are. Folds depend on the utterances alone: trainings of
 * another seed or kind leave out the same ones.
 *
 * @throws {InputError} when an utterance has no speaker, or there are not enough of them
 */
export function leaveOutFold(source: Source, options: FoldOptions): { source: Source; crossFit: CrossFit } {
  const { folds, fold, by, speakerOf } = options;
  const { path } = source.features;
  const nameOf = (utterance: string): string => {
    const name = by === 'utterance' ? utterance : speakerOf?.get(utterance);
    if (name === undefined)
      throw new InputError(
        `Cannot fold ${path} by speaker: the data directory has no utterance "${utterance}"; give the one that the features were made from`,
      );
    return name;
  };
  const names = new Set(source.utterances.map(nameOf));
  if (names.size < folds) {
    throw new InputError(
      `Cannot fold ${path} by ${by}: ${names.size} ${by}s do not fill ${folds} folds; lower --folds, or fold by something else`,
    );
  }
  const foldOf = dealFolds(names, folds);
  const isLeftOut = (utterance: string): boolean => foldOf.get(nameOf(utterance)) === fold;
  const all = [...source.utterances].sort();
  return {
    source: { ...source, utterances: source.utterances.filter((utterance) => !isLeftOut(utterance)) },
    crossFit: {
      ...{ folds, fold, by, utterances: all.length, utterancesDigest: keyOf(all) },
      leftOut: all.filter(isLeftOut),
    },
  };
}

/** Models that differ in the fold left out, so that one of them has not seen a given utterance of the training. */
export interface CrossFitGroup {
  /** Places of the models among those given, by fold. */
  members: number[];
  by: CrossFit['by'];
  /** The fold of each utterance of the training. */
  foldOf: Map<string, number>;
}

interface Candidate extends Pick<Model, 'architecture' | 'crossFit'> {
  path: string;
}

/**
 * Groups models of one architecture that were trained on the same utterances but for one fold each. Where there are
 * several of each fold (other seeds), the first ones make a group, then the second ones.
 *
 * @returns in the order of each group's first model
 * @throws {InputError} when a model left nothing out, or a group lacks a fold, naming it
 */
export function crossFitGroups(models: readonly Candidate[]): CrossFitGroup[] {
  /** By what they share: the places of the models of each fold. */
  const alike = new Map<string, number[][]>();
  models.forEach(({ path, architecture, crossFit }, i) => {
    if (!crossFit) {
      throw new InputError(
        `Cannot cross-fit ${path}: it was trained on all utterances; train it with --folds and --fold, or cache it without --cross-fit`,
      );
    }
    const { folds, fold, by, utterancesDigest } = crossFit;
    const key = keyOf({ architecture, folds, by, utterancesDigest });
    if (!alike.has(key))
      alike.set(
        key,
        Array.from({ length: folds }, () => []),
      );
    alike.get(key)![fold]!.push(i);
  });
  const groups = [...alike.values()].flatMap((ofFold) => {
    const count = Math.max(...ofFold.map(({ length }) => length));
    return Array.from({ length: count }, (_, n) =>
      groupOf(
        models,
        ofFold.map((places) => places[n]),
      ),
    );
  });
  return groups.sort((a, b) => Math.min(...a.members) - Math.min(...b.members));
}

function groupOf(models: readonly Candidate[], members: readonly (number | undefined)[]): CrossFitGroup {
  const folds = members.length;
  const missing = members.flatMap((member, fold) => (member === undefined ? [fold] : []));
  const present = members.filter((member) => member !== undefined);
  const paths = present.map((i) => models[i]!.path).join(', ');
  if (missing.length > 0) {
    throw new InputError(
      `Cannot cross-fit ${paths}: of the ${folds} folds of this architecture and these utterances, there is no model of fold ${missing.join(', ')}; train with --folds ${folds} and each --fold, and give all of them`,
    );
  }
  const { by, utterances } = models[present[0]!]!.crossFit!;
  const foldOf = new Map<string, number>();
  present.forEach((i, fold) => {
    for (const utterance of models[i]!.crossFit!.leftOut) foldOf.set(utterance, fold);
  });
  const listed = present.reduce((sum, i) => sum + models[i]!.crossFit!.leftOut.length, 0);
  if (foldOf.size !== utterances || listed !== utterances) {
    throw new InputError(
      `Cannot cross-fit ${paths}: they left out ${foldOf.size} utterances in ${listed} places, of ${utterances}; train them again`,
    );
  }
  return { members: present, by, foldOf };
}
