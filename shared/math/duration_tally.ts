/** Frames of the average token that a token's own count is mixed with. */
const pseudoFrames = 10;

/** How long and how often each token lasts, counted over alignments. */
export function createDurationTally(vocabularySize: number) {
  const frames = new Float64Array(vocabularySize);
  const visits = new Float64Array(vocabularySize);
  const total = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0);
  return {
    /** Adds the labels [frames] of one utterance; a run of equal labels is one visit. */
    add(labels: ArrayLike<number>): void {
      for (let i = 0; i < labels.length; i++) {
        frames[labels[i]!]!++;
        if (i === 0 || labels[i] !== labels[i - 1]) visits[labels[i]!]!++;
      }
    },
    frames: () => total(frames),
    /** Share of each token of all frames; all zero before anything was added. */
    shares: () => Array.from(frames, (count) => count / Math.max(1, total(frames))),
    /**
     * Probability of another frame in the same token, 1 − 1 / mean duration, in (0, 1): the token's own count mixed
     * with `pseudoFrames` frames of the average token, that one with a frame of staying and one of leaving.
     */
    selfLoop(): number[] {
      const average = (total(frames) - total(visits) + 1) / (total(frames) + 2);
      return Array.from(
        frames,
        (count, token) => (count - visits[token]! + pseudoFrames * average) / (count + pseudoFrames),
      );
    },
  };
}
