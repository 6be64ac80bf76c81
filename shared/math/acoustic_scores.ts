/**
 * What a decoder or an aligner adds up per frame: acousticScale × (log posterior − priorScale × log prior).
 *
 * With priorScale above 0 a token of prior 0 is ruled out (−Infinity): a model that never saw it knows nothing of it.
 *
 * @param logPosteriors [frames × vocabularySize], nats
 * @param logPrior [vocabularySize], nats
 * @returns a new array, [frames × vocabularySize]
 */
export function acousticScores(
  { logPosteriors, logPrior }: { logPosteriors: Float32Array; logPrior: ArrayLike<number> },
  { acousticScale, priorScale }: { acousticScale: number; priorScale: number },
): Float32Array {
  const bias = priorBias(logPrior, { acousticScale, priorScale });
  return logPosteriors.map((logPosterior, i) => acousticScale * logPosterior + bias[i % bias.length]!);
}

/** −acousticScale × priorScale × log prior of each token; −Infinity for a token of prior 0 unless priorScale is 0. */
export function priorBias(
  logPrior: ArrayLike<number>,
  { acousticScale, priorScale }: { acousticScale: number; priorScale: number },
): Float64Array {
  const bias = new Float64Array(logPrior.length);
  if (priorScale === 0) return bias;
  for (let token = 0; token < bias.length; token++) {
    const prior = logPrior[token]!;
    bias[token] = prior === -Infinity ? -Infinity : -acousticScale * priorScale * prior;
  }
  return bias;
}
