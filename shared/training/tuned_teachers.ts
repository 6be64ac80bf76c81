import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../io/errors.ts';
import type { InputFolder } from '../io/report_file.ts';
import type { TunedCombination } from '../math/tune_combination.ts';

/** What filter_targets --tune finds, in `combination.json`. */
export interface TunedTeachers extends Pick<TunedCombination, 'teacherTemperatures' | 'weights'> {
  /** Ids of the teachers that all lists go by. */
  teachers: string[];
  /** Names of those whose temperature is only the best within its limits. */
  atEdge: string[];
}

/**
 * Teachers' own temperatures and weights from a folder of filter_targets --tune.
 *
 * @param ids of the teachers they are to be used for
 * @throws {InputError} when it was tuned for other teachers
 */
export function readTunedTeachers({ path, report }: InputFolder, ids: readonly string[]): TunedTeachers {
  const file = join(path, 'combination.json');
  if (report.files['combination.json'] === undefined) {
    throw new InputError(`Cannot use ${path}: it has no combination.json; make it with filter_targets --tune`);
  }
  const found = JSON.parse(readFileSync(file, 'utf8')) as TunedTeachers;
  if (JSON.stringify(found.teachers) !== JSON.stringify(ids)) {
    throw new InputError(
      `Cannot use ${path}: it was tuned for teachers ${found.teachers}, and not for ${ids}; run filter_targets --tune with the same teachers in the same order`,
    );
  }
  const fits = (list: unknown, isValid: (value: number) => boolean) =>
    Array.isArray(list) &&
    list.length === ids.length &&
    list.every((value) => Number.isFinite(value) && isValid(value));
  if (fits(found.teacherTemperatures, (value) => value > 0) && fits(found.weights, (value) => value >= 0)) return found;
  throw new InputError(
    `Cannot use ${file}: it lacks valid teacherTemperatures or weights; run filter_targets --tune again`,
  );
}
