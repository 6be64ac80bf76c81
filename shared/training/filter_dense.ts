import { InputError } from '../io/errors.ts';
import type { CombineOptions } from '../math/combine.ts';
import { agreement, bestToken, blankGateWeight, certainty, confidence, gateWeight } from '../math/gate.ts';
import { fastCombineBoth } from '../math/kernels/fast_combine.ts';
import { fastFromHalf } from '../math/kernels/fast_half.ts';
import { fastKeepBest } from '../math/kernels/fast_keep_best.ts';
import { fastKeepTokens } from '../math/kernels/fast_keep_tokens.ts';
import { createRandom } from '../math/random.ts';
import { type Selection, sampleTokens, selectTokens, threshold, topK, topP } from '../math/select.ts';
import type { FilteredFrames, FilterPolicy } from './filter_policy.ts';

/** What is known of an utterance; each of the members is [frames × vocabularySize], log-posteriors of a teacher, or bits of halves. */
export interface DenseUtterance {
  utterance: string;
  frames: number;
  members: (Float32Array | Uint16Array)[];
  labels: Uint16Array | undefined;
  /** Of the cache, for messages. */
  path: string;
}

/**
 * What stays of an utterance of a dense cache, before the tail goes where it belongs.
 *
 * @throws {InputError} where what the teachers say together is no distribution
 */
export const filterDense = (said: DenseUtterance, combining: CombineOptions, policy: FilterPolicy): FilteredFrames =>
  bestOfAll(said, combining, policy) ?? selected(said, combining, policy);

/** The quick way, where the same number of tokens stays in every frame; undefined where it does not go. */
function bestOfAll(
  { frames, members, labels }: DenseUtterance,
  combining: CombineOptions,
  { select, gate, amount }: FilterPolicy,
): FilteredFrames | undefined {
  if (gate !== 'none' || (select !== 'top-k' && select !== 'all')) return undefined;
  const best = fastKeepBest(members, combining, { k: amount, withCombined: labels !== undefined });
  return best && { ...best, weight: new Float32Array(frames).fill(1) };
}

function selected(said: DenseUtterance, combining: CombineOptions, policy: FilterPolicy): FilteredFrames {
  const { utterance, frames, labels } = said;
  const members = said.members.map(numbersOf);
  const { vocabularySize } = combining;
  const { select, amount, seed, gate } = policy;
  const { logPosteriors: combined, posteriors } = fastCombineBoth(members, combining);
  checkPosteriors(combined, said, vocabularySize);
  const weight = new Float32Array(frames).fill(1);
  if (gate !== 'none') {
    for (let frame = 0; frame < frames; frame++) {
      const slice = (values: Float32Array) => values.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
      weight[frame] = gateOf(slice(combined), members.map(slice), labels?.[frame], policy);
    }
  }
  if (select === 'sample') {
    const random = createRandom(seed, 'sample', utterance);
    const drawn = sampleTokens(combined, vocabularySize, weight, { draws: amount, random });
    return { combined, weight, kept: fastKeepTokens(combined, vocabularySize, drawn, posteriors), drawn };
  }
  const ranked = selectTokens(combined, vocabularySize, weight, selections[select](amount));
  return { combined, weight, kept: fastKeepTokens(combined, vocabularySize, ranked, posteriors) };
}

/** Log-posteriors as numbers. */
export const numbersOf = (member: Float32Array | Uint16Array): Float32Array =>
  member instanceof Uint16Array ? fastFromHalf(member) : member;

/** What draws is no selection by rank. */
const selections: Record<Exclude<FilterPolicy['select'], 'sample'>, (amount: number) => Selection> = {
  'top-k': topK,
  'top-p': topP,
  threshold,
  all: topK,
};

function gateOf(
  row: Float32Array,
  members: Float32Array[],
  label: number | undefined,
  { gate, gateThreshold }: FilterPolicy,
): number {
  if (gate === 'none') return 1;
  const best = bestToken(row);
  if (gate === 'correct') return best === label ? 1 : 0;
  if (gate === 'blank') return blankGateWeight(Math.exp(row[blank]!), gateThreshold);
  const trust =
    gate === 'confidence' ? confidence(row) : gate === 'entropy' ? certainty(row) : agreement(members, best);
  return gateWeight(trust, gateThreshold);
}

/** CTC puts the blank first. */
const blank = 0;

/** @throws {InputError} for a frame that is no distribution: it has no number at all */
export function checkPosteriors(
  combined: Float32Array,
  { utterance, frames, path }: Pick<DenseUtterance, 'utterance' | 'frames' | 'path'>,
  vocabularySize: number,
): void {
  for (let frame = 0; frame < frames; frame++) {
    if (!Number.isNaN(combined[frame * vocabularySize])) continue;
    throw new InputError(
      `Cannot filter utterance "${utterance}": what ${path} says of frame ${frame} is no distribution (NaN, or teachers that have no token in common); cache again, or take --combine linear`,
    );
  }
}
