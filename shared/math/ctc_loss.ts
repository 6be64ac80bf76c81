/** Utterances of a batch, one after another, and what was said in them. */
export interface CtcBatch {
  /** [frames × vocabularySize] */
  logits: Float32Array;
  vocabularySize: number;
  /** First frame of each utterance, and the end of the last: [utterances + 1]. */
  utteranceOffsets: Int32Array;
  /** Tokens of all transcripts, one after another; none is the blank. */
  labels: Int32Array;
  /** [utterances + 1] */
  labelOffsets: Int32Array;
  /** 0 unless given. */
  blank?: number;
}

export interface CtcLoss {
  /** Sum over the utterances that can be aligned, divided by the number of frames of all. */
  lossNats: number;
  /** [utterances] −log P(transcript | frames); Infinity where there are too few frames for the transcript. */
  utteranceNats: Float64Array;
  /** ∂ lossNats / ∂ logits, [frames × vocabularySize]; 0 in utterances that cannot be aligned. */
  gradient: Float32Array;
}

/**
 * Connectionist temporal classification: the probability of a transcript, whatever its alignment.
 *
 * A path says a token or the blank in each frame; repeats that no blank parts are one token, and blanks are dropped. The
 * paths of a transcript are those through its tokens with blanks between and around them, `states`. Forward and backward
 * variables are logarithms in float64.
 *
 * @throws {RangeError} when shapes do not fit each other, or a label is the blank or no token
 * @see Graves, Fernández, Gomez, Schmidhuber (2006), Connectionist Temporal Classification: α, eq. 6–8; β, eq. 9–11;
 *   the gradient, eq. 16
 */
export function ctcLoss(batch: CtcBatch): CtcLoss {
  checkCtcBatch(batch);
  const { logits, vocabularySize, utteranceOffsets, labels, labelOffsets, blank = 0 } = batch;
  const gradient = new Float32Array(logits.length);
  const frames = utteranceOffsets.at(-1)!;
  const utteranceNats = Float64Array.from({ length: utteranceOffsets.length - 1 }, (_, i) => {
    const rows = [logits, gradient].map((values) =>
      values.subarray(utteranceOffsets[i]! * vocabularySize, utteranceOffsets[i + 1]! * vocabularySize),
    ) as [Float32Array, Float32Array];
    return utteranceLossInto(...rows, {
      ...{ vocabularySize, blank, scale: 1 / frames },
      labels: labels.subarray(labelOffsets[i]!, labelOffsets[i + 1]!),
    });
  });
  return { lossNats: meanNats(utteranceNats, frames), utteranceNats, gradient };
}

/** Sum over utterances that can be aligned, by frame. */
export const meanNats = (utteranceNats: Float64Array, frames: number): number =>
  utteranceNats.reduce((sum, nats) => (nats === Infinity ? sum : sum + nats), 0) / Math.max(1, frames);

/** Frames that a transcript takes at least: one a token, and a blank between equal ones. */
export function fewestFrames(labels: Int32Array): number {
  let frames = labels.length;
  for (let i = 1; i < labels.length; i++) if (labels[i] === labels[i - 1]) frames++;
  return frames;
}

interface Transcript {
  labels: Int32Array;
  vocabularySize: number;
  blank: number;
  /** What the gradient is multiplied by. */
  scale: number;
}

