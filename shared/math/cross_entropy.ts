import type { StudentRow } from './student_row.ts';

/**
 * Cross-entropy of one frame with its hard label, smoothed: the target is 1 − ε on the label and ε spread evenly over
 * all tokens, the label included.
 *
 * Adds scale · ∂/∂(z/T) = scale · (posterior − target) into the frame's place of the gradient.
 *
 * @returns nats
 * @throws {RangeError} when the label is not one of the tokens
 * @see Szegedy et al. (2016), Rethinking the Inception Architecture for Computer Vision, sec. 7
 */
export function addCrossEntropyInto(
  gradient: Float32Array,
  student: StudentRow,
  { label, labelSmoothing, scale }: { label: number; labelSmoothing: number; scale: number },
): number {
  const { logits, vocabularySize, temperature, start, exponentials, sum, logSum } = student;
  if (!(label >= 0 && label < vocabularySize)) {
    throw new RangeError(`Cannot use hard label ${label}: there are ${vocabularySize} tokens`);
  }
  const even = labelSmoothing / vocabularySize;
  const perExponential = scale / sum;
  for (let token = 0; token < vocabularySize; token++) {
    gradient[start + token]! += exponentials[token]! * perExponential - scale * even;
  }
  gradient[start + label]! -= scale * (1 - labelSmoothing);
  let nats = (1 - labelSmoothing) * (logSum - logits[start + label]! / temperature);
  if (even > 0) {
    for (let token = 0; token < vocabularySize; token++) {
      nats += even * (logSum - logits[start + token]! / temperature);
    }
  }
  return nats;
}
