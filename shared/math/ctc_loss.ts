import { checkLogits } from './log_softmax.ts';
import { createStudentRow, readStudentRow, type StudentRow } from './student_row.ts';

/** A batch of utterances, one after another; offsets rise from 0 to the number of what they split. */
export interface LogitsAndTranscripts {
  /** Row-major [frames × vocabularySize]. */
  logits: Float32Array;
  vocabularySize: number;
  /** [utterances + 1], in frames. */
  utteranceOffsets: Int32Array;
  /** The tokens of all transcripts, without blanks. */
  labels: Int32Array;
  /** [utterances + 1], in labels. */
  labelOffsets: Int32Array;
  /** The token that stands for no label; 0 unless given. */
  blank?: number;
}

export interface CtcLoss {
  /** Sum over utterances divided by the number of all frames. */
  lossNats: number;
  /** −ln p(transcript | utterance), [utterances]; infinite where no path spells the transcript. */
  utteranceNats: Float64Array;
  /** ∂ lossNats / ∂ logits, [frames × vocabularySize]; 0 in utterances of infinite loss, NaN in those of loss NaN. */
  gradient: Float32Array;
}

/**
 * Connectionist temporal classification: how improbable a transcript is, whatever frames its labels lie in.
 *
 * A path gives each frame a token; it spells the transcript when that is left once repeated tokens are merged and then
 * blanks removed. An utterance too short for its transcript (fewer frames than labels and pairs of equal neighbours),
 * or whose logits of −∞ rule every path out, is infinite, and so is the batch: its caller refuses it, or sums
 * `utteranceNats` of the others, whose gradient is as it should be. A logit that is NaN, or a frame without a finite
 * largest one, makes the utterance NaN.
 *
 * @throws {RangeError} when shapes do not fit each other, or a label is the blank or not in the vocabulary
 * @see Graves et al. (2006), Connectionist Temporal Classification, eq. 6 to 16
 */
export function ctcLoss(given: LogitsAndTranscripts): CtcLoss {
  return lossOfUtterances(utterancesOf(given), new Float32Array(given.logits.length), ctcOfUtteranceInto);
}

/** One of a batch; the first of its logits is number `start`. */
export interface CtcUtterance {
  logits: Float32Array;
  vocabularySize: number;
  start: number;
  frames: number;
  labels: Int32Array;
  blank: number;
}

/** @throws {RangeError} as `ctcLoss` */
export function utterancesOf(given: LogitsAndTranscripts): CtcUtterance[] {
  const { logits, vocabularySize, utteranceOffsets, labels, labelOffsets, blank = 0 } = given;
  checkLogits(logits, vocabularySize, 1);
  checkOffsets(utteranceOffsets, logits.length / vocabularySize, 'frames');
  checkOffsets(labelOffsets, labels.length, 'labels');
  if (utteranceOffsets.length !== labelOffsets.length) {
    throw new RangeError(
      `Cannot compare ${utteranceOffsets.length - 1} utterances with ${labelOffsets.length - 1} transcripts; give one each`,
    );
  }
  if (!(Number.isInteger(blank) && blank >= 0 && blank < vocabularySize)) {
    throw new RangeError(`Cannot use blank ${blank}: there are ${vocabularySize} tokens`);
  }
  return Array.from({ length: utteranceOffsets.length - 1 }, (_, i) => {
    const own = labels.subarray(labelOffsets[i]!, labelOffsets[i + 1]!);
    const wrong = own.find((label) => label < 0 || label >= vocabularySize || label === blank);
    if (wrong !== undefined) {
      const reason = wrong === blank ? 'it is the blank' : `there are ${vocabularySize} tokens`;
      throw new RangeError(`Cannot use label ${wrong} of utterance ${i}: ${reason}`);
    }
    const [first, end] = [utteranceOffsets[i]!, utteranceOffsets[i + 1]!];
    return { logits, vocabularySize, start: first * vocabularySize, frames: end - first, labels: own, blank };
  });
}

function checkOffsets(offsets: Int32Array, count: number, what: string): void {
  const rises = offsets.every((offset, i) => i === 0 || offset >= offsets[i - 1]!);
  if (rises && offsets[0] === 0 && offsets.at(-1) === count) return;
  throw new RangeError(`Cannot split ${count} ${what} at ${offsets.join(', ')}; let offsets rise from 0 to ${count}`);
}

