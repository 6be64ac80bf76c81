/** Typed arrays, one after another. */
export function concatenate<A extends Float32Array | Int32Array>(
  ArrayOf: new (length: number) => A,
  parts: readonly A[],
): A {
  const all = new ArrayOf(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}
