import type { SparseTargets, Tail } from './sparse_targets.ts';
import type { StudentRow } from './student_row.ts';

/** Memory of `addSparseKlInto`: one for all frames. */
export interface SparseKlScratch {
  masses: Float64Array;
  kept: Uint8Array;
}
export const createSparseKlScratch = (vocabularySize: number): SparseKlScratch => ({
  masses: new Float64Array(vocabularySize),
  kept: new Uint8Array(vocabularySize),
});

/**
 * How far the student (at its temperature) is from the soft targets of one frame: KL(targets ‖ student), exact and
 * without a dense copy of the targets. What the mass τ not kept means:
 *
 * - `renormalise`: nothing; the kept tokens share all mass.
 * - `ghost`: one more outcome, "anything else". The student's mass there is the sum over the tokens not kept; how it is
 *   spread among them is the student's own affair, so its gradient goes to them in proportion to its posterior.
 * - `uniform`: each token not kept has the same part of it.
 * - `to-label`: it was given to the hard label when the targets were made; nothing is left.
 *
 * Kept mass is rescaled to 1 − τ. A token of mass 0 adds 0; one that only the student rules out makes the frame
 * infinite. Adds scale · ∂/∂(z/T) = scale · (posterior − target) into the frame's place of the gradient.
 *
 * @returns nats, ≥ 0 up to rounding
 * @throws {RangeError} when a token is not one of the student's, or there is a tail and no token left for it
 * @see Hinton, Vinyals, Dean (2015), Distilling the Knowledge in a Neural Network, eq. 2 to 4, for the gradient
 * @see Anshumann et al. (2025), Sparse Logit Sampling: Accelerating Knowledge Distillation in LLMs, for the bias that
 *   renormalising brings
 */
export function addSparseKlInto(
  gradient: Float32Array,
  student: StudentRow,
  { offsets, tokens, logPosteriors, logTail }: SparseTargets,
  { frame, tail, scale, scratch }: { frame: number; tail: Tail; scale: number; scratch: SparseKlScratch },
): number {
  const { logits, vocabularySize, temperature, start, exponentials, sum, logSum } = student;
  const { masses, kept } = scratch;
  const from = offsets[frame]!;
  const count = offsets[frame + 1]! - from;
  const tailMass = tail === 'renormalise' ? 0 : Math.exp(logTail[frame]!);
  const others = vocabularySize - count;
  if (tailMass > 0 && (tail === 'to-label' || others <= 0)) {
    const why = tail === 'to-label' ? 'it belongs to the hard label' : 'all tokens are kept';
    throw new RangeError(
      `Cannot use frame ${frame}: a mass of ${tailMass.toPrecision(3)} is left over, and ${why}; filter again`,
    );
  }
  let keptMass = 0;
  for (let i = 0; i < count; i++) {
    if (tokens[from + i]! >= vocabularySize) {
      throw new RangeError(`Cannot use token ${tokens[from + i]} in frame ${frame}: the student has ${vocabularySize}`);
    }
    masses[i] = Math.exp(logPosteriors[from + i]!);
    keptMass += masses[i]!;
  }
  const perMass = (1 - tailMass) / keptMass;
  const logPerMass = Math.log(perMass);
  const perExponential = scale / sum;
  for (let token = 0; token < vocabularySize; token++) {
    gradient[start + token]! += exponentials[token]! * perExponential;
  }
  let nats = 0;
  for (let i = 0; i < count; i++) {
    const target = masses[i]! * perMass;
    if (!(target > 0)) continue;
    const place = start + tokens[from + i]!;
    nats += target * (logPosteriors[from + i]! + logPerMass + logSum - logits[place]! / temperature);
    gradient[place]! -= scale * target;
  }
  if (!(tailMass > 0)) return nats;

  for (let i = 0; i < count; i++) kept[tokens[from + i]!] = 1;
  if (tail === 'ghost') {
    const logElse = shareElseInto(masses, student, kept);
    nats += tailMass * (logTail[frame]! + logSum - logElse);
    for (let token = 0; token < vocabularySize; token++) {
      if (kept[token] === 0) gradient[start + token]! -= scale * tailMass * masses[token]!;
    }
  } else {
    const target = tailMass / others;
    const logTarget = Math.log(target);
    for (let token = 0; token < vocabularySize; token++) {
      if (kept[token] !== 0) continue;
      nats += target * (logTarget + logSum - logits[start + token]! / temperature);
      gradient[start + token]! -= scale * target;
    }
  }
  for (let i = 0; i < count; i++) kept[tokens[from + i]!] = 0;
  return nats;
}

/** What is left of exponentials this small has lost digits. */
const underflow = 1e-290;

/**
 * The student's posterior given that the token is not one of those kept: each one's share of that mass.
 *
 * @returns log Σ exp(z/T) over the tokens not kept
 */
function shareElseInto(shares: Float64Array, student: StudentRow, kept: Uint8Array): number {
  const { logits, vocabularySize, temperature, start, exponentials, sum, logSum } = student;
  let sumElse = 0;
  for (let token = 0; token < vocabularySize; token++) if (kept[token] === 0) sumElse += exponentials[token]!;
  if (sumElse > underflow) {
    for (let token = 0; token < vocabularySize; token++) shares[token] = exponentials[token]! / sumElse;
    return logSum + Math.log(sumElse / sum);
  }
  let largest = -Infinity;
  for (let token = 0; token < vocabularySize; token++) {
    if (kept[token] === 0 && logits[start + token]! > largest) largest = logits[start + token]!;
  }
  if (largest === -Infinity) {
    shares.fill(0);
    return -Infinity;
  }
  sumElse = 0;
  for (let token = 0; token < vocabularySize; token++) {
    shares[token] = kept[token] === 0 ? Math.exp((logits[start + token]! - largest) / temperature) : 0;
    sumElse += shares[token]!;
  }
  for (let token = 0; token < vocabularySize; token++) shares[token]! /= sumElse;
  return largest / temperature + Math.log(sumElse);
}
