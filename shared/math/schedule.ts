/**
 * Share of the peak learning rate at an update: a straight rise over the first `warmUp` (a share) of the updates, then
 * half a cosine that would reach zero at `updates`.
 *
 * @param update from 0; the first one already learns
 * @see Goyal et al. (2017), Accurate, Large Minibatch SGD, sec. 2.2, for the rise
 * @see Loshchilov, Hutter (2017), SGDR, eq. 5, for the cosine
 */
export function warmUpCosine(update: number, { updates, warmUp }: { updates: number; warmUp: number }): number {
  const rise = Math.round(warmUp * updates);
  if (update < rise) return (update + 1) / rise;
  if (update >= updates) return 0;
  return 0.5 * (1 + Math.cos((Math.PI * (update - rise)) / (updates - rise)));
}
