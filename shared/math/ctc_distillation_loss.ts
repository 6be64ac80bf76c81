import { concatenate } from './concatenate.ts';
import { ctcLoss, type LogitsAndTranscripts } from './ctc_loss.ts';
import { type DistillationLoss, distillationLoss, type StudentAndTargets } from './distillation_loss.ts';

export interface TranscriptsAndTargets extends Pick<StudentAndTargets, 'soft' | 'tail' | 'temperature' | 'softWeight'> {
  /** The student's, row-major [frames × vocabularySize]; utterances one after another. */
  logits: Float32Array;
  vocabularySize: number;
  /** [utterances + 1], in frames. */
  utteranceOffsets: Int32Array;
  /** [utterances] Tokens of each transcript, without blanks; undefined where there is none. */
  transcripts: readonly (Int32Array | undefined)[];
  /** [utterances] What the teachers hear, if anything; in place of soft targets, or beside them. */
  hypotheses?: readonly (readonly WeightedTranscript[] | undefined)[];
  /** The token that stands for no label; 0 unless given. */
  blank?: number;
}

/** A token sequence and its probability among those of its utterance, which sum to 1. */
export interface WeightedTranscript {
  labels: Int32Array;
  weight: number;
}

/** What computes the two parts: the definitions, or their twins in `kernels`. */
export interface LossParts {
  ctcLoss: typeof ctcLoss;
  distillationLoss: typeof distillationLoss;
}

/**
 * Learning from transcripts and from teachers at once. Over a batch of F frames
 *
 *     L = 1/F · ( (1 − w) · Σ −ln p(transcript | utterance) + w · S ),
 *     S = Σ g · T² · KL(soft targets ‖ student at T) + Σ Σ q · −ln p(hypothesis | utterance)
 *
 * with the first sum over utterances that have a transcript, the second over all frames with soft targets, the last over
 * the hypotheses of an utterance and their probabilities q; w = 0 without any of the latter two. All are divided by all
 * frames, so that w weighs nats a frame against nats a frame. A gated frame is dropped: there is no hard label that its
 * weight could go to.
 *
 * @returns `hardNats` is the part of the transcripts; infinite where one does not fit into its utterance
 * @throws {RangeError} when shapes do not fit each other, or a label or token is not in the vocabulary
 * @see Graves et al. (2006), Connectionist Temporal Classification; Hinton, Vinyals, Dean (2015), Distilling the
 *   Knowledge in a Neural Network, sec. 2, for the weighted average and T²; Kim, Rush (2016), Sequence-Level Knowledge
 *   Distillation, sec. 3.2, for the hypotheses, of which there it is the best alone
 */
export function ctcDistillationLoss(
  given: TranscriptsAndTargets,
  parts: LossParts = { ctcLoss, distillationLoss },
): DistillationLoss {
  const { logits, vocabularySize, transcripts, hypotheses, soft, softWeight } = given;
  const frames = logits.length / vocabularySize;
  checkUtterances(given);
  const gradient = new Float32Array(logits.length);
  const hardWeight = soft || hypotheses ? 1 - softWeight : 1;
  const said = transcripts.flatMap((labels, utterance) => (labels ? [{ utterance, labels, weight: hardWeight }] : []));
  const heard = (hypotheses ?? []).flatMap((several = [], utterance) =>
    several.map(({ labels, weight }) => ({ utterance, labels, weight: softWeight * weight })),
  );
  const hardNats = addCtcInto(gradient, said, given, parts);
  const heardNats = addCtcInto(gradient, heard, given, parts);
  if (!soft) return { lossNats: hardNats + heardNats, hardNats, softNats: heardNats, gradient };
  const { tail, temperature } = given;
  const found = parts.distillationLoss({
    ...{ logits, vocabularySize, soft, tail, temperature, softWeight },
    hardLabels: new Int32Array(frames).fill(-1),
    ...{ labelSmoothing: 0, gated: 'drop' },
  });
  for (let i = 0; i < gradient.length; i++) gradient[i]! += found.gradient[i]!;
  const softNats = heardNats + found.softNats;
  return { lossNats: hardNats + softNats, hardNats, softNats, gradient };
}

