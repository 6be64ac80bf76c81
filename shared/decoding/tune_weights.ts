import { editCounts } from '../math/edit_distance.ts';
import { type Axis, type GridSearch, gridSearch, ratioBeyond, stepBeyond } from '../math/grid_search.ts';
import type { SearchWeights } from '../math/word_search.ts';
import type { ObjectiveName } from '../training/objective.ts';

/** What is tried, ascending. */
export interface Grids {
  acousticScales: readonly number[];
  priorScales: readonly number[];
  languageModelScales: readonly number[];
  insertionPenalties: readonly number[];
}

/** What is tried unless it is given: scores of a sum over paths are not scaled down, so a word costs less there. */
const usualGrids: Record<ObjectiveName, Grids> = {
  frame: {
    acousticScales: [0.15, 0.25, 0.4, 0.65, 1],
    priorScales: [0, 0.5, 1, 1.5],
    languageModelScales: [1], // the acoustic scale weighs the same
    insertionPenalties: [-4, 0, 4, 8, 12],
  },
  ctc: {
    acousticScales: [1],
    priorScales: [0, 0.1, 0.2, 0.3, 0.5],
    languageModelScales: [0.25, 0.5, 1],
    insertionPenalties: [-2, -1, 0, 1, 2],
  },
};

export interface GridOptions {
  objective: ObjectiveName;
  /** A search of the best path alone knows no words. */
  isGreedy: boolean;
  hasLanguageModel: boolean;
  /** What replaces the usual. */
  given: { [Name in keyof Grids]?: readonly number[] | undefined };
}

/** What is tuned. Without a language model all scores of a CTC search are acoustic, and a scale only sharpens them. */
export function tuningAxes({ objective, isGreedy, hasLanguageModel, given }: GridOptions): Axis<keyof SearchWeights>[] {
  const usual = usualGrids[objective];
  const valuesOf = (name: keyof Grids): readonly number[] => given[name] ?? usual[name];
  return [
    { name: 'acousticScale', values: valuesOf('acousticScales'), beyond: ratioBeyond },
    { name: 'priorScale', values: valuesOf('priorScales'), beyond: stepBeyond({ min: 0 }) },
    {
      name: 'languageModelScale',
      values: hasLanguageModel ? valuesOf('languageModelScales') : [1],
      beyond: stepBeyond({ min: 0 }),
    },
    { name: 'insertionPenalty', values: isGreedy ? [0] : valuesOf('insertionPenalties'), beyond: stepBeyond() },
  ];
}

export interface Tuning {
  axes: readonly Axis<keyof SearchWeights>[];
  /** Words of the references, in all. */
  words: number;
  errorsWith(weights: SearchWeights): Promise<number>;
}

/** The weights with the fewest word errors, and how it was found out. */
export async function tuneWeights({ axes, words, errorsWith }: Tuning) {
  const found = await gridSearch({ axes, cost: errorsWith });
  const warning =
    found.atEdge.length > 0 ? `the best ${found.atEdge.join(', ')} lies at the edge of the grid; widen it` : undefined;
  return {
    weights: found.best,
    atEdge: found.atEdge,
    points: found.points.map(({ point, cost }) => [...axes.map(({ name }) => point[name]), cost]),
    summary: {
      words,
      errors: found.cost,
      wer: found.cost / words,
      extended: found.extended,
      ...(warning ? { warning } : {}),
      pointsTried: found.points.length,
      fewestErrors: fewestPerValue(
        axes.map(({ name }) => name),
        found,
      ),
    },
  };
}

/** For each value of each axis the fewest errors it can have: how sharp the optimum is. */
function fewestPerValue<Name extends string>(names: readonly Name[], { points }: GridSearch<Name>) {
  return Object.fromEntries(
    names.map((name) => {
      const values = [...new Set(points.map(({ point }) => point[name]))].sort((a, b) => a - b);
      const fewest = (value: number) =>
        points.reduce((least, { point, cost }) => (point[name] === value ? Math.min(least, cost) : least), Infinity);
      return [name, values.map((value) => ({ value, errors: fewest(value) }))];
    }),
  );
}

/** Errors between words, whatever they are. */
export function wordErrors(reference: readonly string[], hypothesis: readonly string[]): number {
  const numbers = new Map<string, number>();
  const numbered = (words: readonly string[]): Int32Array =>
    Int32Array.from(words, (word) => {
      const number = numbers.get(word) ?? numbers.size;
      numbers.set(word, number);
      return number;
    });
  const counts = editCounts({ reference: numbered(reference), hypothesis: numbered(hypothesis) });
  return counts.insertions + counts.deletions + counts.substitutions;
}
