// Twins of norm_relu.ts, unfold.ts, kept_units.ts and adamw.ts, four float32 at once. Arguments are places in memory.
import { sum4 } from './vectors';

/** kept and residual: 0 where there is none. */
export function normRelu(
  z: usize,
  bias: usize,
  gain: usize,
  shift: usize,
  kept: usize,
  residual: usize,
  y: usize,
  scale: usize,
  frames: i32,
  units: i32,
): void {
  const bytes = (<usize>units) << 2;
  const whole = bytes & ~15;
  const perUnit: f32 = <f32>1 / <f32>units;
  for (let frame = 0; frame < frames; frame++) {
    let sums = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) {
      const value = f32x4.add(v128.load(z + i), v128.load(bias + i));
      v128.store(z + i, value);
      sums = f32x4.add(sums, value);
    }
    let sum = sum4(sums);
    for (let i = whole; i < bytes; i += 4) {
      const value = load<f32>(z + i) + load<f32>(bias + i);
      store<f32>(z + i, value);
      sum += value;
    }
    const mean = sum * perUnit;
    const means = f32x4.splat(mean);
    sums = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) {
      const deviation = f32x4.sub(v128.load(z + i), means);
      sums = f32x4.add(sums, f32x4.mul(deviation, deviation));
    }
    let squares = sum4(sums);
    for (let i = whole; i < bytes; i += 4) {
      const deviation = load<f32>(z + i) - mean;
      squares += deviation * deviation;
    }
    const factor: f32 = <f32>1 / Mathf.sqrt(squares * perUnit + <f32>1e-5);
    store<f32>(scale, factor);
    scale += 4;
    const factors = f32x4.splat(factor);
    const zero = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) {
      const normalised = f32x4.mul(f32x4.sub(v128.load(z + i), means), factors);
      v128.store(z + i, normalised);
      let value = f32x4.pmax(f32x4.add(f32x4.mul(normalised, v128.load(gain + i)), v128.load(shift + i)), zero);
      if (kept) value = f32x4.mul(value, v128.load(kept + i));
      if (residual) value = f32x4.add(value, v128.load(residual + i));
      v128.store(y + i, value);
    }
    for (let i = whole; i < bytes; i += 4) {
      const normalised = (load<f32>(z + i) - mean) * factor;
      store<f32>(z + i, normalised);
      let value = max<f32>(0, normalised * load<f32>(gain + i) + load<f32>(shift + i));
      if (kept) value *= load<f32>(kept + i);
      if (residual) value += load<f32>(residual + i);
      store<f32>(y + i, value);
    }
    z += bytes;
    y += bytes;
    if (kept) kept += bytes;
    if (residual) residual += bytes;
  }
}

