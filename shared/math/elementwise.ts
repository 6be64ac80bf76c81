/** target += values */
export function addInto(target: Float32Array, values: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += values[i]!;
}

/** target *= factors */
export function multiplyInto(target: Float32Array, factors: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i]! *= factors[i]!;
}
