// Twins of log_softmax.ts and top_tokens.ts.
import { addTo, exp4, exponentials, largestOf, loadRest, log4, stretch } from './vectors';

/**
 * @param logPosteriors [frames × vocabulary]; may be the logits themselves
 * @param posteriors receives what they are the logarithms of, unless it is 0
 */
export function softmax(
  logits: usize,
  logPosteriors: usize,
  posteriors: usize,
  frames: i32,
  vocabulary: i32,
  inverse: f32,
): void {
  const bytes = (<usize>vocabulary) << 2;
  const whole = (<usize>(vocabulary & ~3)) << 2;
  for (let frame = 0; frame < frames; frame++, logits += bytes, logPosteriors += bytes) {
    const largest = largestOf(logits, vocabulary);
    const total = exponentials(logits, posteriors, vocabulary, largest, inverse);
    const logSum = <f32>Math.log(total);
    const base = f32x4.splat(largest);
    const scale = f32x4.splat(inverse);
    const sum = f32x4.splat(logSum);
    for (let i: usize = 0; i < whole; i += 16) {
      v128.store(logPosteriors + i, f32x4.sub(f32x4.mul(f32x4.sub(v128.load(logits + i), base), scale), sum));
    }
    for (let i = whole; i < bytes; i += 4) {
      store<f32>(logPosteriors + i, (load<f32>(logits + i) - largest) * inverse - logSum);
    }
    if (!posteriors) continue;
    const share = <f32>(1 / total);
    const shares = f32x4.splat(share);
    for (let i: usize = 0; i < whole; i += 16) {
      v128.store(posteriors + i, f32x4.mul(v128.load(posteriors + i), shares));
    }
    for (let i = whole; i < bytes; i += 4) store<f32>(posteriors + i, load<f32>(posteriors + i) * share);
    posteriors += bytes;
  }
}

/** Score and token as one number: a better score is larger, and of equal scores the lower token. */
function keyOf(score: f32, token: i32): i64 {
  const bits = reinterpret<i32>(score + 0); // −0 is 0
  return ((<i64>(bits ^ ((bits >> 31) & 0x7fffffff))) << 32) | (0xffff - token);
}

const tokenOf = (key: i64): i32 => 0xffff - (<i32>key & 0xffff);

/** Moves a key up from its place in a list, best first. */
function insert(keys: usize, place: i32, key: i64): void {
  let at = keys + ((<usize>place) << 3);
  for (; at > keys && key > load<i64>(at - 8); at -= 8) store<i64>(at, load<i64>(at - 8));
  store<i64>(at, key);
}

/**
 * The k best of each frame, best first, ties by lower id, and, where asked for, the frame's log Σ exp.
 *
 * The best tokens of one frame are the first guess for the next: the worst of them is a bound that most tokens miss.
 *
 * @param tokens uint16, [frames × k]; values float32 alike
 * @param logSums float32, [frames]; 0 where they are not needed
 * @param keys room for int64, [k]; marks bytes, [vocabulary], all 0
 * @returns how many frames were done: it stops where fewer than k scores are numbers
 */
export function topTokens(
  scores: usize,
  frames: i32,
  vocabulary: i32,
  k: i32,
  tokens: usize,
  values: usize,
  logSums: usize,
  keys: usize,
  marks: usize,
): i32 {
  const last = (<usize>(k - 1)) << 3;
  const whole = vocabulary & ~3;
  for (let frame = 0; frame < frames; frame++) {
    let filled = 0;
    if (frame > 0) {
      for (let i = 0; i < k; i++) {
        const token = <i32>load<u16>(tokens + ((<usize>i) << 1));
        const score = load<f32>(scores + ((<usize>token) << 2));
        if (!(score <= Infinity)) continue; // no number
        insert(keys, filled++, keyOf(score, token));
        store<u8>(marks + token, 1);
      }
      tokens += (<usize>k) << 1;
    }
    let bounds = f32x4.splat(
      filled < k ? -Infinity : load<f32>(scores + ((<usize>tokenOf(load<i64>(keys + last))) << 2)),
    );
    for (let token = 0; token < vocabulary; token += 4) {
      let hits = i32x4.bitmask(f32x4.ge(v128.load(scores + ((<usize>token) << 2)), bounds));
      if (token === whole) hits &= (1 << (vocabulary - token)) - 1;
      while (hits) {
        const candidate = token + ctz(hits);
        hits &= hits - 1;
        if (load<u8>(marks + candidate)) continue;
        const key = keyOf(load<f32>(scores + ((<usize>candidate) << 2)), candidate);
        if (filled < k) insert(keys, filled++, key);
        else if (key > load<i64>(keys + last)) insert(keys, k - 1, key);
        else continue;
        if (filled === k) bounds = f32x4.splat(load<f32>(scores + ((<usize>tokenOf(load<i64>(keys + last))) << 2)));
      }
    }
    if (frame > 0) for (let i = 0; i < k; i++) store<u8>(marks + load<u16>(tokens - ((<usize>(k - i)) << 1)), 0);
    if (filled < k) return frame;
    for (let i = 0; i < k; i++) {
      const token = tokenOf(load<i64>(keys + ((<usize>i) << 3)));
      store<u16>(tokens + ((<usize>i) << 1), <u16>token);
      store<f32>(values + ((<usize>i) << 2), load<f32>(scores + ((<usize>token) << 2)));
    }
    if (logSums) {
      const largest = load<f32>(values);
      store<f32>(logSums, largest + <f32>Math.log(exponentials(scores, 0, vocabulary, largest, 1)));
      logSums += 4;
    }
    values += (<usize>k) << 2;
    scores += (<usize>vocabulary) << 2;
  }
  return frames;
}