/** The loss of a batch by that of each utterance; the gradient becomes that of the loss. */
export function lossOfUtterances(
  utterances: readonly CtcUtterance[],
  gradient: Float32Array,
  lossInto: typeof ctcOfUtteranceInto,
): CtcLoss {
  const scale = 1 / Math.max(1, sum(utterances.map(({ frames }) => frames)));
  const utteranceNats = Float64Array.from(utterances, (utterance) => lossInto(gradient, utterance, scale));
  return { lossNats: scale * sum(utteranceNats), utteranceNats, gradient };
}

const sum = (values: Float64Array | number[]): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

/**
 * The loss of one utterance. Writes scale · ∂/∂logits = scale · (posterior − occupation) (eq. 16) into its place of the
 * gradient; occupation is the probability that a path which spells the transcript has the token in that frame.
 *
 * @returns nats
 */
export function ctcOfUtteranceInto(gradient: Float32Array, utterance: CtcUtterance, scale: number): number {
  const { logits, vocabularySize, start, frames, labels, blank } = utterance;
  const end = start + frames * vocabularySize;
  const student = createStudentRow(logits.subarray(start, end), vocabularySize, 1);
  const own = gradient.subarray(start, end);
  // a state for each label, and for the blank before, between and after them
  const states = Int32Array.from({ length: 2 * labels.length + 1 }, (_, s) => (s % 2 ? labels[s >> 1]! : blank));
  const emissions = emissionsOf(student, states, frames);
  const forward = logsOfPaths(emissions, states);
  const backward = logsOfPaths(emissions.slice().reverse(), states.slice().reverse()).reverse();
  const last = forward.subarray(emissions.length);
  const logProbability = logAdd(last.at(-1)!, last.at(-2)); // ends in the last label or the blank after it (eq. 8)
  if (!Number.isFinite(logProbability)) {
    own.fill(logProbability === -Infinity ? 0 : NaN);
    return -logProbability;
  }
  const occupation = new Float64Array(vocabularySize);
  for (let frame = 0; frame < frames; frame++) {
    occupation.fill(0);
    states.forEach((token, s) => {
      const i = frame * states.length + s;
      const logForward = forward[i + states.length]!;
      if (logForward === -Infinity) return;
      occupation[token]! += Math.exp(logForward + backward[i]! - emissions[i]! - logProbability); // both count the frame
    });
    readStudentRow(student, frame);
    for (let token = 0; token < vocabularySize; token++) {
      own[student.start + token] = scale * (student.exponentials[token]! / student.sum - occupation[token]!);
    }
  }
  return 0 - logProbability;
}

/** Log-posteriors [frames × states] of the states' tokens. */
function emissionsOf(student: StudentRow, states: Int32Array, frames: number): Float64Array {
  const emissions = new Float64Array(frames * states.length);
  for (let frame = 0; frame < frames; frame++) {
    readStudentRow(student, frame);
    states.forEach((token, s) => {
      emissions[frame * states.length + s] = student.logits[student.start + token]! - student.logSum;
    });
  }
  return emissions;
}

/**
 * Log-probability of all beginnings of paths that end in a state after so many frames (eq. 6): α, and β (eq. 10) when
 * frames and states are given from the last to the first.
 *
 * @param emissions log-posteriors [frames × states]
 * @param states [states] the token of each
 * @returns [(frames + 1) × states]; before the first frame all paths are in the first state
 */
function logsOfPaths(emissions: Float64Array, states: Int32Array): Float64Array {
  const count = states.length;
  const logs = new Float64Array(emissions.length + count).fill(-Infinity);
  logs[0] = 0;
  for (let i = 0; i < emissions.length; i++) {
    const s = i % count;
    const skips = s > 1 && s % 2 === 1 && states[s] !== states[s - 2]; // the blank between two labels that differ
    const before = s > 0 ? logs[i - 1]! : -Infinity;
    logs[i + count] = emissions[i]! + logAdd(logs[i]!, before, skips ? logs[i - 2]! : -Infinity);
  }
  return logs;
}

function logAdd(a: number, b = -Infinity, c = -Infinity): number {
  const largest = Math.max(a, b, c);
  if (largest === -Infinity) return largest;
  return largest + Math.log(Math.exp(a - largest) + Math.exp(b - largest) + Math.exp(c - largest));
}
