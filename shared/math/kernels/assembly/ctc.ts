// Twin of ctc_loss.ts, one utterance in a call. Probabilities span thousands of nats, so each is kept as a float64
// mantissa in [1, 2) and an exponent of its own, a whole number or −∞ for probability 0: none underflows, and none needs
// an exponential or a logarithm.
import { exponentials, largestOf } from './vectors';

/** A whole number up to 2^51 that is added to this shows in the lowest bits. */
const two52: f64 = 4503599627370496;
/** Of exponents in their bits. */
const bias: f64 = 1023;

/** 2^n of whole n up to 1023; 0 of those below −1022 and of NaN (−∞ less −∞). */
function powerOf(n: v128): v128 {
  const shown = f64x2.add(f64x2.pmax(f64x2.splat(-bias), n), f64x2.splat(two52 + bias));
  return i64x2.shl(shown, 52);
}

/** Of positive numbers; −1023 of 0. */
function exponentOf(x: v128): v128 {
  const shown = v128.or(i64x2.shr_u(x, 52), f64x2.splat(two52));
  return f64x2.sub(shown, f64x2.splat(two52 + bias));
}

/** In [1, 2). */
function mantissaOf(x: v128): v128 {
  return v128.or(v128.and(x, i64x2.splat(0x000fffffffffffff)), f64x2.splat(1));
}

/**
 * ln 2 in two parts: the first times a whole number below 2^30 is exact.
 * @see Moshier, Cephes Mathematical Library, exp
 */
const ln2High: f64 = 0.693145751953125;
const ln2Low: f64 = 1.428606820309417e-6;

/** Room for a state's numbers: columns of a row; before each are two that belong to no state. */
function columnBytes(count: i32): usize {
  return ((<usize>((count + 2) & ~1)) << 3) + 16;
}

/** Bytes of scratch for an utterance with so many labels. */
export function ctcScratch(frames: i32, count: i32): usize {
  return columnBytes(count) * (4 * (<usize>frames + 3) + 5) + ((<usize>frames) << 4);
}

/** A row has four columns: mantissas and exponents of blanks, of labels. Here all have probability 0. */
function clearRow(row: usize, column: usize, bytes: usize): void {
  for (let c = 0; c < 4; c += 2, row += 2 * column) {
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(row + i, f64x2.splat(1));
      v128.store(row + column + i, f64x2.splat(-Infinity));
    }
  }
}

/** Before the first frame all paths are in the first blank. */
function startRow(row: usize, column: usize): void {
  clearRow(row, column, column);
  store<f64>(row + column + 16, 0);
}

/** Bytes of labels in a row of logits, the blank's after them; and 0, or −∞ for a label equal to the one before. */
function layOut(
  labels: usize,
  count: i32,
  blank: i32,
  places: usize,
  skips: usize,
  width: i32,
  isReversed: bool,
): void {
  for (let k = 0; k < width; k++) {
    const at = isReversed ? count - 1 - k : k;
    const token = k < count ? load<i32>(labels + ((<usize>at) << 2)) : blank;
    store<i32>(places + ((<usize>k) << 2), token << 2);
    const isRepeated = k > 0 && token << 2 === load<i32>(places + ((<usize>(k - 1)) << 2));
    store<f64>(skips + ((<usize>k) << 3), isRepeated ? -Infinity : 0);
  }
}

let blankMantissa: f64 = 0;
let blankExponent: f64 = 0;

/**
 * exp(z − largest) of the labels in a frame, as columns of mantissas and exponents, and of the blank.
 *
 * @returns the least z − largest
 */
function emissions(logits: usize, largest: f64, places: usize, count: i32, width: i32, column: usize, to: usize): f64 {
  const base = f64x2.splat(largest);
  let least = f64x2.splat(0);
  for (let k = 0; k < width; k += 2) {
    const place = places + ((<usize>k) << 2);
    let z = f64x2.splat(<f64>load<f32>(logits + load<i32>(place)));
    z = f64x2.replace_lane(z, 1, <f64>load<f32>(logits + load<i32>(place, 4)));
    z = f64x2.sub(z, base);
    least = f64x2.pmin(least, z);
    const n = f64x2.nearest(f64x2.mul(z, f64x2.splat(Math.LOG2E)));
    let r = f64x2.sub(z, f64x2.mul(n, f64x2.splat(ln2High)));
    r = f64x2.sub(r, f64x2.mul(n, f64x2.splat(ln2Low)));
    // Taylor's series, to 1e-11 for |r| up to ½ ln 2
    let p = f64x2.splat(1 / 362880.0);
    p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1 / 40320.0));
    p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1 / 5040.0));
    p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1 / 720.0));
    p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1 / 120.0));
    p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1 / 24.0));
    p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1 / 6.0));
    p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.5));
    p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1));
    p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1));
    v128.store(to + ((<usize>k) << 3), p);
    v128.store(to + column + ((<usize>k) << 3), n);
  }
  const last = to + ((<usize>count) << 3);
  blankMantissa = load<f64>(last);
  blankExponent = load<f64>(last + column);
  for (let k = count; k < width; k++) store<f64>(to + column + ((<usize>k) << 3), -Infinity);
  return min<f64>(f64x2.extract_lane(least, 0), f64x2.extract_lane(least, 1));
}

