import { checkLogits, logSoftmax } from '../log_softmax.ts';
import { type TopOfFrames, topTokensOfFrames } from '../top_tokens.ts';
import { type KernelMemory, sharedKernelMemory } from './memory.ts';

/**
 * `logSoftmax`, four tokens at once; itself where the processor has no SIMD.
 *
 * @throws {RangeError} as `logSoftmax`
 */
export function fastLogSoftmax(
  logits: Float32Array,
  vocabularySize: number,
  { temperature = 1 }: { temperature?: number } = {},
): Float32Array {
  const memory = sharedKernelMemory();
  if (!memory) return logSoftmax(logits, vocabularySize, { temperature });
  checkLogits(logits, vocabularySize, temperature);
  memory.clear(4 * logits.length);
  const values = memory.floats(logits.length);
  values.set(logits);
  const place = memory.at(values);
  memory.functions.softmax!(place, place, 0, logits.length / vocabularySize, vocabularySize, 1 / temperature);
  return values.slice();
}

/**
 * `topTokensOfFrames`, four tokens at once; itself where the processor has no SIMD, or a frame has fewer numbers.
 *
 * @throws {RangeError} as `topTokensOfFrames`
 */
export function fastTopTokensOfFrames(scores: Float32Array, vocabularySize: number, count: number): TopOfFrames {
  const found = topOf(scores, { vocabularySize, count, withLogSums: true });
  return found ? { ...found, logSums: found.logSums! } : topTokensOfFrames(scores, vocabularySize, count);
}

/**
 * The same without log Σ exp, which takes longer than the tokens.
 *
 * @throws {RangeError} as `topTokensOfFrames`
 */
export function fastBestTokensOfFrames(
  scores: Float32Array,
  vocabularySize: number,
  count: number,
): Pick<TopOfFrames, 'tokens' | 'scores'> {
  return topOf(scores, { vocabularySize, count }) ?? topTokensOfFrames(scores, vocabularySize, count);
}

interface Top {
  vocabularySize: number;
  count: number;
  withLogSums?: boolean;
}

function topOf(scores: Float32Array, { vocabularySize, count, withLogSums }: Top) {
  const memory = sharedKernelMemory();
  const frames = scores.length / vocabularySize;
  if (!memory || !Number.isInteger(frames) || !(count >= 1 && count <= vocabularySize && vocabularySize <= 65536)) {
    return undefined;
  }
  const sizes = { frames, vocabularySize, count };
  // the last vector may reach beyond the last score
  memory.clear(4 * (scores.length + 3) + topBytes(sizes));
  const all = memory.floats(scores.length + 3);
  all.set(scores);
  const found = topIn(memory, all, sizes, withLogSums);
  return found && { tokens: found.tokens.slice(), scores: found.scores.slice(), logSums: found.logSums?.slice() };
}

interface Sizes {
  frames: number;
  vocabularySize: number;
  /** Tokens to find in each frame. */
  count: number;
}

/** What `topIn` needs beside the scores. */
export const topBytes = ({ frames, vocabularySize, count }: Sizes): number =>
  frames * (6 * count + 4) + 8 * count + vocabularySize;

/**
 * The best tokens of scores in a memory, which may be read up to three beyond the last.
 *
 * @returns arrays of that memory; undefined where a frame has fewer numbers
 */
export function topIn(
  memory: KernelMemory,
  scores: Float32Array,
  { frames, vocabularySize, count }: Sizes,
  withLogSums = false,
) {
  const tokens = memory.words(frames * count);
  const best = memory.floats(frames * count);
  const logSums = withLogSums ? memory.floats(frames) : undefined;
  const keys = memory.floats64(count);
  const marks = memory.bytes(vocabularySize).fill(0);
  const places = [tokens, best, logSums, keys, marks].map(memory.at);
  const done = memory.functions.topTokens!(memory.at(scores), frames, vocabularySize, count, ...places);
  return done < frames ? undefined : { tokens, scores: best, logSums };
}
