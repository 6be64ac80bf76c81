// Twins of half.ts: eight numbers at once; both arrays have room for a multiple of eight.

/** @param halves uint16, [count]; @param values float32, [count] */
export function fromHalf(halves: usize, values: usize, count: i32): void {
  const infinite = i32x4.splat(0x7c00 << 13);
  for (let i = 0; i < count; i += 8, halves += 16, values += 32) {
    const eight = v128.load(halves);
    v128.store(values, widened(i32x4.extend_low_i16x8_u(eight), infinite));
    v128.store(values, widened(i32x4.extend_high_i16x8_u(eight), infinite), 16);
  }
}

/** The exponent of a half, taken for that of a float, is 112 too small: right for subnormals too, once multiplied. */
function widened(half: v128, infinite: v128): v128 {
  const magnitude = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
  const finite = f32x4.mul(magnitude, f32x4.splat(reinterpret<f32>(0x77800000)));
  const special = v128.and(i32x4.ge_s(magnitude, infinite), i32x4.splat(0x7f800000));
  return v128.or(v128.or(finite, special), i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16));
}

/** @param values float32, [count]; @param halves uint16, [count] */
export function toHalf(values: usize, halves: usize, count: i32): void {
  for (let i = 0; i < count; i += 8, values += 32, halves += 16) {
    v128.store(halves, i16x8.narrow_i32x4_u(narrowed(v128.load(values)), narrowed(v128.load(values, 16))));
  }
}

/** Rounded to nearest, ties to even. */
function narrowed(value: v128): v128 {
  const magnitude = v128.and(value, i32x4.splat(0x7fffffff));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff)), odd);
  const normal = i32x4.shr_u(i32x4.sub(rounded, i32x4.splat(0x38000000)), 13);
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000));
  const quiet = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x7f800000)), i32x4.splat(0x0200));
  const special = v128.or(i32x4.splat(0x7c00), quiet);
  const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)));
  const half = v128.bitselect(special, finite, i32x4.ge_s(magnitude, i32x4.splat(0x47800000)));
  return v128.or(half, i32x4.shr_u(v128.and(value, i32x4.splat(0x80000000)), 16));
}
