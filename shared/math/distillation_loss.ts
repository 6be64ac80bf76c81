import { addCrossEntropyInto } from './cross_entropy.ts';
import { addSparseKlInto, createSparseKlScratch } from './sparse_kl.ts';
import type { SparseTargets, Tail } from './sparse_targets.ts';
import { createStudentRow, readStudentRow } from './student_row.ts';

export type { Tail } from './sparse_targets.ts';

export interface StudentAndTargets {
  /** The student's, row-major [frames × vocabularySize]. */
  logits: Float32Array;
  vocabularySize: number;
  /** [frames], −1 where there is none. */
  hardLabels: Int32Array;
  /** Absent where no teacher was asked. */
  soft?: SparseTargets;
  /** What the mass not kept means, and T: as the targets were made. */
  tail: Tail;
  temperature: number;
  /** w in [0, 1]. */
  softWeight: number;
  /** ε in [0, 1). */
  labelSmoothing: number;
  /** Where the soft weight of a frame goes on which the gate is shut. */
  gated: 'to-hard' | 'drop';
}

export interface DistillationLoss {
  /** Mean over all frames: the sum of the next two. */
  lossNats: number;
  /** The parts of hard labels and soft targets in it, weights and T² included. */
  hardNats: number;
  softNats: number;
  /** ∂ lossNats / ∂ logits, [frames × vocabularySize]. */
  gradient: Float32Array;
}

/**
 * Learning from hard labels and from teachers at once. Per frame
 *
 *     L = h · crossEntropy(hard label) + w · g · T² · KL(soft targets ‖ student at T)
 *
 * with h = 1 − w·g (`to-hard`) or 1 − w (`drop`), h = 1 where no teacher was asked, h = 0 where there is no hard label.
 * The loss is the sum over frames divided by their number, labelled or not.
 *
 * @throws {RangeError} when shapes do not fit each other, or a label or token is not in the vocabulary
 * @see Hinton, Vinyals, Dean (2015), Distilling the Knowledge in a Neural Network, sec. 2: the weighted average and T²
 */
export function distillationLoss(given: StudentAndTargets): DistillationLoss {
  const { logits, vocabularySize, hardLabels, soft, tail, temperature, labelSmoothing } = given;
  const frames = checkShapes(given);
  const gradient = new Float32Array(logits.length);
  const student = createStudentRow(logits, vocabularySize, 1);
  const softStudent = temperature === 1 ? student : createStudentRow(logits, vocabularySize, temperature);
  const scratch = createSparseKlScratch(vocabularySize);
  let hardSum = 0;
  let softSum = 0;
  for (let frame = 0; frame < frames; frame++) {
    const { hardShare, softShare } = sharesOf(given, frame);
    const label = hardLabels[frame]!;
    if (hardShare > 0) {
      readStudentRow(student, frame);
      const scale = hardShare / frames;
      hardSum += hardShare * addCrossEntropyInto(gradient, student, { label, labelSmoothing, scale });
    }
    if (softShare > 0) {
      if (hardShare === 0 || softStudent !== student) readStudentRow(softStudent, frame);
      const scale = (softShare * temperature) / frames; // T² of the loss, 1/T of the logits
      const nats = addSparseKlInto(gradient, softStudent, soft!, { frame, tail, scale, scratch });
      softSum += softShare * temperature * temperature * nats;
    }
  }
  const hardNats = frames > 0 ? hardSum / frames : 0;
  const softNats = frames > 0 ? softSum / frames : 0;
  return { lossNats: hardNats + softNats, hardNats, softNats, gradient };
}

/** What hard label and soft targets of a frame count: h and w·g. */
export function sharesOf(
  { hardLabels, soft, softWeight, gated }: StudentAndTargets,
  frame: number,
): { hardShare: number; softShare: number } {
  const gate = soft ? soft.weight[frame]! : 1;
  const hasTargets = soft !== undefined && soft.offsets[frame + 1]! > soft.offsets[frame]!;
  const wasAsked = hasTargets || gate === 0;
  const softShare = hasTargets ? softWeight * gate : 0;
  const hardShare = hardLabels[frame]! < 0 ? 0 : wasAsked && gated === 'drop' ? 1 - softWeight : 1 - softShare;
  return { hardShare, softShare };
}

/** @returns the number of frames */
export function checkShapes({ logits, vocabularySize, hardLabels, soft, temperature }: StudentAndTargets): number {
  const frames = hardLabels.length;
  if (logits.length !== frames * vocabularySize) {
    throw new RangeError(
      `Cannot compare ${logits.length} logits with ${frames} hard labels: ${vocabularySize} tokens make ${frames * vocabularySize}`,
    );
  }
  if (
    soft &&
    !(soft.offsets.length === frames + 1 && soft.weight.length === frames && soft.logTail.length === frames)
  ) {
    throw new RangeError(
      `Cannot compare ${frames} frames with soft targets of ${soft.offsets.length - 1}; pack them alike`,
    );
  }
  if (!(temperature > 0 && temperature < Infinity)) {
    throw new RangeError(`Cannot use temperature ${temperature}; give a finite number above 0`);
  }
  return frames;
}
