import { checkLogits, logSoftmax } from '../log_softmax.ts';
import { type TopOfFrames, topTokensOfFrames } from '../top_tokens.ts';
import { sharedKernelMemory } from './memory.ts';

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
  memory.functions.logSoftmax!(place, place, logits.length / vocabularySize, vocabularySize, 1 / temperature);
  return values.slice();
}

/**
 * `topTokensOfFrames`, four tokens at once; itself where the processor has no SIMD, or a frame has fewer numbers.
 *
 * @throws {RangeError} as `topTokensOfFrames`
 */
export function fastTopTokensOfFrames(scores: Float32Array, vocabularySize: number, count: number): TopOfFrames {
  const memory = sharedKernelMemory();
  const frames = scores.length / vocabularySize;
  if (!memory || !Number.isInteger(frames) || !(count >= 1 && count <= vocabularySize && vocabularySize <= 65536)) {
    return topTokensOfFrames(scores, vocabularySize, count);
  }
  memory.clear(4 * scores.length + frames * (6 * count + 4) + 8 * count + vocabularySize);
  // the last vector may reach beyond the last score
  const all = memory.floats(scores.length + 3);
  all.set(scores);
  const tokens = memory.words(frames * count);
  const [best, logSums] = [memory.floats(frames * count), memory.floats(frames)];
  const keys = memory.floats64(count);
  const marks = memory.bytes(vocabularySize).fill(0);
  const places = [tokens, best, logSums, keys, marks].map(memory.at);
  const done = memory.functions.topTokens!(memory.at(all), frames, vocabularySize, count, ...places);
  if (done < frames) return topTokensOfFrames(scores, vocabularySize, count);
  return { tokens: tokens.slice(), scores: best.slice(), logSums: logSums.slice() };
}
