/** Mass that goes from a token of one vocabulary to a token of another. */
export interface TokenShare {
  from: number;
  to: number;
  /** Of what `from` has, in [0, 1]. */
  share: number;
}

/**
 * Carries log-posteriors over to another vocabulary: p'(t) = Σₛ share(s → t) · p(s). Mass of tokens that go nowhere is
 * dropped, and what remains is scaled up to a distribution: the posterior given that it was none of them. A token to
 * which nothing goes has no mass, −∞.
 *
 * @param sizes of both vocabularies
 * @returns for log-posteriors [frames × sizes.from], nats, those of the other [frames × sizes.to]; a frame of which
 *   everything is dropped becomes NaN
 */
export function createTokenMap(
  shares: readonly TokenShare[],
  sizes: { from: number; to: number },
): (logPosteriors: Float32Array) => Float32Array {
  const sources = Array.from({ length: sizes.to }, (): Source[] => []);
  const given = new Float64Array(sizes.from);
  for (const { from, to, share } of shares) {
    given[from]! += share;
    if (share > 0) sources[to]!.push({ from, logShare: Math.log(share) });
  }
  const dropsMass = given.some((sum) => sum < 1 - 1e-9);
  return (logPosteriors) => {
    const frames = logPosteriors.length / sizes.from;
    const result = new Float32Array(frames * sizes.to);
    for (let frame = 0; frame < frames; frame++) {
      const row = logPosteriors.subarray(frame * sizes.from, (frame + 1) * sizes.from);
      const lost = dropsMass ? Math.log(keptMass(row, given)) : 0;
      for (let to = 0; to < sizes.to; to++) result[frame * sizes.to + to] = logSum(row, sources[to]!) - lost;
    }
    return result;
  };
}

interface Source {
  from: number;
  logShare: number;
}

/** One source keeps its digits; of several, log Σ exp. */
function logSum(row: Float32Array, sources: readonly Source[]): number {
  if (sources.length === 1) return row[sources[0]!.from]! + sources[0]!.logShare;
  let sum = 0;
  for (const { from, logShare } of sources) sum += Math.exp(row[from]! + logShare);
  return Math.log(sum);
}

function keptMass(row: Float32Array, given: Float64Array): number {
  let sum = 0;
  for (let from = 0; from < row.length; from++) sum += given[from]! * Math.exp(row[from]!);
  return sum;
}
