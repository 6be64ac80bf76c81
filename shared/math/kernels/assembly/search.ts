// Twins of path_cells.ts: two tokens, or two cells, at once.

/** @param logPosteriors float32, bias and emissions float64, [count], with room for an even one */
export function scoreFrame(logPosteriors: usize, bias: usize, emissions: usize, count: i32, scale: f64): void {
  const scales = f64x2.splat(scale);
  for (const end = logPosteriors + ((<usize>count) << 2); logPosteriors < end; logPosteriors += 8) {
    const two = f64x2.promote_low_f32x4(v128.load64_zero(logPosteriors));
    v128.store(emissions, f64x2.add(f64x2.mul(scales, two), v128.load(bias)));
    bias += 16;
    emissions += 16;
  }
}

/**
 * @param scores float64, [cells], as stays, comes and logPosteriorSums; origins two int32 and tokens one for each cell
 * @param emissions float64, logPosteriors float32, [vocabulary]
 * @returns the score of the best
 */
export function advancePaths(
  first: i32,
  last: i32,
  scores: usize,
  stays: usize,
  comes: usize,
  logPosteriorSums: usize,
  origins: usize,
  tokens: usize,
  emissions: usize,
  logPosteriors: usize,
): f64 {
  let best = f64x2.splat(-Infinity);
  let cell = last;
  for (; cell > first; cell -= 2) {
    const at = (<usize>(cell - 1)) << 3;
    const token = <usize>load<i32>(tokens + (at >> 1));
    const next = <usize>load<i32>(tokens + (at >> 1), 4);
    const stayed = f64x2.add(v128.load(scores + at), v128.load(stays + at));
    const moved = f64x2.add(v128.load(scores + at - 8), v128.load(comes + at));
    const moves = f64x2.gt(moved, stayed);
    const emission = v128.load64_lane(emissions + (next << 3), v128.load64_zero(emissions + (token << 3)), 1);
    const heard = v128.load32_lane(logPosteriors + (next << 2), v128.load32_zero(logPosteriors + (token << 2)), 1);
    const score = f64x2.add(v128.bitselect(moved, stayed, moves), emission);
    const logPosteriorSum = v128.bitselect(
      v128.load(logPosteriorSums + at - 8),
      v128.load(logPosteriorSums + at),
      moves,
    );
    v128.store(origins + at, v128.bitselect(v128.load(origins + at - 8), v128.load(origins + at), moves));
    v128.store(logPosteriorSums + at, f64x2.add(logPosteriorSum, f64x2.promote_low_f32x4(heard)));
    v128.store(scores + at, score);
    best = f64x2.pmax(best, score);
  }
  const two = f64x2.pmax(best, i64x2.shuffle(best, best, 1, 0));
  const highest = f64x2.extract_lane(two, 0);
  if (cell < first) return highest;
  const at = (<usize>cell) << 3;
  const token = <usize>load<i32>(tokens + (at >> 1));
  let score = load<f64>(scores + at) + load<f64>(stays + at);
  const moved = load<f64>(scores + at - 8) + load<f64>(comes + at);
  if (moved > score) {
    score = moved;
    store<f64>(logPosteriorSums + at, load<f64>(logPosteriorSums + at - 8));
    store<i64>(origins + at, load<i64>(origins + at - 8));
  }
  score += load<f64>(emissions + (token << 3));
  store<f64>(scores + at, score);
  store<f64>(logPosteriorSums + at, load<f64>(logPosteriorSums + at) + <f64>load<f32>(logPosteriors + (token << 2)));
  return score > highest ? score : highest;
}
