import { createTemperatureSearch } from './calibration.ts';
import { type Combination, combinations } from './combine.ts';
import { concatenate } from './concatenate.ts';
import { fastCombine } from './kernels/fast_combine.ts';
import { createLabelTally, type LabelFigures } from './label_tally.ts';
import { mixtureWeights } from './mixture_weights.ts';

/** An utterance: log-posteriors of each teacher at T = 1, [frames × vocabularySize], and hard labels, [frames]. */
export interface LabelledFrames {
  members: readonly Float32Array[];
  labels: Uint16Array;
}

export interface TunedCombination {
  /** At which each teacher fits the labels best. */
  teacherTemperatures: number[];
  /** Teachers whose temperature is only the best within its limits. */
  atEdge: number[];
  /** Of a linear combination of the teachers at those temperatures, sum 1. */
  weights: number[];
  table: CombinationFigures[];
}

/** What a teacher alone, or a combination of all, does to the same labels. */
export interface CombinationFigures extends LabelFigures {
  rule: Combination | 'weighted' | 'alone';
  /** Which one, where it is alone. */
  teacher?: number;
  /** Whether the teachers were at their temperatures, or at 1. */
  calibrated: boolean;
  /** Best for `weighted`; absent where all teachers count alike. */
  weights?: number[];
}

/**
 * The temperature of each teacher and the weights that fit hard labels best, and what each way to combine them gives.
 *
 * Memory grows with the frames by 16 bytes a teacher at most, for the weights; all else is done in passes.
 *
 * @param utterances the same ones in the same order each time
 */
export async function tuneCombination(
  utterances: () => AsyncIterable<LabelledFrames>,
  { vocabularySize, teachers }: { vocabularySize: number; teachers: number },
): Promise<TunedCombination> {
  const searches = Array.from({ length: teachers }, () => createTemperatureSearch(vocabularySize));
  for (let open = searches.map((_, i) => i); open.length > 0; ) {
    for await (const { members, labels } of utterances()) for (const i of open) searches[i]!.count(members[i]!, labels);
    open = open.filter((i) => searches[i]!.advance());
  }
  const teacherTemperatures = searches.map(({ temperature }) => temperature);
  const [before, after] = await weightsAt(
    [teacherTemperatures.map(() => 1), teacherTemperatures],
    utterances,
    vocabularySize,
  );
  const plans = [
    ...plansOf({ calibrated: false, temperatures: teacherTemperatures.map(() => 1), weights: before! }),
    ...plansOf({ calibrated: true, temperatures: teacherTemperatures, weights: after! }),
  ].map((plan) => ({ ...plan, tally: createLabelTally(vocabularySize) }));
  for await (const { members, labels } of utterances()) {
    for (const { options, teacher, tally } of plans) {
      const used = teacher === undefined ? members : [members[teacher]!];
      tally.count(fastCombine(used, { vocabularySize, ...options }), labels);
    }
  }
  return {
    teacherTemperatures,
    atEdge: searches.flatMap(({ atEdge }, i) => (atEdge ? [i] : [])),
    weights: after!,
    table: plans.map(({ figures, tally }) => ({ ...figures, ...tally.summary() })),
  };
}

/** Weights for each of several lists of temperatures. */
async function weightsAt(
  temperatures: readonly (readonly number[])[],
  utterances: () => AsyncIterable<LabelledFrames>,
  vocabularySize: number,
): Promise<number[][]> {
  const parts = temperatures.map((list) => list.map((): Float32Array[] => []));
  for await (const { members, labels } of utterances()) {
    for (const [row, list] of temperatures.entries()) {
      for (const [i, temperature] of list.entries()) {
        const values = fastCombine([members[i]!], { vocabularySize, rule: 'linear', temperature });
        parts[row]![i]!.push(Float32Array.from(labels, (label, frame) => values[frame * vocabularySize + label]!));
      }
    }
  }
  return parts.map((row) => mixtureWeights(row.map((parts) => concatenate(Float32Array, parts))));
}

/** Each teacher alone, each rule, and the linear one with weights. */
function plansOf({
  calibrated,
  temperatures,
  weights,
}: {
  calibrated: boolean;
  temperatures: number[];
  weights: number[];
}) {
  return [
    ...temperatures.map((temperature, teacher) => ({
      figures: { rule: 'alone' as const, teacher, calibrated },
      options: { rule: 'linear' as const, teacherTemperatures: [temperature] },
      teacher,
    })),
    ...combinations.map((rule) => ({
      figures: { rule, calibrated },
      options: { rule, teacherTemperatures: temperatures },
      teacher: undefined,
    })),
    {
      figures: { rule: 'weighted' as const, calibrated, weights },
      options: { rule: 'linear' as const, teacherTemperatures: temperatures, weights },
      teacher: undefined,
    },
  ];
}
