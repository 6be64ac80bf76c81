// Twin of ctc_loss.ts. Variables are float64, divided by their sum in each frame instead of taken as logarithms; states
// that cannot have begun yet, or cannot end any more, are left out.
import { exponentials, largestOf } from './vectors';

/**
 * The loss of one utterance, and its gradient in the place of the logits.
 *
 * @param logits float32, [frames × vocabulary]; in their place the gradient, times `scale`
 * @param states int32, [count] Tokens of the transcript with blanks between and around them
 * @param skips float64, [count] 1 where a state may follow the last but one, else 0
 * @param forward room for float64, [frames × (count + 2)]
 * @param work room for float64, [3 × (count + 4)]
 * @returns nats; NaN where what was lost to rounding may matter: forward and backward say different things
 */
export function ctc(
  logits: usize,
  frames: i32,
  vocabulary: i32,
  states: usize,
  skips: usize,
  count: i32,
  scale: f32,
  forward: usize,
  work: usize,
): f64 {
  const rowBytes = (<usize>vocabulary) << 2;
  const stateBytes = (<usize>(count + 2)) << 3; // two states of probability 0 come first
  const said = work;
  const backward = said + ((<usize>(count + 4)) << 3);
  const next = backward + ((<usize>(count + 4)) << 3);
  memory.fill(forward, 0, <usize>frames * stateBytes);
  memory.fill(work, 0, (<usize>(count + 4) * 3) << 3);

  let logForward: f64 = 0;
  for (let frame = 0; frame < frames; frame++) {
    const row = logits + <usize>frame * rowBytes;
    const sum = exponentials(row, row, vocabulary, largestOf(row, vocabulary), 1);
    scaleRow(row, rowBytes, <f32>(1 / sum));
    const own = forward + <usize>frame * stateBytes + 16;
    const first = max(0, count - 2 * (frames - frame));
    const end = min(count, 2 * frame + 2);
    let total: f64 = 0;
    if (frame === 0) {
      for (let s = first; s < end; s++) {
        const value = saidBy(row, states, s);
        store<f64>(own + ((<usize>s) << 3), value);
        total += value;
      }
    } else {
      gather(said, row, states, first, end);
      const before = own - stateBytes;
      let totals = f64x2.splat(0);
      let s = first;
      for (; s + 1 < end; s += 2) {
        const place = (<usize>s) << 3;
        let value = f64x2.add(v128.load(before + place), v128.load(before + place - 8));
        value = f64x2.add(value, f64x2.mul(v128.load(before + place - 16), v128.load(skips + place)));
        value = f64x2.mul(value, v128.load(said + place));
        v128.store(own + place, value);
        totals = f64x2.add(totals, value);
      }
      total = f64x2.extract_lane(totals, 0) + f64x2.extract_lane(totals, 1);
      if (s < end) {
        const place = (<usize>s) << 3;
        let value = load<f64>(before + place) + load<f64>(before + place - 8);
        value += load<f64>(before + place - 16) * load<f64>(skips + place);
        value *= load<f64>(said + place);
        store<f64>(own + place, value);
        total += value;
      }
    }
    if (!(total > 0)) return NaN;
    divide(own, first, end, total);
    logForward += Math.log(total);
  }
  // after the last frame only the last two states are left, which make 1

  let logBackward: f64 = 0;
  store<f64>(backward + ((<usize>(count - 1)) << 3), 1);
  if (count > 1) store<f64>(backward + ((<usize>(count - 2)) << 3), 1);
  for (let frame = frames - 1; frame >= 0; frame--) {
    const row = logits + <usize>frame * rowBytes;
    const own = forward + <usize>frame * stateBytes + 16;
    const first = max(0, count - 2 * (frames - frame));
    const end = min(count, 2 * frame + 2);
    gather(said, row, states, first, end);
    let total: f64 = 0;
    for (let s = first; s < end; s++) {
      const place = (<usize>s) << 3;
      const share = load<f64>(own + place) * load<f64>(backward + place);
      store<f64>(own + place, share);
      total += share;
    }
    if (!(total > 0)) return NaN;
    const perTotal = 1 / total;
    for (let s = first; s < end; s++) {
      const place = row + ((<usize>load<i32>(states + ((<usize>s) << 2))) << 2);
      const share = load<f64>(own + ((<usize>s) << 3)) * perTotal;
      store<f32>(place, <f32>(<f64>load<f32>(place) - share));
    }
    scaleRow(row, rowBytes, scale);
    // what comes after each state, this frame included
    for (let s = first; s < end; s++) {
      const place = (<usize>s) << 3;
      store<f64>(said + place, load<f64>(said + place) * load<f64>(backward + place));
    }
    store<f64>(said + ((<usize>end) << 3), 0);
    store<f64>(said + ((<usize>(end + 1)) << 3), 0);
    if (frame === 0) {
      let sum = load<f64>(said);
      if (count > 1) sum += load<f64>(said, 8);
      logBackward += Math.log(sum);
      break;
    }
    const least = max(0, count - 2 * (frames - frame + 1));
    const most = min(count, 2 * frame);
    if (least < first) memory.fill(said + ((<usize>least) << 3), 0, (<usize>(first - least)) << 3);
    let sums: f64 = 0;
    for (let s = least; s < most; s++) {
      const place = (<usize>s) << 3;
      let value = load<f64>(said + place) + load<f64>(said + place + 8);
      if (s + 2 < count) value += load<f64>(said + place + 16) * load<f64>(skips + place + 16);
      store<f64>(next + place, value);
      sums += value;
    }
    if (!(sums > 0)) return NaN;
    divide(next, least, most, sums);
    memory.copy(backward + ((<usize>least) << 3), next + ((<usize>least) << 3), (<usize>(most - least)) << 3);
    logBackward += Math.log(sums);
  }
  const close = Math.abs(logForward - logBackward) <= 1e-7 * (1 + Math.abs(logForward));
  return close ? -logForward : NaN;
}

const saidBy = (row: usize, states: usize, s: i32): f64 =>
  <f64>load<f32>(row + ((<usize>load<i32>(states + ((<usize>s) << 2))) << 2));

function gather(said: usize, row: usize, states: usize, first: i32, end: i32): void {
  for (let s = first; s < end; s++) store<f64>(said + ((<usize>s) << 3), saidBy(row, states, s));
}

function divide(values: usize, first: i32, end: i32, total: f64): void {
  const perTotal = 1 / total;
  for (let s = first; s < end; s++) {
    const place = values + ((<usize>s) << 3);
    store<f64>(place, load<f64>(place) * perTotal);
  }
}

function scaleRow(row: usize, bytes: usize, factor: f32): void {
  const factors = f32x4.splat(factor);
  const whole = bytes & ~15;
  for (let i: usize = 0; i < whole; i += 16) v128.store(row + i, f32x4.mul(v128.load(row + i), factors));
  for (let i = whole; i < bytes; i += 4) store<f32>(row + i, load<f32>(row + i) * factor);
}