/**
 * Twin of keep_tokens.ts.
 *
 * @param posteriors of the log-posteriors; where tokens stay they become 0
 * @param offsets int32, [frames + 1]; tokens uint16, values float32 alike, [offsets[frames]]
 * @param lostMass float32, [frames]; logTail and divergence alike
 * @param mass float64, room for [vocabulary] up to the next multiple of four, added to
 */
export function keepTokens(
  logPosteriors: usize,
  posteriors: usize,
  frames: i32,
  vocabulary: i32,
  offsets: usize,
  tokens: usize,
  values: usize,
  lostMass: usize,
  logTail: usize,
  divergence: usize,
  mass: usize,
): void {
  const bytes = (<usize>vocabulary) << 2;
  const rest = vocabulary & 3;
  const whole = (<usize>(vocabulary - rest)) << 2;
  const inRest = i32x4.gt_s(i32x4.splat(rest), i32x4(0, 1, 2, 3));
  const least = f32x4.splat(-3e38);
  let latest = -1;
  let logOfOthers: f64 = 0;
  for (let frame = 0; frame < frames; frame++, offsets += 4, lostMass += 4, logTail += 4, divergence += 4) {
    const count = load<i32>(offsets, 4) - load<i32>(offsets);
    for (let i = 0; i < count; i++, tokens += 2, values += 4) {
      const token = <usize>load<u16>(tokens);
      const place = mass + (token << 3);
      store<f32>(values, load<f32>(logPosteriors + (token << 2)));
      store<f64>(place, load<f64>(place) + <f64>load<f32>(posteriors + (token << 2)));
      store<f32>(posteriors + (token << 2), 0);
    }
    let tails = f64x2.splat(0);
    let nats = f64x2.splat(0);
    for (let i: usize = 0; i < whole; ) {
      let tail = f32x4.splat(0);
      let weighted = f32x4.splat(0);
      for (const stop = min(whole, i + stretch); i < stop; i += 16) {
        const four = v128.load(posteriors + i);
        addToMass(mass + (i << 1), four);
        tail = f32x4.add(tail, four);
        weighted = f32x4.add(weighted, f32x4.mul(four, f32x4.pmax(v128.load(logPosteriors + i), least)));
      }
      tails = addTo(tails, tail);
      nats = addTo(nats, weighted);
    }
    if (rest) {
      const four = v128.and(v128.load(posteriors + whole), inRest);
      addToMass(mass + (whole << 1), four);
      tails = addTo(tails, four);
      nats = addTo(nats, f32x4.mul(four, f32x4.pmax(loadRest(logPosteriors + whole, rest), least)));
    }
    const lost = count > 0 ? f64x2.extract_lane(tails, 0) + f64x2.extract_lane(tails, 1) : 0;
    const logOfTail = count > 0 ? Math.log(lost) : 0;
    store<f32>(lostMass, count > 0 ? <f32>lost : 1);
    store<f32>(logTail, <f32>logOfTail);
    store<f32>(divergence, 0);
    if (lost > 0) {
      if (count !== latest) logOfOthers = Math.log(<f64>(vocabulary - count));
      latest = count;
      const sum = f64x2.extract_lane(nats, 0) + f64x2.extract_lane(nats, 1);
      store<f32>(divergence, <f32>(sum - lost * (logOfTail - logOfOthers)));
    }
    logPosteriors += bytes;
    posteriors += bytes;
  }
}

function addToMass(mass: usize, posteriors: v128): void {
  v128.store(mass, f64x2.add(v128.load(mass), f64x2.promote_low_f32x4(posteriors)));
  const high = f64x2.promote_low_f32x4(i64x2.shuffle(posteriors, posteriors, 1, 0));
  v128.store(mass, f64x2.add(v128.load(mass, 16), high), 16);
}

/** Adds what a teacher says, [frames × vocabulary], to a weighted mean of posteriors. */
export function addPosteriors(
  logits: usize,
  sums: usize,
  frames: i32,
  vocabulary: i32,
  inverse: f32,
  share: f32,
): void {
  const bytes = (<usize>vocabulary) << 2;
  const whole = (<usize>(vocabulary & ~3)) << 2;
  for (let frame = 0; frame < frames; frame++, logits += bytes, sums += bytes) {
    const largest = largestOf(logits, vocabulary);
    const scale = share / <f32>exponentials(logits, logits, vocabulary, largest, inverse);
    const scales = f32x4.splat(scale);
    for (let i: usize = 0; i < whole; i += 16) {
      v128.store(sums + i, f32x4.add(v128.load(sums + i), f32x4.mul(v128.load(logits + i), scales)));
    }
    for (let i = whole; i < bytes; i += 4) store<f32>(sums + i, load<f32>(sums + i) + load<f32>(logits + i) * scale);
  }
}

/** The logarithm of each number; there is room for a multiple of four. */
export function logarithms(values: usize, result: usize, count: i32): void {
  const zero = f32x4.splat(0);
  const none = f32x4.splat(-Infinity);
  for (const end = values + ((<usize>count) << 2); values < end; values += 16, result += 16) {
    const four = v128.load(values);
    v128.store(result, v128.bitselect(none, log4(four), f32x4.eq(four, zero)));
  }
}

/** e to the power of each number up to 0; there is room for a multiple of four. */
export function powers(values: usize, result: usize, count: i32): void {
  for (const end = values + ((<usize>count) << 2); values < end; values += 16, result += 16) {
    v128.store(result, exp4(v128.load(values)));
  }
}
