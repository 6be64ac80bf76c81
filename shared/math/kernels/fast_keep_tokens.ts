import { type Kept, keepTokens } from '../keep_tokens.ts';
import type { Ranked } from '../select.ts';
import type { Combined } from './fast_combine.ts';
import { type KernelMemory, sharedKernelMemory } from './memory.ts';

/**
 * `keepTokens`, four tokens at once; itself where the processor has no SIMD.
 *
 * @param posteriors what the log-posteriors are the logarithms of, where it is known
 */
export function fastKeepTokens(
  logPosteriors: Float32Array,
  vocabularySize: number,
  ranked: Ranked,
  posteriors?: Float32Array,
): Kept {
  const memory = sharedKernelMemory();
  if (!memory) return keepTokens(logPosteriors, vocabularySize, ranked);
  const frames = ranked.offsets.length - 1;
  const count = frames > 0 ? ranked.tokens.length / frames : 0;
  const { length } = logPosteriors;
  memory.clear(8 * (length + 3) + keepBytes({ frames, vocabularySize, count }));
  const combined = { logPosteriors: memory.floats(length + 3), posteriors: memory.floats(length + 3) };
  combined.logPosteriors.set(logPosteriors);
  if (posteriors) combined.posteriors.set(posteriors);
  else memory.functions.powers!(memory.at(combined.logPosteriors), memory.at(combined.posteriors), length);
  return keepIn(memory, combined, vocabularySize, ranked);
}

/** What `keepIn` needs beside what it is given; `count` is the tokens of a frame, on average. */
export const keepBytes = ({
  frames,
  vocabularySize,
  count,
}: {
  frames: number;
  vocabularySize: number;
  count: number;
}) => 8 * (vocabularySize + 3) + 6 * frames * count + 16 + 16 * (frames + 1);

/** `fastKeepTokens` in a memory that holds the log-posteriors and their posteriors, which it spoils, and may hold the tokens. */
export function keepIn(
  memory: KernelMemory,
  { logPosteriors, posteriors }: Combined,
  vocabularySize: number,
  { offsets, tokens }: Ranked,
): Kept {
  const frames = offsets.length - 1;
  const padded = vocabularySize + 3;
  const given = [memory.at(logPosteriors), memory.at(posteriors), frames, vocabularySize];
  const values = memory.floats(tokens.length);
  const [lostMass, logTail, divergence] = [frames, frames, frames].map(memory.floats) as [
    ...[Float32Array, Float32Array, Float32Array],
  ];
  const mass = memory.floats64(padded).fill(0);
  const results = [values, lostMass, logTail, divergence, mass].map(memory.at);
  memory.functions.keepTokens!(...given, memory.put(offsets), memory.put(tokens), ...results);
  return {
    ...{ offsets, tokens, logPosteriors: values.slice(), lostMass: lostMass.slice() },
    ...{ logTail: logTail.slice(), divergence: divergence.slice(), mass: mass.slice(0, vocabularySize) },
  };
}
