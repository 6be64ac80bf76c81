import type { Kept } from './keep_tokens.ts';
import { createKeptMassTally, type KeptMassCounts } from './kept_mass_tally.ts';
import { type BestOfFrames, createLabelTally, type LabelCounts, type LabelFigures } from './label_tally.ts';

/** What a tally has counted, to be kept and added up. */
export interface FilterCounts {
  sums: { frames: number; open: number; weight: number; tokens: number; kl: number; labelKept: number };
  posterior: number[];
  keptMass: KeptMassCounts;
  ofLabels: LabelCounts;
}

/** Figures of what a filter keeps, over any number of utterances, in memory that does not grow with them. */
export interface FilterTally {
  /** An utterance: what was selected of it, and how many tokens are stored once the tail has gone where it belongs. */
  count(utterance: {
    /** [frames × vocabularySize], or `best` in its place, where there are labels to compare with. */
    combined: Float32Array | undefined;
    best: BestOfFrames | undefined;
    weight: Float32Array;
    labels: Uint16Array | undefined;
    kept: Kept;
    stored: number;
  }): void;
  /** Adds what another tally has counted. */
  add(counts: FilterCounts): void;
  counts(): FilterCounts;
  summary(): {
    frames: number;
    gatedFrames: number;
    meanWeight: number;
    tokensPerFrame: number;
    /** Of open frames, as the next two. */
    keptMass: { mean: number; p01: number; p05: number; p50: number };
    kl: number;
    labelKept: number;
    /** Of the combination, over all frames, before any is shut or thinned. */
    ofLabels: LabelFigures;
    /** Of each token over all frames of this data. */
    meanPosterior: number[];
  };
}

export function createFilterTally(vocabularySize: number): FilterTally {
  const keptMass = createKeptMassTally();
  const posterior = new Float64Array(vocabularySize);
  const ofLabels = createLabelTally(vocabularySize);
  const sums = { frames: 0, open: 0, weight: 0, tokens: 0, kl: 0, labelKept: 0 };
  return {
    count({ combined, best, weight, labels, kept, stored }) {
      const lost = new Float32Array(weight.length);
      let [open, trust, nats] = [0, 0, 0];
      for (let frame = 0; frame < weight.length; frame++) {
        trust += weight[frame]!;
        nats += kept.divergence[frame]!;
        if (weight[frame]! > 0) lost[open++] = kept.lostMass[frame]!;
      }
      for (let token = 0; token < vocabularySize; token++) posterior[token]! += kept.mass[token]!;
      if (labels) {
        if (best) ofLabels.countBest(best, labels);
        else ofLabels.count(combined!, labels);
        sums.labelKept += labelsKept(kept, labels);
      }
      sums.frames += weight.length;
      sums.tokens += stored;
      sums.weight += trust;
      sums.kl += nats;
      sums.open += open;
      keptMass.count(lost.subarray(0, open));
    },
    add(other) {
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += other.sums[name];
      other.posterior.forEach((mass, token) => {
        posterior[token]! += mass;
      });
      keptMass.add(other.keptMass);
      ofLabels.add(other.ofLabels);
    },
    counts: () => ({
      sums: { ...sums },
      posterior: [...posterior],
      keptMass: keptMass.counts(),
      ofLabels: ofLabels.counts(),
    }),
    summary: () => ({
      frames: sums.frames,
      gatedFrames: sums.frames - sums.open,
      meanWeight: ratio(sums.weight, sums.frames),
      tokensPerFrame: ratio(sums.tokens, sums.frames),
      keptMass: keptMass.summary(),
      kl: ratio(sums.kl, sums.open),
      labelKept: ratio(sums.labelKept, sums.open),
      ofLabels: ofLabels.summary(),
      meanPosterior: Array.from(posterior, (sum) => ratio(sum, sums.frames)),
    }),
  };
}

/** Frames that keep their label. */
function labelsKept({ offsets, tokens }: Kept, labels: Uint16Array): number {
  let kept = 0;
  for (let frame = 0; frame < labels.length; frame++) {
    if (tokens.subarray(offsets[frame], offsets[frame + 1]).includes(labels[frame]!)) kept++;
  }
  return kept;
}

/** 0 of nothing is 0. */
const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
