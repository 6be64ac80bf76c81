// Twin of attention.ts: four units at once, one head of an utterance a call. Its units are a multiple of four.
import { exponentials, largestOf, sum4 } from './vectors';

function dot(a: usize, b: usize, bytes: usize): f32 {
  let sums = f32x4.splat(0);
  for (let u: usize = 0; u < bytes; u += 16) sums = f32x4.add(sums, f32x4.mul(v128.load(a + u), v128.load(b + u)));
  return sum4(sums);
}

function addScaled(target: usize, values: usize, factor: f32, bytes: usize): void {
  const factors = f32x4.splat(factor);
  for (let u: usize = 0; u < bytes; u += 16) {
    v128.store(target + u, f32x4.add(v128.load(target + u), f32x4.mul(factors, v128.load(values + u))));
  }
}

/**
 * qkv: the head's first query; positions: its bias of distance 0; weights and y: its first ones.
 * units: of all heads; width: of this one.
 */
export function attention(
  qkv: usize,
  positions: usize,
  weights: usize,
  y: usize,
  units: i32,
  width: i32,
  reach: i32,
  frames: i32,
  factor: f32,
): void {
  const bytes = (<usize>width) << 2;
  const stride = (<usize>units) << 2;
  for (let i = 0; i < frames; i++) {
    const query = qkv + <usize>i * 3 * stride;
    let key = qkv + stride;
    for (let j = 0; j < frames; j++, key += 3 * stride) {
      const distance = max<i32>(-reach, min<i32>(reach, j - i));
      const score = dot(query, key, bytes) * factor + load<f32>(positions + <usize>((<isize>distance) << 2));
      store<f32>(weights + ((<usize>j) << 2), score);
    }
    const largest = largestOf(weights, frames);
    const inverse = <f32>(1 / exponentials(weights, weights, frames, largest, 1));
    const own = y + <usize>i * stride;
    memory.fill(own, 0, bytes);
    let value = qkv + 2 * stride;
    for (let j = 0; j < frames; j++, value += 3 * stride) {
      const share = load<f32>(weights + ((<usize>j) << 2)) * inverse;
      store<f32>(weights + ((<usize>j) << 2), share);
      addScaled(own, value, share, bytes);
    }
    weights += (<usize>frames) << 2;
  }
}

/** qkvGradient and positionGradient are added to. */
export function attentionGradient(
  qkv: usize,
  weights: usize,
  gradient: usize,
  qkvGradient: usize,
  positionGradient: usize,
  scratch: usize,
  units: i32,
  width: i32,
  reach: i32,
  frames: i32,
  factor: f32,
): void {
  const bytes = (<usize>width) << 2;
  const stride = (<usize>units) << 2;
  for (let i = 0; i < frames; i++) {
    const wanted = gradient + <usize>i * stride;
    let mean: f64 = 0;
    for (let j = 0; j < frames; j++) {
      const value = <usize>j * 3 * stride + 2 * stride;
      const share = load<f32>(weights + ((<usize>j) << 2));
      const inner = dot(wanted, qkv + value, bytes);
      addScaled(qkvGradient + value, wanted, share, bytes);
      store<f32>(scratch + ((<usize>j) << 2), inner);
      mean += <f64>share * inner;
    }
    const query = <usize>i * 3 * stride;
    for (let j = 0; j < frames; j++) {
      const place = (<usize>j) << 2;
      const score = load<f32>(weights + place) * <f32>(<f64>load<f32>(scratch + place) - mean);
      const distance = max<i32>(-reach, min<i32>(reach, j - i));
      const position = positionGradient + <usize>((<isize>distance) << 2);
      store<f32>(position, load<f32>(position) + score);
      const key = <usize>j * 3 * stride + stride;
      addScaled(qkvGradient + query, qkv + key, score * factor, bytes);
      addScaled(qkvGradient + key, qkv + query, score * factor, bytes);
    }
    weights += (<usize>frames) << 2;
  }
}
