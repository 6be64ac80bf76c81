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
  /** The token that stands for no label; 0 unless given. */
  blank?: number;
}

/** What computes the two parts: the definitions, or their twins in `kernels`. */
export interface LossParts {
  ctcLoss: typeof ctcLoss;
  distillationLoss: typeof distillationLoss;
}

/**
 * Learning from transcripts and from teachers at once. Over a batch of F frames
 *
 *     L = 1/F · ( (1 − w) · Σ −ln p(transcript | utterance) + w · Σ g · T² · KL(soft targets ‖ student at T) )
 *
 * with the first sum over utterances that have a transcript, the second over all frames with soft targets; w = 0 without
 * any. Both are divided by all frames, so that w weighs nats a frame against nats a frame. A gated frame is dropped:
 * there is no hard label that its weight could go to.
 *
 * @returns `hardNats` is the part of the transcripts; infinite where one does not fit into its utterance
 * @throws {RangeError} when shapes do not fit each other, or a label or token is not in the vocabulary
 * @see Graves et al. (2006), Connectionist Temporal Classification; Hinton, Vinyals, Dean (2015), Distilling the
 *   Knowledge in a Neural Network, sec. 2, for the weighted average and T²
 */
export function ctcDistillationLoss(
  given: TranscriptsAndTargets,
  parts: LossParts = { ctcLoss, distillationLoss },
): DistillationLoss {
  const { logits, vocabularySize, soft, softWeight } = given;
  const frames = logits.length / vocabularySize;
  checkUtterances(given);
  const gradient = new Float32Array(logits.length);
  const hardNats = addCtcInto(gradient, given, { scale: soft ? 1 - softWeight : 1, ctcLoss: parts.ctcLoss });
  if (!soft) return { lossNats: hardNats, hardNats, softNats: 0, gradient };
  const { tail, temperature } = given;
  const { softNats, gradient: softGradient } = parts.distillationLoss({
    ...{ logits, vocabularySize, soft, tail, temperature, softWeight },
    hardLabels: new Int32Array(frames).fill(-1),
    ...{ labelSmoothing: 0, gated: 'drop' },
  });
  for (let i = 0; i < gradient.length; i++) gradient[i]! += softGradient[i]!;
  return { lossNats: hardNats + softNats, hardNats, softNats, gradient };
}

function checkUtterances({ logits, vocabularySize, utteranceOffsets, transcripts }: TranscriptsAndTargets): void {
  if (utteranceOffsets.length !== transcripts.length + 1) {
    throw new RangeError(
      `Cannot compare ${utteranceOffsets.length - 1} utterances with ${transcripts.length} transcripts; give one each, undefined where there is none`,
    );
  }
  if (utteranceOffsets.at(-1)! * vocabularySize !== logits.length) {
    throw new RangeError(
      `Cannot split ${logits.length} logits of ${vocabularySize} tokens into ${utteranceOffsets.at(-1)} frames; pack them alike`,
    );
  }
}

/**
 * Adds scale · ∂/∂ logits of the transcripts' part to their utterances' places.
 *
 * @returns scale × nats, divided by the frames of all utterances
 */
function addCtcInto(
  gradient: Float32Array,
  given: TranscriptsAndTargets,
  { scale, ctcLoss }: { scale: number; ctcLoss: LossParts['ctcLoss'] },
): number {
  const transcribed = given.transcripts.flatMap((transcript, i) => (transcript ? [i] : []));
  if (scale === 0 || transcribed.length === 0) return 0;
  const { vocabularySize, utteranceOffsets } = given;
  const batch = transcribedBatch(given, transcribed);
  const found = ctcLoss(batch);
  const frames = batch.logits.length / vocabularySize;
  const share = (scale * frames) / Math.max(1, utteranceOffsets.at(-1)!); // it was divided by frames that are transcribed
  let from = 0;
  for (const i of transcribed) {
    const start = utteranceOffsets[i]! * vocabularySize;
    const end = utteranceOffsets[i + 1]! * vocabularySize;
    for (let place = start; place < end; place++) gradient[place]! += share * found.gradient[from++]!;
  }
  return share * found.lossNats;
}

/** Utterances of a batch that have a transcript, all unless some are named; the same logits where it is all of them. */
export function transcribedBatch(
  given: Pick<TranscriptsAndTargets, 'logits' | 'vocabularySize' | 'utteranceOffsets' | 'transcripts' | 'blank'>,
  utterances: readonly number[] = [...given.transcripts.keys()],
): LogitsAndTranscripts {
  const { logits, vocabularySize, utteranceOffsets, transcripts, blank } = given;
  const own = utterances.map((i) => transcripts[i]!);
  const common = {
    vocabularySize,
    labels: joined(own),
    labelOffsets: offsetsOf(own.map(({ length }) => length)),
    blank,
  };
  if (utterances.length === transcripts.length) return { ...common, logits, utteranceOffsets };
  const lengths = utterances.map((i) => utteranceOffsets[i + 1]! - utteranceOffsets[i]!);
  const picked = new Float32Array(vocabularySize * lengths.reduce((sum, length) => sum + length, 0));
  let place = 0;
  utterances.forEach((i, n) => {
    const start = utteranceOffsets[i]! * vocabularySize;
    picked.set(logits.subarray(start, start + lengths[n]! * vocabularySize), place);
    place += lengths[n]! * vocabularySize;
  });
  return { ...common, logits: picked, utteranceOffsets: offsetsOf(lengths) };
}

function joined(parts: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}

function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    offsets[i + 1] = offsets[i]! + length;
  });
  return offsets;
}
