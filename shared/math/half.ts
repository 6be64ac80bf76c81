/**
 * IEEE 754 binary16, as the 16 bits Arrow stores.
 *
 * Conversion to half rounds to nearest, ties to even; overflow gives an infinity, NaN stays NaN.
 */
const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);

/** Bits of the half nearest to a float32, given as bits. */
function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (magnitude < 0x38800000) {
    // subnormal half: added to ½, whose last bit is 2⁻²⁴, it is rounded to even units of 2⁻²⁴ by the addition
    floatBits[0] = magnitude;
    float[0]! += 0.5;
    return sign | (floatBits[0]! - 0x3f000000);
  }
  // a fraction that overflows carries into the exponent, up to that of infinity
  return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
}

/** All 65,536 halves as float32, made on first use. */
let table: Float32Array | undefined;
function halves(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return table;
}

/** Each value rounded to half precision, as bits, from a place of the target on. */
export function toHalfInto(target: Uint16Array, values: Float32Array, start = 0): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) target[start + i] = halfOf(bits[i]!);
}

/** Each value rounded to half precision, as bits. */
export function toHalf(values: Float32Array): Uint16Array {
  const result = new Uint16Array(values.length);
  toHalfInto(result, values);
  return result;
}

/** Each half, given as bits, as float32: exact. */
export function fromHalf(halfBits: Uint16Array): Float32Array {
  const values = halves();
  const result = new Float32Array(halfBits.length);
  for (let i = 0; i < halfBits.length; i++) result[i] = values[halfBits[i]!]!;
  return result;
}