/** biasSum, gainSum and shiftSum are added to. */
export function normReluGradient(
  normalised: usize,
  scale: usize,
  gain: usize,
  shift: usize,
  kept: usize,
  gradient: usize,
  z: usize,
  biasSum: usize,
  gainSum: usize,
  shiftSum: usize,
  frames: i32,
  units: i32,
): void {
  const bytes = (<usize>units) << 2;
  const whole = bytes & ~15;
  const perUnit: f32 = <f32>1 / <f32>units;
  const zero = f32x4.splat(0);
  for (let frame = 0; frame < frames; frame++) {
    let sums = zero;
    let weightedSums = zero;
    for (let i: usize = 0; i < whole; i += 16) {
      const x = v128.load(normalised + i);
      const weight = v128.load(gain + i);
      const positive = f32x4.gt(f32x4.add(f32x4.mul(x, weight), v128.load(shift + i)), zero);
      let active = v128.and(v128.load(gradient + i), positive);
      if (kept) active = f32x4.mul(active, v128.load(kept + i));
      v128.store(gainSum + i, f32x4.add(v128.load(gainSum + i), f32x4.mul(active, x)));
      v128.store(shiftSum + i, f32x4.add(v128.load(shiftSum + i), active));
      const inner = f32x4.mul(active, weight);
      v128.store(z + i, inner);
      sums = f32x4.add(sums, inner);
      weightedSums = f32x4.add(weightedSums, f32x4.mul(inner, x));
    }
    let sum = sum4(sums);
    let weightedSum = sum4(weightedSums);
    for (let i = whole; i < bytes; i += 4) {
      const x = load<f32>(normalised + i);
      const weight = load<f32>(gain + i);
      let active: f32 = x * weight + load<f32>(shift + i) > 0 ? load<f32>(gradient + i) : 0;
      if (kept) active *= load<f32>(kept + i);
      store<f32>(gainSum + i, load<f32>(gainSum + i) + active * x);
      store<f32>(shiftSum + i, load<f32>(shiftSum + i) + active);
      const inner = active * weight;
      store<f32>(z + i, inner);
      sum += inner;
      weightedSum += inner * x;
    }
    const mean = sum * perUnit;
    const weightedMean = weightedSum * perUnit;
    const factor = load<f32>(scale);
    scale += 4;
    const means = f32x4.splat(mean);
    const weightedMeans = f32x4.splat(weightedMean);
    const factors = f32x4.splat(factor);
    for (let i: usize = 0; i < whole; i += 16) {
      const centred = f32x4.sub(
        f32x4.sub(v128.load(z + i), means),
        f32x4.mul(v128.load(normalised + i), weightedMeans),
      );
      const value = f32x4.mul(factors, centred);
      v128.store(z + i, value);
      v128.store(biasSum + i, f32x4.add(v128.load(biasSum + i), value));
    }
    for (let i = whole; i < bytes; i += 4) {
      const value = factor * (load<f32>(z + i) - mean - load<f32>(normalised + i) * weightedMean);
      store<f32>(z + i, value);
      store<f32>(biasSum + i, load<f32>(biasSum + i) + value);
    }
    normalised += bytes;
    gradient += bytes;
    z += bytes;
    if (kept) kept += bytes;
  }
}

function copyRow(to: usize, from: usize, bytes: usize): void {
  const whole = bytes & ~15;
  for (let i: usize = 0; i < whole; i += 16) v128.store(to + i, v128.load(from + i));
  for (let i = whole; i < bytes; i += 4) store<f32>(to + i, load<f32>(from + i));
}

function addRow(to: usize, from: usize, bytes: usize): void {
  const whole = bytes & ~15;
  for (let i: usize = 0; i < whole; i += 16) v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)));
  for (let i = whole; i < bytes; i += 4) store<f32>(to + i, load<f32>(to + i) + load<f32>(from + i));
}

export function add(target: usize, values: usize, count: i32): void {
  addRow(target, values, (<usize>count) << 2);
}

export function multiply(target: usize, factors: usize, count: i32): void {
  const bytes = (<usize>count) << 2;
  const whole = bytes & ~15;
  for (let i: usize = 0; i < whole; i += 16) {
    v128.store(target + i, f32x4.mul(v128.load(target + i), v128.load(factors + i)));
  }
  for (let i = whole; i < bytes; i += 4) store<f32>(target + i, load<f32>(target + i) * load<f32>(factors + i));
}

/** Frames first to end: one utterance. */
export function unfold(rows: usize, x: usize, units: i32, dilation: i32, back: i32, first: i32, end: i32): void {
  const bytes = (<usize>units) << 2;
  for (let frame = first; frame < end; frame++) {
    for (let tap = 0; tap < 3; tap++) {
      const source = frame + (tap - back) * dilation;
      const to = rows + <usize>(frame * 3 + tap) * bytes;
      if (source < first || source >= end) memory.fill(to, 0, bytes);
      else copyRow(to, x + <usize>source * bytes, bytes);
    }
  }
}

