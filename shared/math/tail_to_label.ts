import type { Kept } from './keep_tokens.ts';

type Targets = Pick<Kept, 'offsets' | 'tokens' | 'logPosteriors' | 'logTail'>;

/**
 * Gives the mass that a frame does not keep to its hard label, which joins the tokens if it is not among them. Nothing is
 * left over; frames that keep nothing, or lose nothing, stay as they are.
 *
 * @param labels [frames]
 */
export function tailToLabel({ offsets, tokens, logPosteriors, logTail }: Targets, labels: ArrayLike<number>): Targets {
  const kept: [token: number, logPosterior: number][][] = [];
  const ends = new Int32Array(offsets.length);
  const left = logTail.slice();
  for (let frame = 0; frame < logTail.length; frame++) {
    const [from, to] = [offsets[frame]!, offsets[frame + 1]!];
    const ranked = Array.from(tokens.subarray(from, to), (token, i): [number, number] => [
      token,
      logPosteriors[from + i]!,
    ]);
    if (from < to && logTail[frame]! > -Infinity) {
      const label = labels[frame]!;
      const place = ranked.findIndex(([token]) => token === label);
      const tail = Math.exp(logTail[frame]!);
      if (place < 0) ranked.push([label, logTail[frame]!]);
      else ranked[place]![1] = Math.log(Math.exp(ranked[place]![1]) + tail);
      ranked.sort(([tokenA, a], [tokenB, b]) => b - a || tokenA - tokenB);
      left[frame] = -Infinity;
    }
    kept.push(ranked);
    ends[frame + 1] = ends[frame]! + ranked.length;
  }
  return {
    offsets: ends,
    tokens: Uint16Array.from(kept.flat(), ([token]) => token),
    logPosteriors: Float32Array.from(kept.flat(), ([, logPosterior]) => logPosterior),
    logTail: left,
  };
}
