import type { SparseHeader } from '../io/cached_frames.ts';
import { InputError } from '../io/errors.ts';
import { blankGateWeight, certaintyOf, gateWeight } from '../math/gate.ts';
import { logPosteriorsAt, normalisersAt } from '../math/keep_cached.ts';
import { fastKeepCached } from '../math/kernels/fast_keep_cached.ts';
import { fastKeepTokens } from '../math/kernels/fast_keep_tokens.ts';
import type { BestOfFrames } from '../math/label_tally.ts';
import { createRandom } from '../math/random.ts';
import { type Selection, sampleTokens, threshold, topP } from '../math/select.ts';
import type { CachedFrames } from '../math/sparse_cache.ts';
import type { FilteredFrames, FilterPolicy } from './filter_policy.ts';

/** Policies that a sparse cache cannot follow, and why: for it has no other tokens, and one entropy. */
export const beyondSparse: readonly {
  when: (asked: FilterPolicy, header: SparseHeader) => boolean;
  why: (header: SparseHeader) => string;
}[] = [
  {
    when: ({ temperature }, { temperatures }) => !temperatures.includes(temperature),
    why: ({ temperatures }) =>
      `--temperature has to be one that the sparse cache was made for, ${temperatures.join(', ')}: what its other tokens have at another one is not known; cache again with --temperatures`,
  },
  {
    when: ({ temperature }, { isMean }) => isMean && temperature !== 1,
    why: () =>
      'A mean of teachers is that of their posteriors at --temperature, each softened first, and the sparse cache has only that at 1: take a cache of --combine geometric or best, or one of --format dense',
  },
  {
    when: ({ select, amount }, { k }) => select === 'top-k' && amount > k,
    why: ({ k }) =>
      `--k is more than the ${k} tokens that the sparse cache keeps of each frame; cache again with a larger --k`,
  },
  {
    when: ({ select }, { k, vocabularySize }) => (select === 'all' || select === 'sample') && k < vocabularySize,
    why: () =>
      '--select all and sample need every token, and the sparse cache keeps only the best: take top-k, top-p or threshold, or cache again with --format dense',
  },
  {
    when: ({ select, amount }, { k, vocabularySize }) => select === 'top-p' && amount === 1 && k < vocabularySize,
    why: () =>
      '--p 1 needs every token, and the sparse cache keeps only the best: lower it, or cache again with --format dense',
  },
  {
    when: ({ gate, temperature }) => gate === 'entropy' && temperature !== 1,
    why: () =>
      '--gate entropy of a sparse cache is that at temperature 1, the only one it keeps: take --gate confidence, or --temperature 1',
  },
];

/** An utterance of a sparse cache: its frames, and hard labels where there are any. */
export interface CachedUtterance {
  utterance: string;
  frames: CachedFrames;
  labels: Uint16Array | undefined;
  /** Of the cache, for messages. */
  path: string;
}

/**
 * What stays of an utterance of a sparse cache, before the tail goes where it belongs.
 *
 * @throws {InputError} when a frame has to keep tokens that the cache does not have, or is no distribution
 */
export function filterCached(said: CachedUtterance, policy: FilterPolicy): FilteredFrames {
  const { frames } = said;
  const { temperature } = policy;
  const weight = weightsOf(said, policy);
  const filtered: Pick<FilteredFrames, 'kept' | 'drawn'> =
    policy.select === 'sample'
      ? drawFrom(said, weight, policy)
      : { kept: fastKeepCached(frames, { temperature, offsets: offsetsOf(said, weight, policy) }) };
  const wrong = filtered.kept.lostMass.findIndex(Number.isNaN);
  if (wrong >= 0) {
    throw new InputError(
      `Cannot filter utterance "${said.utterance}": what ${said.path} says of frame ${wrong} is no distribution (NaN); cache again`,
    );
  }
  return {
    ...{ weight, ...filtered },
    ...(said.labels && { best: bestOf(frames, temperature) }),
  };
}

function bestOf(frames: CachedFrames, temperature: number): BestOfFrames {
  const { k, tokens, logPosteriors, ofLabel } = frames;
  const normalisers = normalisersAt(frames.logZ, temperature);
  return {
    tokens: Uint16Array.from(normalisers, (_, frame) => tokens[frame * k]!),
    logPosteriors: normalisers.map((logZ, frame) => logPosteriors[frame * k]! / temperature - logZ),
    ofLabel: ofLabel && normalisers.map((logZ, frame) => ofLabel[frame]! / temperature - logZ),
  };
}

