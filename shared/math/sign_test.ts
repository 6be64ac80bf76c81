/** How many prefer the one, how many the other, and how many neither. */
export interface Preferences {
  better: number;
  equal: number;
  worse: number;
}

/**
 * The chance that as many or more of them agree when each is as likely to prefer the one as the other: a two-sided sign
 * test. Those that prefer neither go half to each side, an odd one to the smaller.
 *
 * @see NIST SCTK, sc_stats -t sign, the signed paired comparison of speakers
 */
export function signTest({ better, equal, worse }: Preferences): number {
  const total = better + equal + worse;
  const fewer = Math.min(better, worse) + Math.ceil(equal / 2);
  if (2 * fewer >= total) return 1;
  let logTerm = -total * Math.LN2; // of the binomial distribution, from 0 on
  let sum = 0;
  for (let i = 0; i <= fewer; i++) {
    sum += Math.exp(logTerm);
    logTerm += Math.log((total - i) / (i + 1));
  }
  return Math.min(1, 2 * sum);
}
