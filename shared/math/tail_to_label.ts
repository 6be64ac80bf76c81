import type { Kept } from './select.ts';

/** Gives the mass not kept to the hard label, which joins the tokens if it is not among them. Nothing is left over. */
export function tailToLabel({ tokens, logPosteriors, logTail }: Kept, label: number): Kept {
  if (logTail === -Infinity) return { tokens, logPosteriors, logTail };
  const posteriors = new Map(Array.from(tokens, (token, i) => [token, Math.exp(logPosteriors[i]!)]));
  posteriors.set(label, (posteriors.get(label) ?? 0) + Math.exp(logTail));
  const ranked = [...posteriors].sort(([tokenA, a], [tokenB, b]) => b - a || tokenA - tokenB);
  return {
    tokens: Uint16Array.from(ranked, ([token]) => token),
    logPosteriors: Float32Array.from(ranked, ([, posterior]) => Math.log(posterior)),
    logTail: -Infinity,
  };
}
