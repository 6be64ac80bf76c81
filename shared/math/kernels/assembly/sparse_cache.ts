// Twins of log_sums.ts and keep_cached.ts.
import { exp4, exponentials, largestOf, loadRest, sum4 } from './vectors';

/** @param sums float64, [frames]: log Σ exp(z · inverse) of each frame */
export function logSums(scores: usize, frames: i32, vocabulary: i32, inverse: f32, sums: usize): void {
  for (let frame = 0; frame < frames; frame++, scores += (<usize>vocabulary) << 2, sums += 8) {
    const largest = largestOf(scores, vocabulary);
    const sum = exponentials(scores, 0, vocabulary, largest, inverse);
    store<f64>(sums, <f64>largest * <f64>inverse + Math.log(sum));
  }
}

/**
 * @param logPosteriors float32, [frames × k] at temperature 1, with room for three more; tokens uint16 alike
 * @param logZ float32, [frames]
 * @param offsets int32, [frames + 1]: how many of a frame's tokens are kept
 * @param values float32, [frames × k], with room for three more: receives log-posteriors of all at the temperature
 * @param logTail float32, [frames]; divergence alike
 * @param mass float64, [vocabulary], added to
 * @param posteriors float32, room for [k] up to the next multiple of four
 * @returns mass of tokens that the cache does not have, to be shared by all, less what is to be taken from those it has
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
  values: usize,
  logTail: usize,
  divergence: usize,
  mass: usize,
  posteriors: usize,
): f64 {
  const rest = k & 3;
  const whole = (<usize>(k - rest)) << 2;
  const scale = f32x4.splat(inverse);
  const isWhole = k === vocabulary;
  const perOther = isWhole ? 0 : 1 / <f64>(vocabulary - k);
  const logOfOthers = isWhole ? 0 : Math.log(<f64>(vocabulary - k));
  let shared: f64 = 0;
  for (let frame = 0; frame < frames; frame++, offsets += 4, logZ += 4, logTail += 4, divergence += 4) {
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
      const sum = mass + ((<usize>load<u16>(tokens + ((<usize>i) << 1))) << 3);
      store<f64>(sum, load<f64>(sum) + posterior - share);
      if (i >= count && posterior > 0) {
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
    store<f32>(logTail, <f32>logOfTail);
    store<f32>(divergence, <f32>lost);
    tokens += (<usize>k) << 1;
    logPosteriors += (<usize>k) << 2;
    values += (<usize>k) << 2;
  }
  return shared;
}