/** The loss of one utterance; its gradient goes into an array of zeros. */
export function utteranceLossInto(
  logits: Float32Array,
  gradient: Float32Array,
  { labels, vocabularySize, blank, scale }: Transcript,
): number {
  const frames = logits.length / vocabularySize;
  if (fewestFrames(labels) > frames) return Infinity;
  if (frames === 0) return 0;
  const stateCount = 2 * labels.length + 1;
  const states = Int32Array.from({ length: stateCount }, (_, s) => (s % 2 === 0 ? blank : labels[s >> 1]!));
  // a token may follow the one before without a blank between them, unless they are equal
  const skips = (s: number): boolean => s % 2 === 1 && s >= 3 && states[s] !== states[s - 2];
  const logPosteriors = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += vocabularySize) {
    let largest = -Infinity;
    for (let i = start; i < start + vocabularySize; i++) largest = Math.max(largest, logits[i]!);
    let sum = 0;
    for (let i = start; i < start + vocabularySize; i++) sum += Math.exp(logits[i]! - largest);
    for (let i = start; i < start + vocabularySize; i++) logPosteriors[i] = logits[i]! - largest - Math.log(sum);
  }
  const said = (frame: number, s: number): number => logPosteriors[frame * vocabularySize + states[s]!]!;

  const forward = new Float64Array(frames * stateCount).fill(-Infinity);
  forward[0] = said(0, 0);
  if (stateCount > 1) forward[1] = said(0, 1);
  for (let frame = 1; frame < frames; frame++) {
    const before = (frame - 1) * stateCount;
    for (let s = 0; s < stateCount; s++) {
      const stay = forward[before + s]!;
      const step = s > 0 ? forward[before + s - 1]! : -Infinity;
      const skip = skips(s) ? forward[before + s - 2]! : -Infinity;
      forward[frame * stateCount + s] = logSumOf3(stay, step, skip) + said(frame, s);
    }
  }
  const end = frames * stateCount - 1;
  const logProbability = logSumOf3(forward[end]!, stateCount > 1 ? forward[end - 1]! : -Infinity, -Infinity);

  // backward variables without what is said in their own frame
  let backward = new Float64Array(stateCount).fill(-Infinity);
  backward[stateCount - 1] = 0;
  if (stateCount > 1) backward[stateCount - 2] = 0;
  const share = new Float64Array(vocabularySize);
  for (let frame = frames - 1; frame >= 0; frame--) {
    share.fill(0);
    for (let s = 0; s < stateCount; s++) {
      share[states[s]!]! += Math.exp(forward[frame * stateCount + s]! + backward[s]! - logProbability);
    }
    for (let token = 0; token < vocabularySize; token++) {
      const i = frame * vocabularySize + token;
      gradient[i] = scale * (Math.exp(logPosteriors[i]!) - share[token]!);
    }
    const next = new Float64Array(stateCount);
    for (let s = 0; s < stateCount && frame > 0; s++) {
      const stay = backward[s]! + said(frame, s);
      const step = s + 1 < stateCount ? backward[s + 1]! + said(frame, s + 1) : -Infinity;
      const skip = s + 2 < stateCount && skips(s + 2) ? backward[s + 2]! + said(frame, s + 2) : -Infinity;
      next[s] = logSumOf3(stay, step, skip);
    }
    backward = next;
  }
  return -logProbability;
}

function logSumOf3(a: number, b: number, c: number): number {
  const largest = Math.max(a, b, c);
  if (largest === -Infinity) return -Infinity;
  return largest + Math.log(Math.exp(a - largest) + Math.exp(b - largest) + Math.exp(c - largest));
}

/** @throws {RangeError} as `ctcLoss` */
export function checkCtcBatch(batch: CtcBatch): void {
  const { logits, vocabularySize, utteranceOffsets, labels, labelOffsets, blank = 0 } = batch;
  const frames = utteranceOffsets.at(-1)!;
  if (logits.length !== frames * vocabularySize) {
    throw new RangeError(
      `Cannot align ${logits.length} logits: ${frames} frames of ${vocabularySize} tokens make ${frames * vocabularySize}`,
    );
  }
  if (labelOffsets.length !== utteranceOffsets.length || labelOffsets.at(-1) !== labels.length) {
    throw new RangeError(
      `Cannot align ${utteranceOffsets.length - 1} utterances with ${labelOffsets.length - 1} transcripts of ${labels.length} labels; pack them alike`,
    );
  }
  const wrong = labels.find((label) => !(label >= 0 && label < vocabularySize && label !== blank));
  if (wrong !== undefined) {
    throw new RangeError(
      `Cannot align label ${wrong}: it is ${wrong === blank ? 'the blank' : `not one of ${vocabularySize} tokens`}`,
    );
  }
}
