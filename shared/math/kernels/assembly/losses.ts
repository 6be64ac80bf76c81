// Twins of student_row.ts, cross_entropy.ts and sparse_kl.ts: a whole batch in one call.
import { exp4, exponentials, largestOf, loadRest, storeRest, sumOf } from './vectors';

/** exp of each number; their sum is returned. */
function exponentialsInto(target: usize, row: usize, count: i32): f64 {
  const whole = (<usize>(count & ~3)) << 2;
  for (let i: usize = 0; i < whole; i += 16) v128.store(target + i, exp4(v128.load(row + i)));
  const rest = count & 3;
  if (rest) storeRest(target + whole, rest, exp4(loadRest(row + whole, rest)));
  return sumOf(target, count);
}

/** target += row · factor + offset; with `fresh`, target = … */
function addScaled(target: usize, row: usize, count: i32, factor: f32, offset: f32, fresh: bool): void {
  const factors = f32x4.splat(factor);
  const offsets = f32x4.splat(offset);
  const whole = (<usize>(count & ~3)) << 2;
  for (let i: usize = 0; i < whole; i += 16) {
    let value = f32x4.add(f32x4.mul(v128.load(row + i), factors), offsets);
    if (!fresh) value = f32x4.add(value, v128.load(target + i));
    v128.store(target + i, value);
  }
  for (let i = whole; i < (<usize>count) << 2; i += 4) {
    let value = load<f32>(row + i) * factor + offset;
    if (!fresh) value += load<f32>(target + i);
    store<f32>(target + i, value);
  }
}

function sumOfLogits(row: usize, count: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) sum += <f64>load<f32>(row + ((<usize>i) << 2));
  return sum;
}

/** Byte of a token in a row of float32. */
function tokenAt(tokens: usize, i: i32): usize {
  return (<usize>load<u16>(tokens + ((<usize>i) << 1))) << 2;
}

/** What is left of exponentials this small has lost digits. */
const underflow: f64 = 1e-30;

let largestElse: f32 = 0;

/** Exponentials of the tokens not kept, relative to the best of them; 0 for those kept. Returns their sum. */
function exponentialsOfOthers(
  logits: usize,
  row: usize,
  vocabulary: i32,
  inverse: f32,
  tokens: usize,
  from: i32,
  count: i32,
): f64 {
  memory.copy(row, logits, (<usize>vocabulary) << 2);
  for (let i = from; i < from + count; i++) store<f32>(row + tokenAt(tokens, i), -Infinity);
  largestElse = largestOf(row, vocabulary);
  if (largestElse > -Infinity) return exponentials(row, row, vocabulary, largestElse, inverse);
  memory.fill(row, 0, (<usize>vocabulary) << 2);
  return 0;
}

export enum Tail {
  renormalise = 0,
  ghost = 1,
  uniform = 2,
  toLabel = 3,
}

/**
 * The loss of a batch; what is wrong with targets was found before.
 *
 * @param logits [frames × vocabulary]
 * @param hardLabels int32, −1 where there is none
 * @param hardShares float64, [frames]; softShares too: weights of both in each frame, 0 for none
 * @param offsets int32, [frames + 1]; of tokens (uint16) and logPosteriors
 * @param logTail [frames]
 * @param row scratch, [3 × vocabulary]
 * @param gradient [frames × vocabulary]
 * @param sums float64, [2]: receives nats of hard labels and of soft targets, summed over frames
 */