export function addFold(target: usize, rows: usize, units: i32, dilation: i32, back: i32, first: i32, end: i32): void {
  const bytes = (<usize>units) << 2;
  for (let frame = first; frame < end; frame++) {
    for (let tap = 0; tap < 3; tap++) {
      const source = frame + (tap - back) * dilation;
      if (source < first || source >= end) continue;
      addRow(target + <usize>source * bytes, rows + <usize>(frame * 3 + tap) * bytes, bytes);
    }
  }
}

/** a to d: state of xoshiro128**. Up to three units beyond the last are written as well. */
export function keepUnits(kept: usize, size: i32, a: u32, b: u32, c: u32, d: u32, threshold: i32, factor: f32): void {
  const thresholds = i32x4.splat(threshold);
  const factors = f32x4.splat(factor);
  for (let i = 0; i < size; i += 4) {
    const bits = rotl<u32>(b * 5, 7) * 9;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl<u32>(d, 11);
    const bytes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(i32x4.splat(bits)));
    v128.store(kept + ((<usize>i) << 2), v128.andnot(factors, i32x4.lt_s(bytes, thresholds)));
  }
}

/** decay: one byte a parameter, 0 or 1. */
export function adamW(
  weights: usize,
  gradients: usize,
  mean: usize,
  square: usize,
  decay: usize,
  count: i32,
  beta1: f32,
  beta2: f32,
  newShare1: f32,
  newShare2: f32,
  stepSize: f32,
  perSquare: f32,
  decayed: f32,
  epsilon: f32,
): void {
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const place = (<usize>i) << 2;
    const gradient = v128.load(gradients + place);
    const m = f32x4.add(
      f32x4.mul(f32x4.splat(beta1), v128.load(mean + place)),
      f32x4.mul(f32x4.splat(newShare1), gradient),
    );
    const v = f32x4.add(
      f32x4.mul(f32x4.splat(beta2), v128.load(square + place)),
      f32x4.mul(f32x4.mul(f32x4.splat(newShare2), gradient), gradient),
    );
    v128.store(mean + place, m);
    v128.store(square + place, v);
    const flags = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(decay + <usize>i)));
    const weight = v128.load(weights + place);
    const lost = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(flags), f32x4.splat(decayed)), weight);
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(v, f32x4.splat(perSquare))), f32x4.splat(epsilon));
    const step = f32x4.div(f32x4.mul(f32x4.splat(stepSize), m), root);
    v128.store(weights + place, f32x4.sub(f32x4.sub(weight, lost), step));
  }
  for (let i = whole; i < count; i++) {
    const place = (<usize>i) << 2;
    const gradient = load<f32>(gradients + place);
    const m = beta1 * load<f32>(mean + place) + newShare1 * gradient;
    const v = beta2 * load<f32>(square + place) + newShare2 * gradient * gradient;
    store<f32>(mean + place, m);
    store<f32>(square + place, v);
    const weight = load<f32>(weights + place);
    const lost = <f32>load<u8>(decay + <usize>i) * decayed * weight;
    store<f32>(weights + place, weight - lost - (stepSize * m) / (Mathf.sqrt(v * perSquare) + epsilon));
  }
}

export function sumOfSquares(values: usize, count: i32): f64 {
  const whole = count & ~3;
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let i = 0; i < whole; i += 4) {
    const four = v128.load(values + ((<usize>i) << 2));
    const a = f64x2.promote_low_f32x4(four);
    const b = f64x2.promote_low_f32x4(i32x4.shuffle(four, four, 2, 3, 0, 1));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (let i = whole; i < count; i++) {
    const value = <f64>load<f32>(values + ((<usize>i) << 2));
    sum += value * value;
  }
  return sum;
}

export function scale(values: usize, count: i32, factor: f32): void {
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const place = values + ((<usize>i) << 2);
    v128.store(place, f32x4.mul(v128.load(place), f32x4.splat(factor)));
  }
  for (let i = whole; i < count; i++) {
    const place = values + ((<usize>i) << 2);
    store<f32>(place, load<f32>(place) * factor);
  }
}

/** First byte that is free. */
export function heapBase(): usize {
  return __heap_base;
}
