/** How posteriors fit hard labels. */
export interface LabelFigures {
  /** Mean of −log p(label); Infinity where a label is ruled out, NaN where that is not known. */
  crossEntropyNats: number;
  /** Share of the frames whose best token is not their label. */
  frameError: number;
  /** Expected calibration error: how far the posterior of the best token is from how often that is right. */
  calibrationError: number;
}

/** The best token of each frame, its log-posterior, and that of the label where it is known; [frames] each. */
export interface BestOfFrames {
  tokens: Uint16Array;
  logPosteriors: Float32Array;
  ofLabel: Float32Array | undefined;
}

/** What a tally has counted, to be kept and added up. */
export interface LabelCounts {
  frames: number;
  nats: number;
  wrong: number;
  /** Of each bin, the sum over its frames of posterior less correctness. */
  excess: number[];
}

export interface LabelTally {
  /** Adds what another tally has counted. */
  add(counts: LabelCounts): void;
  counts(): LabelCounts;
  /**
   * @param logPosteriors [frames × vocabularySize]
   * @param labels [frames]
   */
  count(logPosteriors: Float32Array, labels: Uint16Array): void;
  /** The same from what is known of each frame's best token and label. */
  countBest(best: BestOfFrames, labels: Uint16Array): void;
  /** Of all frames so far; zeros of none. */
  summary(): LabelFigures;
}

/** Intervals of equal width that the posterior of the best token is sorted into. */
const bins = 15;

/**
 * Figures of frames that come utterance by utterance, in memory that does not grow with their number.
 *
 * @see Guo, Pleiss, Sun, Weinberger (2017), On Calibration of Modern Neural Networks, eq. 3, with 15 bins
 */
export function createLabelTally(vocabularySize: number): LabelTally {
  const sums = { frames: 0, nats: 0, wrong: 0 };
  const excess = new Float64Array(bins);
  const add = (isCorrect: boolean, logPosterior: number, ofLabel: number): void => {
    const confidence = Math.min(1, Math.exp(logPosterior));
    const correct = isCorrect ? 1 : 0;
    sums.nats -= ofLabel;
    sums.wrong += 1 - correct;
    excess[Math.max(0, Math.ceil(confidence * bins) - 1)]! += confidence - correct;
  };
  return {
    add(other) {
      sums.frames += other.frames;
      sums.nats += other.nats;
      sums.wrong += other.wrong;
      for (let bin = 0; bin < bins; bin++) excess[bin]! += other.excess[bin]!;
    },
    counts: () => ({ ...sums, excess: [...excess] }),
    count(logPosteriors, labels) {
      for (let frame = 0; frame < labels.length; frame++) {
        const start = frame * vocabularySize;
        const label = start + labels[frame]!;
        let best = start;
        for (let i = start + 1; i < start + vocabularySize; i++) if (logPosteriors[i]! > logPosteriors[best]!) best = i;
        add(best === label, logPosteriors[best]!, logPosteriors[label]!);
      }
      sums.frames += labels.length;
    },
    countBest({ tokens, logPosteriors, ofLabel }, labels) {
      for (let frame = 0; frame < labels.length; frame++) {
        add(tokens[frame] === labels[frame], logPosteriors[frame]!, ofLabel?.[frame] ?? Number.NaN);
      }
      sums.frames += labels.length;
    },
    summary() {
      const share = (sum: number): number => (sums.frames > 0 ? sum / sums.frames : 0);
      return {
        crossEntropyNats: share(sums.nats),
        frameError: share(sums.wrong),
        calibrationError: share(excess.reduce((sum, value) => sum + Math.abs(value), 0)),
      };
    },
  };
}
