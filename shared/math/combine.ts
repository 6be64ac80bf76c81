import { logSoftmax } from './log_softmax.ts';

export const combinations = ['linear', 'geometric', 'best'] as const;
export type Combination = (typeof combinations)[number];

export interface CombineOptions {
  vocabularySize: number;
  rule: Combination;
  /** One a teacher, ≥ 0, any sum; all equal unless given. */
  weights?: readonly number[];
  /** At which each teacher is calibrated; all 1 unless given. */
  teacherTemperatures?: readonly number[];
  /** On top of the teachers' own; 1 unless given. */
  temperature?: number;
}

/**
 * What several teachers say together, frame by frame. Each teacher is first taken to temperature T, its own one times
 * that of all (p_T ∝ p^(1/T), which also takes out the rounding of what is stored), then:
 *
 * - `linear`: the weighted mean of their posteriors.
 * - `geometric`: the weighted mean of their log-posteriors, normalised: a token needs all of them.
 * - `best`: the one that is surest of this utterance, by the mean log-posterior of its best token at its own
 *   temperature; ties to the first.
 *
 * @param teachers log-posteriors at T = 1, each [frames × vocabularySize], one utterance
 * @returns log-posteriors, same shape
 * @throws {RangeError} when there is no teacher, or shapes differ, or the weights or temperatures do not fit
 * @see Hinton, Vinyals, Dean (2015), Distilling the Knowledge in a Neural Network, sec. 5.2: arithmetic or geometric mean
 */
export function combine(teachers: readonly Float32Array[], given: CombineOptions): Float32Array {
  const { vocabularySize, rule } = given;
  const members = membersOf(teachers, given);
  const softened = ({ values, temperature }: Member) => logSoftmax(values, vocabularySize, { temperature });
  if (members.length === 1) return softened(members[0]!);
  const sums = new Float64Array(teachers[0]!.length);
  for (const member of members) {
    const { share } = member;
    const logPosteriors = softened(member);
    if (rule === 'linear') for (let i = 0; i < sums.length; i++) sums[i]! += share * Math.exp(logPosteriors[i]!);
    else for (let i = 0; i < sums.length; i++) sums[i]! += share * logPosteriors[i]!;
  }
  if (rule === 'linear') return Float32Array.from(sums, Math.log);
  return logSoftmax(Float32Array.from(sums), vocabularySize);
}

/** A teacher that counts, its share of the whole, and the temperature it is taken to. */
export interface Member {
  values: Float32Array;
  share: number;
  temperature: number;
}

/**
 * The teachers that count.
 *
 * @throws {RangeError} as `combine`
 */
export function membersOf(teachers: readonly Float32Array[], given: CombineOptions): Member[] {
  const { vocabularySize, rule, temperature = 1 } = given;
  const { weights = teachers.map(() => 1), teacherTemperatures = teachers.map(() => 1) } = given;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (teachers.length === 0 || teachers.some(({ length }) => length !== teachers[0]!.length)) {
    throw new RangeError(
      `Cannot combine teachers of ${teachers.map(({ length }) => length)} values; give equal shapes`,
    );
  }
  if (weights.length !== teachers.length || !weights.every((weight) => weight >= 0) || !(total > 0)) {
    throw new RangeError(
      `Cannot weight ${teachers.length} teachers by ${weights}; give one number a teacher, not all 0`,
    );
  }
  if (teacherTemperatures.length !== teachers.length) {
    throw new RangeError(
      `Cannot take ${teachers.length} teachers to temperatures ${teacherTemperatures}; give one number a teacher`,
    );
  }
  const members = teachers.map((values, i) => ({
    values,
    share: weights[i]! / total,
    temperature: teacherTemperatures[i]! * temperature,
  }));
  if (rule !== 'best') return members.filter(({ share }) => share > 0);
  return [{ ...members[surest(teachers, teacherTemperatures, vocabularySize)]!, share: 1 }];
}

/** Index of the teacher whose best token has the highest log-posterior on average. */
function surest(teachers: readonly Float32Array[], temperatures: readonly number[], vocabularySize: number): number {
  const sureness = teachers.map((stored, teacher) => {
    const temperature = temperatures[teacher]!;
    const values = temperature === 1 ? stored : logSoftmax(stored, vocabularySize, { temperature });
    let sum = 0;
    for (let start = 0; start < values.length; start += vocabularySize) {
      let best = -Infinity;
      for (let i = start; i < start + vocabularySize; i++) if (values[i]! > best) best = values[i]!;
      sum += best;
    }
    return sum;
  });
  return sureness.indexOf(Math.max(...sureness));
}