function weightsOf({ frames, labels }: CachedUtterance, policy: FilterPolicy): Float32Array {
  const { gate, gateThreshold, temperature, chosen } = policy;
  const { k, vocabularySize, tokens, logPosteriors, entropy, agreeing, ofBlank } = frames;
  if (gate === 'none') return new Float32Array(entropy.length).fill(1);
  const normalisers = normalisersAt(frames.logZ, temperature);
  const posterior = (logPosterior: number, frame: number) => Math.exp(logPosterior / temperature - normalisers[frame]!);
  const trust: Record<Exclude<FilterPolicy['gate'], 'none'>, (frame: number) => number> = {
    correct: (frame) => Number(tokens[frame * k] === labels![frame]),
    confidence: (frame) => gateWeight(posterior(logPosteriors[frame * k]!, frame), gateThreshold),
    entropy: (frame) => gateWeight(certaintyOf(entropy[frame]!, vocabularySize), gateThreshold),
    agreement: (frame) => gateWeight(agreeing![frame]! / chosen.length, gateThreshold),
    blank: (frame) => blankGateWeight(posterior(ofBlank![frame]!, frame), gateThreshold),
  };
  return Float32Array.from(entropy, (_, frame) => trust[gate](frame));
}

/** How many tokens each frame keeps; none where its weight is 0. */
function offsetsOf(said: CachedUtterance, weight: Float32Array, policy: FilterPolicy): Int32Array {
  const { select, amount, temperature } = policy;
  const { k } = said.frames;
  const selection = select === 'top-p' ? topP(amount) : select === 'threshold' ? threshold(amount) : undefined;
  const values = selection && logPosteriorsAt(said.frames, temperature);
  const even = select === 'top-k' ? amount : k; // all, where the cache has all
  const offsets = new Int32Array(weight.length + 1);
  for (let frame = 0; frame < weight.length; frame++) {
    const best = values?.subarray(frame * k, (frame + 1) * k);
    const count = best ? countOf(said, { frame, best, selection: selection! }, policy) : even;
    offsets[frame + 1] = offsets[frame]! + (weight[frame]! > 0 ? count : 0);
  }
  return offsets;
}

interface Ranking {
  frame: number;
  /** Log-posteriors of all tokens that the cache has of this frame. */
  best: Float32Array;
  selection: Selection;
}

function countOf(said: CachedUtterance, { frame, best, selection }: Ranking, policy: FilterPolicy): number {
  const { utterance, frames, path } = said;
  const { k, vocabularySize } = frames;
  const { select, amount, temperature } = policy;
  const count = selection.count!(best);
  if (count <= k) return count;
  if (k === vocabularySize) return k;
  const mass = best.reduce((sum, value) => sum + Math.exp(value), 0);
  if (select === 'threshold' && 1 - mass < amount) return k; // no other token can have that much
  const [flag, found] = select === 'threshold' ? ['--threshold', 'each at least that'] : ['--p', 'together'];
  throw new InputError(
    `Cannot filter utterance "${utterance}": of frame ${frame}, ${path} has ${k} tokens of mass ${mass.toFixed(4)} at temperature ${temperature}, ${found}, and ${flag} ${amount} may take more; ${select === 'threshold' ? 'raise' : 'lower'} it, or cache again with a larger --k`,
  );
}

/** Draws from frames of which all tokens are cached. */
function drawFrom({ utterance, frames }: CachedUtterance, weight: Float32Array, policy: FilterPolicy) {
  const { vocabularySize, tokens } = frames;
  const dense = new Float32Array(tokens.length);
  logPosteriorsAt(frames, policy.temperature).forEach((value, i) => {
    dense[i - (i % vocabularySize) + tokens[i]!] = value;
  });
  const random = createRandom(policy.seed, 'sample', utterance);
  const drawn = sampleTokens(dense, vocabularySize, weight, { draws: policy.amount, random });
  return { drawn, kept: fastKeepTokens(dense, vocabularySize, drawn) };
}
