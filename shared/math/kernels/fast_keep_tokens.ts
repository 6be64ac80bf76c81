import { type Kept, keepTokens } from '../keep_tokens.ts';
import type { Ranked } from '../select.ts';
import { type KernelMemory, sharedKernelMemory } from './memory.ts';

/** `keepTokens`, four tokens at once; itself where the processor has no SIMD. */
export function fastKeepTokens(logPosteriors: Float32Array, vocabularySize: number, ranked: Ranked): Kept {
  const memory = sharedKernelMemory();
  if (!memory) return keepTokens(logPosteriors, vocabularySize, ranked);
  const frames = ranked.offsets.length - 1;
  const count = frames > 0 ? ranked.tokens.length / frames : 0;
  memory.clear(4 * logPosteriors.length + keepBytes({ frames, vocabularySize, count }));
  return keepIn(memory, logPosteriors, vocabularySize, ranked);
}

/** What `keepIn` needs beside the log-posteriors; `count` is the tokens of a frame, on average. */
export const keepBytes = ({
  frames,
  vocabularySize,
  count,
}: {
  frames: number;
  vocabularySize: number;
  count: number;
}) => 8 * (vocabularySize + 3) + 6 * frames * count + 16 + 16 * (frames + 1);

/** `fastKeepTokens` in a memory that may hold the log-posteriors and the tokens already. */
export function keepIn(
  memory: KernelMemory,
  logPosteriors: Float32Array,
  vocabularySize: number,
  { offsets, tokens }: Ranked,
): Kept {
  const frames = offsets.length - 1;
  const padded = vocabularySize + 3;
  const given = [logPosteriors, offsets, tokens].map(memory.put) as [number, number, number];
  const values = memory.floats(tokens.length + 3).subarray(0, tokens.length);
  const [lostMass, logTail, divergence] = [frames, frames, frames].map(memory.floats) as [
    ...[Float32Array, Float32Array, Float32Array],
  ];
  const mass = memory.floats64(padded).fill(0);
  const results = [values, lostMass, logTail, divergence, mass].map(memory.at);
  memory.functions.keepTokens!(given[0], frames, vocabularySize, given[1], given[2], ...results);
  return {
    ...{ offsets, tokens, logPosteriors: values.slice(), lostMass: lostMass.slice() },
    ...{ logTail: logTail.slice(), divergence: divergence.slice(), mass: mass.slice(0, vocabularySize) },
  };
}
