/** Cells of a search, each with the best path to a state; side by side, each takes from the one before. */
export interface PathCells {
  /** Of the state: its token, and what it costs to stay there and to come from the cell before. */
  tokens: Int32Array;
  stays: Float64Array;
  comes: Float64Array;
  /** Of the path: its score, and the sum of the log-posteriors of the word that it is in. */
  scores: Float64Array;
  logPosteriorSums: Float64Array;
  /** [2 × cells] What it said before that word, and the frame in which that begins. */
  origins: Int32Array;
}

/** A frame, by token: its log-posteriors, and what they add to scores, which is scale × log-posterior + bias. */
export interface FrameScores {
  logPosteriors: Float32Array;
  bias: Float64Array;
  emissions: Float64Array;
}

export function createPathCells(capacity: number): PathCells {
  const [stays, comes, scores, logPosteriorSums] = [0, 1, 2, 3].map(() => new Float64Array(capacity)) as [
    ...[Float64Array, Float64Array, Float64Array, Float64Array],
  ];
  const [tokens, origins] = [new Int32Array(capacity), new Int32Array(2 * capacity)];
  return { tokens, stays, comes, scores, logPosteriorSums, origins };
}

export const createFrameScores = (vocabularySize: number): FrameScores => ({
  logPosteriors: new Float32Array(vocabularySize),
  bias: new Float64Array(vocabularySize),
  emissions: new Float64Array(vocabularySize),
});

/** Emissions of the log-posteriors. */
export function scoreFrame({ logPosteriors, bias, emissions }: FrameScores, scale: number): void {
  for (let token = 0; token < bias.length; token++) emissions[token] = scale * logPosteriors[token]! + bias[token]!;
}

/**
 * One frame on for the cells from `first`, which has one before it, to `last`. Of equally good ways staying wins.
 *
 * @returns the score of the best
 */
export function advancePaths(cells: PathCells, first: number, last: number, frame: FrameScores): number {
  const { tokens, stays, comes, scores, logPosteriorSums, origins } = cells;
  const { emissions, logPosteriors } = frame;
  let best = -Infinity;
  for (let cell = last; cell >= first; cell--) {
    const token = tokens[cell]!;
    let score = scores[cell]! + stays[cell]!;
    const moved = scores[cell - 1]! + comes[cell]!;
    if (moved > score) {
      score = moved;
      logPosteriorSums[cell] = logPosteriorSums[cell - 1]!;
      origins[2 * cell] = origins[2 * cell - 2]!;
      origins[2 * cell + 1] = origins[2 * cell - 1]!;
    }
    score += emissions[token]!;
    scores[cell] = score;
    logPosteriorSums[cell]! += logPosteriors[token]!;
    if (score > best) best = score;
  }
  return best;
}
