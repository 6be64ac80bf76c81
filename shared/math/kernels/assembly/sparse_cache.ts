// Twins of frame_sums.ts and keep_cached.ts.
import { addTo, exp4, exponentials, largestOf, loadRest, stretch, sum4 } from './vectors';

/**
 * @param logPosteriors float32, [frames × vocabulary]
 * @param inverses float32, [count], of temperatures beside 1
 * @param entropy float64, [frames]
 * @param sums float64, [(1 + count) × frames]: log Σ exp at temperature 1, then at the others
 */
export function frameSums(
  logPosteriors: usize,
  frames: i32,
  vocabulary: i32,
  inverses: usize,
  count: i32,
  entropy: usize,
  sums: usize,
): void {
  const list = (<usize>frames) << 3;
  for (let frame = 0; frame < frames; frame++, logPosteriors += (<usize>vocabulary) << 2, entropy += 8, sums += 8) {
    store<f64>(sums, Math.log(massOf(logPosteriors, vocabulary, entropy)));
    const largest = count > 0 ? largestOf(logPosteriors, vocabulary) : 0;
    for (let i = 0; i < count; i++) {
      const inverse = load<f32>(inverses + ((<usize>i) << 2));
      const sum = exponentials(logPosteriors, 0, vocabulary, largest, inverse);
      store<f64>(sums + <usize>(i + 1) * list, <f64>largest * <f64>inverse + Math.log(sum));
    }
  }
}

/** Σ exp(z); its −Σ exp(z) z, which is 0 where z is −∞, is stored. */
function massOf(row: usize, count: i32, entropy: usize): f64 {
  const least = f32x4.splat(-3e38);
  const rest = count & 3;
  const end = row + ((<usize>(count - rest)) << 2);
  let masses = f64x2.splat(0);
  let weighted = f64x2.splat(0);
  while (row < end) {
    let mass = f32x4.splat(0);
    let nats = f32x4.splat(0);
    for (const stop = min(end, row + stretch); row < stop; row += 16) {
      const value = v128.load(row);
      const posterior = exp4(value);
      mass = f32x4.add(mass, posterior);
      nats = f32x4.sub(nats, f32x4.mul(posterior, f32x4.pmax(value, least)));
    }
    masses = addTo(masses, mass);
    weighted = addTo(weighted, nats);
  }
  if (rest) {
    const value = loadRest(row, rest);
    const posterior = exp4(value);
    masses = addTo(masses, posterior);
    weighted = addTo(weighted, f32x4.neg(f32x4.mul(posterior, f32x4.pmax(value, least))));
  }
  store<f64>(entropy, f64x2.extract_lane(weighted, 0) + f64x2.extract_lane(weighted, 1));
  return f64x2.extract_lane(masses, 0) + f64x2.extract_lane(masses, 1);
}

/**
 * @param logPosteriors float32, [frames × k] at temperature 1, with room for three more; tokens uint16 alike
 * @param logZ float32, [frames]
 * @param offsets int32, [frames + 1]: how many of a frame's tokens are kept
 * @param keptTokens uint16, keptValues float32, [offsets[frames]]: receive the tokens kept, and their log-posteriors
 * @param lostMass float32, [frames]; logTail and divergence alike
 * @param mass float64, [vocabulary], added to
 * @param values float32, room for [k] up to the next multiple of four; posteriors alike
 */
export function keepCached(
  logPosteriors: usize,
  tokens: usize,
  logZ: usize,
  frames: i32,
  k: i32,
  vocabulary: i32,
  inverse: f32,
  offsets: usize,
  keptTokens: usize,
  keptValues: usize,
  lostMass: usize,
  logTail: usize,
  divergence: usize,
  mass: usize,
  values: usize,
  posteriors: usize,
): void {
  const rest = k & 3;
  const whole = (<usize>(k - rest)) << 2;
  const scale = f32x4.splat(inverse);
  const isWhole = k === vocabulary;
  const perOther = isWhole ? 0 : 1 / <f64>(vocabulary - k);
  const logOfOthers = isWhole ? 0 : Math.log(<f64>(vocabulary - k));
  let shared: f64 = 0;
  for (let frame = 0; frame < frames; frame++, offsets += 4, logZ += 4, lostMass += 4, logTail += 4, divergence += 4) {
    const normaliser = f32x4.splat(load<f32>(logZ));
    let sums = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) {
      const value = f32x4.sub(f32x4.mul(v128.load(logPosteriors + i), scale), normaliser);
      v128.store(values + i, value);
      const posterior = exp4(value);
      v128.store(posteriors + i, posterior);
      sums = f32x4.add(sums, posterior);
    }
    if (rest) {
      const value = f32x4.sub(f32x4.mul(loadRest(logPosteriors + whole, rest), scale), normaliser);
      v128.store(values + whole, value);
      const posterior = exp4(value);
      v128.store(posteriors + whole, posterior);
      sums = f32x4.add(sums, posterior);
    }
    const beyond: f64 = isWhole ? 0 : max<f64>(0, 1 - <f64>sum4(sums));
    const share = beyond * perOther;
    shared += share;
    const count = load<i32>(offsets, 4) - load<i32>(offsets);
    let tail = beyond;
    let nats: f64 = 0;
    for (let i = 0; i < k; i++) {
      const place = (<usize>i) << 2;
      const posterior = <f64>load<f32>(posteriors + place);
      const token = load<u16>(tokens + ((<usize>i) << 1));
      const sum = mass + ((<usize>token) << 3);
      store<f64>(sum, load<f64>(sum) + posterior - share);
      if (i < count) {
        store<u16>(keptTokens, token);
        store<f32>(keptValues, load<f32>(values + place));
        keptTokens += 2;
        keptValues += 4;
      } else if (posterior > 0) {
        tail += posterior;
        nats += posterior * <f64>load<f32>(values + place);
      }
    }
    let lost: f64 = 0;
    let logOfTail: f64 = 0;
    if (count > 0) {
      logOfTail = Math.log(tail);
      if (count < k && tail > 0) {
        if (beyond > 0) nats += beyond * (Math.log(beyond) - logOfOthers);
        lost = nats - tail * (logOfTail - Math.log(<f64>(vocabulary - count)));
      }
    }
    store<f32>(lostMass, count > 0 ? <f32>tail : 1);
    store<f32>(logTail, <f32>logOfTail);
    store<f32>(divergence, <f32>lost);
    tokens += (<usize>k) << 1;
    logPosteriors += (<usize>k) << 2;
  }
  // what the frames have beyond the cached tokens, of which each cached token was spared its share above
  for (const end = mass + ((<usize>vocabulary) << 3); mass < end; mass += 8) store<f64>(mass, load<f64>(mass) + shared);
}
