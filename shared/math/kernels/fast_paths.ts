import {
  advancePaths,
  createFrameScores,
  createPathCells,
  type FrameScores,
  type PathCells,
  scoreFrame,
} from '../path_cells.ts';
import { type KernelMemory, openKernelMemory } from './memory.ts';

/** Cells of a search, and the frame that is heard, in a memory of their own. */
export interface PathMemory {
  /** Other arrays after each `resize`. */
  readonly cells: PathCells;
  readonly heard: FrameScores;
  /** `scoreFrame` of them. */
  hear(scale: number): void;
  /** `advancePaths` on them. */
  advance(first: number, last: number): number;
  /** Room for more cells: those that were there stay as they are, what the others hold is not defined. */
  resize(capacity: number): void;
}

/** `advancePaths` and `scoreFrame`, two numbers at once; themselves where the processor has no SIMD. */
export function openPathMemory(capacity: number, vocabularySize: number): PathMemory {
  const memory = openKernelMemory();
  const create = (capacity: number): { cells: PathCells; heard: FrameScores } => {
    if (memory) return createIn(memory, capacity, vocabularySize);
    return { cells: createPathCells(capacity), heard: createFrameScores(vocabularySize) };
  };
  let { cells, heard } = create(capacity);
  let places = placesOf(cells, heard);
  return {
    get cells() {
      return cells;
    },
    get heard() {
      return heard;
    },
    hear(scale) {
      if (!memory) return scoreFrame(heard, scale);
      const { logPosteriors, bias, emissions } = places;
      memory.functions.scoreFrame!(logPosteriors, bias, emissions, vocabularySize, scale);
    },
    advance(first, last) {
      if (!memory) return advancePaths(cells, first, last, heard);
      const { scores, stays, comes, logPosteriorSums, origins, tokens, emissions, logPosteriors: here } = places;
      return memory.functions.advancePaths!(
        ...([first, last, scores, stays, comes, logPosteriorSums, origins, tokens, emissions, here] as const),
      );
    },
    resize(capacity) {
      const before = Object.values({ ...cells, ...heard }).map((array) => array.slice()); // the new ones may lie in their place
      ({ cells, heard } = create(capacity));
      for (const [i, array] of Object.values({ ...cells, ...heard }).entries()) array.set(before[i]!);
      places = placesOf(cells, heard);
    },
  };
}

function createIn(memory: KernelMemory, capacity: number, vocabularySize: number) {
  memory.clear(44 * capacity + 20 * (vocabularySize + 1));
  const cells: PathCells = {
    ...{ scores: memory.floats64(capacity), stays: memory.floats64(capacity), comes: memory.floats64(capacity) },
    ...{
      logPosteriorSums: memory.floats64(capacity),
      origins: memory.integers(2 * capacity),
      tokens: memory.integers(capacity),
    },
  };
  const even = vocabularySize + (vocabularySize & 1);
  const [logPosteriors, bias, emissions] = [memory.floats(even), memory.floats64(even), memory.floats64(even)];
  return { cells, heard: { logPosteriors, bias, emissions } };
}

/** Places in memory, by name. */
const placesOf = (cells: PathCells, heard: FrameScores) =>
  Object.fromEntries(
    Object.entries({ ...cells, ...heard }).map(([name, { byteOffset }]) => [name, byteOffset]),
  ) as Record<keyof PathCells | keyof FrameScores, number>;
