import { ctcDistillationLoss, type LossParts } from '../math/ctc_distillation_loss.ts';
import type { StudentAndTargets } from '../math/distillation_loss.ts';
import type { Batch } from './batches.ts';
import type { ObjectiveName } from './objective.ts';

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