/** From the paths up to one frame to those up to the next (eq. 6), which emits `emitted` or the blank. */
function advance(from: usize, to: usize, emitted: usize, skips: usize, column: usize): void {
  const ofBlank = f64x2.splat(blankMantissa);
  const ofBlankExponent = f64x2.splat(blankExponent);
  clearRow(to, column, 16);
  for (let i: usize = 0; i < column - 16; i += 16) {
    const blanks = from + 16 + i;
    const labels = blanks + 2 * column;
    const toBlanks = to + 16 + i;
    const toLabels = toBlanks + 2 * column;
    const b = v128.load(blanks);
    const bExponent = v128.load(blanks + column);
    const l = v128.load(labels);
    const lExponent = v128.load(labels + column);
    const before = v128.load(labels - 8);
    const beforeExponent = v128.load(labels + column - 8);

    let top = f64x2.pmax(bExponent, beforeExponent);
    let sum = f64x2.mul(b, powerOf(f64x2.sub(bExponent, top)));
    sum = f64x2.add(sum, f64x2.mul(before, powerOf(f64x2.sub(beforeExponent, top))));
    sum = f64x2.mul(sum, ofBlank);
    v128.store(toBlanks, mantissaOf(sum));
    v128.store(toBlanks + column, f64x2.add(f64x2.add(top, ofBlankExponent), exponentOf(sum)));

    const skipExponent = f64x2.add(beforeExponent, v128.load(skips + i));
    top = f64x2.pmax(f64x2.pmax(lExponent, bExponent), skipExponent);
    sum = f64x2.mul(l, powerOf(f64x2.sub(lExponent, top)));
    sum = f64x2.add(sum, f64x2.mul(b, powerOf(f64x2.sub(bExponent, top))));
    sum = f64x2.add(sum, f64x2.mul(before, powerOf(f64x2.sub(skipExponent, top))));
    sum = f64x2.mul(sum, v128.load(emitted + i));
    v128.store(toLabels, mantissaOf(sum));
    v128.store(toLabels + column, f64x2.add(f64x2.add(top, v128.load(emitted + column + i)), exponentOf(sum)));
  }
}

let totalMantissa: f64 = 0;
let totalExponent: f64 = 0;

/** Paths that end in the last label or the blank after it (eq. 8). */
function addUp(row: usize, column: usize, count: i32): void {
  const b = row + 16 + ((<usize>count) << 3);
  const l = b + 2 * column - 8;
  totalExponent = max<f64>(load<f64>(b + column), load<f64>(l + column));
  let exponents = f64x2.splat(load<f64>(b + column) - totalExponent);
  exponents = powerOf(f64x2.replace_lane(exponents, 1, load<f64>(l + column) - totalExponent));
  totalMantissa = load<f64>(b) * f64x2.extract_lane(exponents, 0) + load<f64>(l) * f64x2.extract_lane(exponents, 1);
}

/** Probabilities of states, forward · backward / emission (which both count) / total. */
function occupations(
  forward: usize,
  backward: v128,
  backwardExponent: v128,
  column: usize,
  per: v128,
  less: v128,
): v128 {
  const turned = v128.load(forward);
  const turnedExponent = v128.load(forward + column);
  const mantissa = f64x2.mul(f64x2.mul(i64x2.shuffle(turned, turned, 1, 0), backward), per);
  const exponent = f64x2.add(i64x2.shuffle(turnedExponent, turnedExponent, 1, 0), backwardExponent);
  return f64x2.mul(mantissa, powerOf(f64x2.sub(exponent, less)));
}

function scaleRow(row: usize, count: i32, factor: f32): void {
  const whole = (<usize>(count & ~3)) << 2;
  for (let i: usize = 0; i < whole; i += 16) v128.store(row + i, f32x4.mul(v128.load(row + i), f32x4.splat(factor)));
  for (let i = whole; i < (<usize>count) << 2; i += 4) store<f32>(row + i, load<f32>(row + i) * factor);
}