function checkUtterances(given: TranscriptsAndTargets): void {
  const { logits, vocabularySize, utteranceOffsets, transcripts, hypotheses = transcripts } = given;
  if (utteranceOffsets.length !== transcripts.length + 1) {
    throw new RangeError(
      `Cannot compare ${utteranceOffsets.length - 1} utterances with ${transcripts.length} transcripts; give one each, undefined where there is none`,
    );
  }
  if (hypotheses.length !== transcripts.length) {
    throw new RangeError(
      `Cannot compare ${transcripts.length} utterances with the hypotheses of ${hypotheses.length}; give those of each, undefined where there are none`,
    );
  }
  if (utteranceOffsets.at(-1)! * vocabularySize !== logits.length) {
    throw new RangeError(
      `Cannot split ${logits.length} logits of ${vocabularySize} tokens into ${utteranceOffsets.at(-1)} frames; pack them alike`,
    );
  }
}

/** A token sequence that an utterance is compared with. */
interface Spoken {
  utterance: number;
  labels: Int32Array;
}

/**
 * Adds Σ weight · ∂/∂ logits of −ln p(labels | utterance) / all frames to the places of their utterances.
 *
 * @returns Σ weight × nats, divided by the frames of all utterances
 */
function addCtcInto(
  gradient: Float32Array,
  all: readonly (Spoken & { weight: number })[],
  given: TranscriptsAndTargets,
  { ctcLoss }: LossParts,
): number {
  const weighed = all.filter(({ weight }) => weight > 0);
  if (weighed.length === 0) return 0;
  const { vocabularySize, utteranceOffsets } = given;
  const batch = spokenBatch(given, weighed);
  const found = ctcLoss(batch);
  const perFrame = 1 / Math.max(1, utteranceOffsets.at(-1)!);
  const rescale = (batch.logits.length / vocabularySize) * perFrame; // it was divided by the frames of this batch
  let lossNats = 0;
  let from = 0;
  weighed.forEach(({ utterance, weight }, i) => {
    const start = utteranceOffsets[utterance]! * vocabularySize;
    const end = utteranceOffsets[utterance + 1]! * vocabularySize;
    const share = weight * rescale;
    for (let place = start; place < end; place++) gradient[place]! += share * found.gradient[from++]!;
    lossNats += weight * found.utteranceNats[i]!;
  });
  return perFrame * lossNats;
}

/** A batch of the utterances that are named, in their order and as often; the same logits where it is all of them, once. */
export function spokenBatch(
  given: Pick<TranscriptsAndTargets, 'logits' | 'vocabularySize' | 'utteranceOffsets' | 'blank'>,
  spoken: readonly Spoken[],
): LogitsAndTranscripts {
  const { logits, vocabularySize, utteranceOffsets, blank } = given;
  const own = spoken.map(({ labels }) => labels);
  const common = {
    vocabularySize,
    labels: concatenate(Int32Array, own),
    labelOffsets: offsetsOf(own.map(({ length }) => length)),
    blank,
  };
  const isAll = spoken.length === utteranceOffsets.length - 1 && spoken.every(({ utterance }, i) => utterance === i);
  if (isAll) return { ...common, logits, utteranceOffsets };
  const lengths = spoken.map(({ utterance }) => utteranceOffsets[utterance + 1]! - utteranceOffsets[utterance]!);
  const picked = new Float32Array(vocabularySize * lengths.reduce((sum, length) => sum + length, 0));
  let place = 0;
  spoken.forEach(({ utterance }, n) => {
    const start = utteranceOffsets[utterance]! * vocabularySize;
    picked.set(logits.subarray(start, start + lengths[n]! * vocabularySize), place);
    place += lengths[n]! * vocabularySize;
  });
  return { ...common, logits: picked, utteranceOffsets: offsetsOf(lengths) };
}

function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    offsets[i + 1] = offsets[i]! + length;
  });
  return offsets;
}