export function distillation(
  logits: usize,
  frames: i32,
  vocabulary: i32,
  hardLabels: usize,
  hardShares: usize,
  softShares: usize,
  offsets: usize,
  tokens: usize,
  logPosteriors: usize,
  logTail: usize,
  row: usize,
  gradient: usize,
  sums: usize,
  tail: i32,
  temperature: f64,
  labelSmoothing: f64,
): void {
  const perFrame = 1 / <f64>frames;
  const bytes = (<usize>vocabulary) << 2;
  let hardNats: f64 = 0;
  let softNats: f64 = 0;
  for (let frame = 0; frame < frames; frame++, logits += bytes, gradient += bytes) {
    const hardShare = load<f64>(hardShares + ((<usize>frame) << 3));
    const softShare = load<f64>(softShares + ((<usize>frame) << 3));
    const largest = largestOf(logits, vocabulary);
    let sum: f64 = 0;
    let fresh = true;
    if (hardShare > 0 || (softShare > 0 && temperature === 1)) sum = exponentials(logits, row, vocabulary, largest, 1);
    if (hardShare > 0) {
      const label = (<usize>load<i32>(hardLabels + ((<usize>frame) << 2))) << 2;
      const scale = hardShare * perFrame;
      const even = labelSmoothing / <f64>vocabulary;
      const logSum = <f64>largest + Math.log(sum);
      addScaled(gradient, row, vocabulary, <f32>(scale / sum), <f32>(-scale * even), true);
      fresh = false;
      store<f32>(gradient + label, <f32>(<f64>load<f32>(gradient + label) - scale * (1 - labelSmoothing)));
      let nats = (1 - labelSmoothing) * (logSum - <f64>load<f32>(logits + label));
      if (even > 0) nats += even * (<f64>vocabulary * logSum - sumOfLogits(logits, vocabulary));
      hardNats += hardShare * nats;
    }
    if (softShare > 0) {
      if (temperature !== 1) sum = exponentials(logits, row, vocabulary, largest, <f32>(1 / temperature));
      const scale = softShare * temperature * perFrame; // T² of the loss, 1/T of the logits
      const logSum = <f64>largest / temperature + Math.log(sum);
      const from = load<i32>(offsets + ((<usize>frame) << 2));
      const count = load<i32>(offsets + ((<usize>frame) << 2), 4) - from;
      const tailLog = <f64>load<f32>(logTail + ((<usize>frame) << 2));
      const tailMass = tail === Tail.renormalise ? 0 : Math.exp(tailLog);
      const masses = row + 2 * bytes;
      const keptMass = exponentialsInto(masses, logPosteriors + ((<usize>from) << 2), count);
      const perMass = (1 - tailMass) / keptMass;
      const logPerMass = Math.log(perMass);
      let nats: f64 = 0;
      // kept tokens get a gradient of their own, from their exponentials, kept beside the row
      for (let i = from; i < from + count; i++) {
        const token = tokenAt(tokens, i);
        store<f32>(row + bytes + token, load<f32>(row + token));
      }
      // of a token that is not kept: exponential · ofElse + evenElse
      let ofElse = scale / sum;
      let evenElse: f64 = 0;
      if (tailMass > 0 && tail === Tail.ghost) {
        for (let i = from; i < from + count; i++) store<f32>(row + tokenAt(tokens, i), 0);
        const sumElse = sumOf(row, vocabulary);
        if (sumElse > underflow) {
          nats += tailMass * (tailLog - Math.log(sumElse / sum));
          ofElse = scale * (1 / sum - tailMass / sumElse);
        } else {
          // too far below the best token: again, relative to the best of the others, whose posterior is 0 here
          const own = exponentialsOfOthers(logits, row, vocabulary, <f32>(1 / temperature), tokens, from, count);
          const logElse = <f64>(largestElse - largest) / temperature + Math.log(own / sum);
          nats += tailMass * (tailLog - logElse);
          ofElse = own > 0 ? (-scale * tailMass) / own : 0;
        }
      } else if (tailMass > 0) {
        const target = tailMass / <f64>(vocabulary - count);
        let others = sumOfLogits(logits, vocabulary);
        for (let i = from; i < from + count; i++) others -= <f64>load<f32>(logits + tokenAt(tokens, i));
        nats += target * (<f64>(vocabulary - count) * (Math.log(target) + logSum) - others / temperature);
        evenElse = -scale * target;
      }
      for (let i = from; i < from + count; i++) {
        const token = tokenAt(tokens, i);
        const saved = row + bytes + token;
        const logPosterior = <f64>load<f32>(logPosteriors + ((<usize>i) << 2));
        const target = <f64>load<f32>(masses + ((<usize>(i - from)) << 2)) * perMass;
        if (target > 0)
          nats += target * (logPosterior + logPerMass + logSum - <f64>load<f32>(logits + token) / temperature);
        const before = fresh ? 0 : <f64>load<f32>(gradient + token);
        store<f32>(saved, <f32>(before + scale * (<f64>load<f32>(saved) / sum - target)));
      }
      addScaled(gradient, row, vocabulary, <f32>ofElse, <f32>evenElse, fresh);
      fresh = false;
      for (let i = from; i < from + count; i++) {
        const token = tokenAt(tokens, i);
        store<f32>(gradient + token, load<f32>(row + bytes + token));
      }
      softNats += softShare * temperature * temperature * nats;
    }
    if (fresh) memory.fill(gradient, 0, bytes);
  }
  store<f64>(sums, hardNats);
  store<f64>(sums, softNats, 8);
}
