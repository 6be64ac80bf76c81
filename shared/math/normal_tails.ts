/**
 * The probability that a standard normal variable is at least as far from 0 as `z`, on either side; relative error below
 * 1.2e-7.
 *
 * @see Press et al. (1992), Numerical Recipes in C, second edition, sec. 6.2, `erfcc`
 */
export function normalTails(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const polynomial = coefficients.reduceRight((sum, coefficient) => coefficient + t * sum, 0);
  return Math.min(1, t * Math.exp(-x * x + polynomial));
}

const coefficients = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];
