// Four float32 at once: what the other files here have in common. Of two numbers, pmax(a, b) is b where a < b, else a (so NaN
// in a stays, in b does not), in one instruction; max, which looks after NaN in both, takes seven, as does min.

export function sum4(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

export function max4(v: v128): f32 {
  const pairs = f32x4.pmax(v, i64x2.shuffle(v, v, 1, 0));
  return max<f32>(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** The last 1 to 3 numbers of a row, −∞ beside them; what lies behind the row is read, and not used. */
export function loadRest(place: usize, count: i32): v128 {
  const inside = i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3));
  return v128.bitselect(v128.load(place), f32x4.splat(-Infinity), inside);
}

export function storeRest(place: usize, count: i32, v: v128): void {
  store<f32>(place, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(place, f32x4.extract_lane(v, 1), 4);
  if (count > 2) store<f32>(place, f32x4.extract_lane(v, 2), 8);
}

/**
 * e^x of float32 numbers up to 88, to 1 unit in the last place; 0 below −87, NaN as it is.
 * @see Moshier, Cephes Mathematical Library, expf
 */
export function exp4(x: v128): v128 {
  const inside = f32x4.pmax(x, f32x4.splat(-87));
  // beside 1.5 · 2²³ there is no room for a fraction: the sum is rounded to a whole number, which its last bits hold
  const shifted = f32x4.add(f32x4.mul(inside, f32x4.splat(<f32>Math.LOG2E)), f32x4.splat(12582912));
  const n = f32x4.sub(shifted, f32x4.splat(12582912));
  let r = f32x4.sub(inside, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.1219444e-4)));
  let p = f32x4.splat(1.98756915e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(shifted, i32x4.splat(127)), 23);
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, f32x4.splat(-87)));
}

/**
 * Natural logarithm of positive float32 numbers, to 1 unit in the last place; infinity and NaN as they are.
 * @see Moshier, Cephes Mathematical Library, logf
 */
export function log4(x: v128): v128 {
  const bits = i32x4.sub(x, i32x4.splat(0x3f3504f3)); // √½: mantissas from there to √2
  const exponent = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const mantissa = i32x4.add(v128.and(bits, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const m = f32x4.sub(mantissa, f32x4.splat(1));
  const square = f32x4.mul(m, m);
  let p = f32x4.splat(7.0376836292e-2);
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(-1.151461031e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(1.167699874e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(-1.2420140846e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(1.4249322787e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(-1.6668057665e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(2.0000714765e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(-2.4999993993e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, m), square);
  y = f32x4.add(y, f32x4.mul(exponent, f32x4.splat(-2.1219444e-4)));
  y = f32x4.sub(y, f32x4.mul(square, f32x4.splat(0.5)));
  y = f32x4.add(f32x4.add(m, y), f32x4.mul(exponent, f32x4.splat(0.693359375)));
  return v128.bitselect(y, x, f32x4.lt(x, f32x4.splat(Infinity)));
}

/** 1 / (1 + e^−x), to 1e-7. */
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.pmin(f32x4.neg(x), f32x4.splat(87)))));
}

/**
 * Hyperbolic tangent, to 2 units in the last place.
 * @see Moshier, Cephes Mathematical Library, tanhf
 */
export function tanh4(x: v128): v128 {
  const one = f32x4.splat(1);
  const size = f32x4.pmin(f32x4.abs(x), f32x4.splat(40));
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-3.33332819422e-1));
  const small = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(exp4(f32x4.add(size, size)), one)));
  const large = v128.or(far, v128.and(x, f32x4.splat(-0.0)));
  return v128.bitselect(small, large, f32x4.lt(size, f32x4.splat(0.625)));
}

export function largestOf(row: usize, count: i32): f32 {
  const whole = count & ~3;
  const rest = count - whole;
  const end = row + ((<usize>whole) << 2);
  let most = f32x4.splat(-Infinity);
  for (let place = row; place < end; place += 16) most = f32x4.pmax(most, v128.load(place));
  if (rest) most = f32x4.pmax(most, loadRest(end, rest));
  return max4(most);
}

/** Bytes whose float32 sum is exact enough; from stretch to stretch, sums are float64. */
export const stretch: usize = 512;

export function addTo(sums: v128, four: v128): v128 {
  const low = f64x2.promote_low_f32x4(four);
  return f64x2.add(f64x2.add(sums, low), f64x2.promote_low_f32x4(i64x2.shuffle(four, four, 1, 0)));
}

export function sumOf(row: usize, count: i32): f64 {
  let sums = f64x2.splat(0);
  const end = row + ((<usize>(count & ~3)) << 2);
  let place = row;
  while (place < end) {
    let four = f32x4.splat(0);
    for (const stop = min(end, place + stretch); place < stop; place += 16) four = f32x4.add(four, v128.load(place));
    sums = addTo(sums, four);
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (const stop = row + ((<usize>count) << 2); place < stop; place += 4) sum += <f64>load<f32>(place);
  return sum;
}

/**
 * Exponentials of a row, exp((z − largest) · inverse); their sum is returned.
 *
 * @param target receives them, unless it is 0; may be the row itself
 */
export function exponentials(row: usize, target: usize, count: i32, largest: f32, inverse: f32): f64 {
  const whole = count & ~3;
  const rest = count - whole;
  const end = row + ((<usize>whole) << 2);
  const base = f32x4.splat(largest);
  const scale = f32x4.splat(inverse);
  let sums = f64x2.splat(0);
  let place = row;
  let to = target;
  while (place < end) {
    let four = f32x4.splat(0);
    for (const stop = min(end, place + stretch); place < stop; place += 16) {
      const value = exp4(f32x4.mul(f32x4.sub(v128.load(place), base), scale));
      if (target) {
        v128.store(to, value);
        to += 16;
      }
      four = f32x4.add(four, value);
    }
    sums = addTo(sums, four);
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  if (rest) {
    const value = exp4(f32x4.mul(f32x4.sub(loadRest(end, rest), base), scale));
    if (target) storeRest(to, rest, value);
    sum += <f64>sum4(value);
  }
  return sum;
}
