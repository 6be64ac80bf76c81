// Twins of log_softmax.ts and top_tokens.ts.
import { exponentials, largestOf } from './vectors';

/** @param result [frames × vocabulary]; may be the logits themselves */
export function logSoftmax(logits: usize, result: usize, frames: i32, vocabulary: i32, inverse: f32): void {
  const bytes = (<usize>vocabulary) << 2;
  const whole = (<usize>(vocabulary & ~3)) << 2;
  for (let frame = 0; frame < frames; frame++, logits += bytes, result += bytes) {
    const largest = largestOf(logits, vocabulary);
    const logSum = <f32>Math.log(exponentials(logits, 0, vocabulary, largest, inverse));
    const base = f32x4.splat(largest);
    const scale = f32x4.splat(inverse);
    const sum = f32x4.splat(logSum);
    for (let i: usize = 0; i < whole; i += 16) {
      v128.store(result + i, f32x4.sub(f32x4.mul(f32x4.sub(v128.load(logits + i), base), scale), sum));
    }
    for (let i = whole; i < bytes; i += 4) store<f32>(result + i, (load<f32>(logits + i) - largest) * inverse - logSum);
  }
}

/**
 * The k best of each frame, best first, ties by lower id, and the frame's log Σ exp.
 *
 * What the best tokens of one frame score in the next is a bound on its k-th best: most tokens are out at once.
 *
 * @param tokens uint16, [frames × k]; values float32 alike
 * @param logSums float32, [frames]
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
): i32 {
  const last = (<usize>(k - 1)) << 2;
  for (let frame = 0; frame < frames; frame++) {
    let bound: f32 = -Infinity;
    if (frame > 0) {
      bound = Infinity;
      for (let i = 0; i < k; i++)
        bound = min<f32>(bound, load<f32>(scores + ((<usize>load<u16>(tokens + ((<usize>i) << 1))) << 2)));
      if (!(bound <= Infinity)) bound = -Infinity; // one of them is no number
      tokens += (<usize>k) << 1;
    }
    const largest = largestOf(scores, vocabulary);
    let filled = 0;
    // until the list is full, what equals the bound belongs to it; afterwards a later token must be better
    let bounds = f32x4.splat(bound);
    for (let token = 0; token < vocabulary; token += 4) {
      const four = v128.load(scores + ((<usize>token) << 2));
      let hits = i32x4.bitmask(filled < k ? f32x4.ge(four, bounds) : f32x4.gt(four, bounds));
      if (vocabulary - token < 4) hits &= (1 << (vocabulary - token)) - 1;
      while (hits) {
        const candidate = token + ctz(hits);
        hits &= hits - 1;
        const score = load<f32>(scores + ((<usize>candidate) << 2));
        if (filled === k && !(score > load<f32>(values + last))) continue;
        let place = filled < k ? filled++ : k - 1;
        for (; place > 0 && score > load<f32>(values + ((<usize>(place - 1)) << 2)); place--) {
          store<f32>(values + ((<usize>place) << 2), load<f32>(values + ((<usize>(place - 1)) << 2)));
          store<u16>(tokens + ((<usize>place) << 1), load<u16>(tokens + ((<usize>(place - 1)) << 1)));
        }
        store<f32>(values + ((<usize>place) << 2), score);
        store<u16>(tokens + ((<usize>place) << 1), <u16>candidate);
        if (filled === k) bounds = f32x4.splat(load<f32>(values + last));
      }
    }
    if (filled < k) return frame;
    store<f32>(logSums, largest + <f32>Math.log(exponentials(scores, 0, vocabulary, largest, 1)));
    logSums += 4;
    values += (<usize>k) << 2;
    scores += (<usize>vocabulary) << 2;
  }
  return frames;
}
