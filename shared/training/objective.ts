import { InputError } from '../io/errors.ts';
import { ctcDistillationLoss, type LossParts } from '../math/ctc_distillation_loss.ts';
import type { StudentAndTargets } from '../math/distillation_loss.ts';
import type { Batch } from './batches.ts';

/** What hard labels say: the token of each frame, or the transcript, wherever its tokens lie. */
export const objectives = ['frame', 'ctc'] as const;
export type ObjectiveName = (typeof objectives)[number];

/** What a table was made for by its metadata; those that do not say it are of frames. */
export const objectiveOf = (metadata: Readonly<Record<string, string>>): ObjectiveName =>
  metadata['kd.objective'] === 'ctc' ? 'ctc' : 'frame';

/** @throws {InputError} when soft targets are of models of the other objective */
export function checkObjective(
  { path, metadata }: { path: string; metadata: Readonly<Record<string, string>> },
  expected: ObjectiveName,
): void {
  const found = objectiveOf(metadata);
  if (found === expected) return;
  throw new InputError(
    `Cannot use ${path} with --objective ${expected}: its teachers were trained with --objective ${found}; take teachers of one objective with their student`,
  );
}

/** The loss of a batch, as far as an update needs it. */
export type BatchLoss = (logits: Float32Array, batch: Batch) => { lossNats: number; gradient: Float32Array };

interface LossOptions
  extends Pick<
    StudentAndTargets,
    'tail' | 'temperature' | 'softWeight' | 'labelSmoothing' | 'gated' | 'vocabularySize'
  > {
  objective: ObjectiveName;
}

/** The loss of an objective; see `distillationLoss` and `ctcDistillationLoss`. */
export function batchLossOf({ objective, ...options }: LossOptions, parts: LossParts): BatchLoss {
  if (objective === 'frame')
    return (logits, { hardLabels, soft }) => parts.distillationLoss({ ...options, logits, hardLabels, soft });
  const { vocabularySize, tail, temperature, softWeight } = options;
  return (logits, { input, transcripts, hypotheses, soft }) => {
    const { utteranceOffsets } = input;
    const spoken = { utteranceOffsets, transcripts, hypotheses };
    return ctcDistillationLoss({ logits, vocabularySize, ...spoken, soft, tail, temperature, softWeight }, parts);
  };
}