function takeOff(place: usize, value: f64): void {
  store<f32>(place, <f32>(<f64>load<f32>(place) - value));
}

/** Takes scale · occupation of each token off its place; backward rows and emissions are in reverse order. */
function subtractOccupation(
  forward: usize,
  backward: usize,
  emitted: usize,
  places: usize,
  count: i32,
  column: usize,
  scale: f64,
  gradient: usize,
): void {
  const total = f64x2.splat(scale / totalMantissa);
  const ofBlank = f64x2.splat(scale / totalMantissa / blankMantissa);
  const lessBlank = f64x2.splat(totalExponent + blankExponent);
  let blanks = f64x2.splat(0);
  // the state opposite to number k is number `count` − k of the blanks, and one before that of the labels
  let opposite = forward + 16 + ((<usize>count) << 3) - 8;
  backward += 16;
  for (let i: usize = 0; i < column - 16; i += 16, opposite -= 16, places += 8) {
    const back = backward + i;
    const b = occupations(opposite, v128.load(back), v128.load(back + column), column, ofBlank, lessBlank);
    blanks = f64x2.add(blanks, b);
    const per = f64x2.div(total, v128.load(emitted + i));
    const less = f64x2.add(f64x2.splat(totalExponent), v128.load(emitted + column + i));
    const l = occupations(
      opposite + 2 * column - 8,
      v128.load(back + 2 * column),
      v128.load(back + 3 * column),
      column,
      per,
      less,
    );
    takeOff(gradient + load<i32>(places), f64x2.extract_lane(l, 0));
    takeOff(gradient + load<i32>(places, 4), f64x2.extract_lane(l, 1));
  }
  const blank = load<i32>(places - 4);
  takeOff(gradient + blank, f64x2.extract_lane(blanks, 0) + f64x2.extract_lane(blanks, 1));
}

/** How far a label may lie below the best token, in nats, for its exponential to be exact. */
const farthest: f64 = -1e5;

/**
 * The loss of one utterance; its labels were checked before.
 *
 * @param logits [frames × vocabulary]
 * @param labels int32, [count]
 * @param gradient [frames × vocabulary]: receives scale · ∂ nats / ∂ logits
 * @param scratch bytes, as many as `ctcScratch` says
 * @returns nats; NaN where logits are not finite or too far apart, or no path spells the labels: the gradient is undefined
 */
export function ctc(
  logits: usize,
  frames: i32,
  vocabulary: i32,
  labels: usize,
  count: i32,
  blank: i32,
  scale: f64,
  gradient: usize,
  scratch: usize,
): f64 {
  const column = columnBytes(count);
  const width = <i32>((column - 16) >> 3);
  const places = scratch;
  const skips = places + column;
  const emitted = skips + column;
  const bests = emitted + 2 * column;
  const sums = bests + ((<usize>frames) << 3);
  const rows = sums + ((<usize>frames) << 3);
  const bytes = (<usize>vocabulary) << 2;

  layOut(labels, count, blank, places, skips, width, false);
  startRow(rows, column);
  let row = rows;
  let nats: f64 = 0;
  for (let frame: usize = 0; frame < <usize>frames; frame++, row += 4 * column) {
    const own = logits + frame * bytes;
    const largest = largestOf(own, vocabulary);
    const sum = exponentials(own, gradient + frame * bytes, vocabulary, largest, 1);
    const least = emissions(own, <f64>largest, places, count, width, column, emitted);
    if (!(abs(largest) < Infinity && least > farthest)) return NaN;
    store<f64>(bests + (frame << 3), <f64>largest);
    store<f64>(sums + (frame << 3), sum);
    nats += Math.log(sum);
    advance(row, row + 4 * column, emitted, skips, column);
  }
  addUp(row, column, count);
  if (totalExponent === -Infinity) return NaN;
  nats -= Math.log(totalMantissa) + totalExponent * Math.LN2;

  layOut(labels, count, blank, places, skips, width, true);
  let from = rows + 4 * column * <usize>(frames + 1);
  let to = from + 4 * column;
  startRow(from, column);
  for (let frame = <usize>frames; frame-- > 0; row -= 4 * column) {
    const own = gradient + frame * bytes;
    emissions(logits + frame * bytes, load<f64>(bests + (frame << 3)), places, count, width, column, emitted);
    advance(from, to, emitted, skips, column);
    scaleRow(own, vocabulary, <f32>(scale / load<f64>(sums + (frame << 3))));
    subtractOccupation(row, to, emitted, places, count, column, scale, own);
    const used = from;
    from = to;
    to = used;
  }
  return nats;
}
