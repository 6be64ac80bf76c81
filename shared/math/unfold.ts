/** Taps of a convolution over time. */
export const taps = 3;

export interface Unfolding {
  units: number;
  /** Frames from one tap to the next. */
  dilation: number;
  /** First frame of each utterance, and the end of the last: taps do not reach into the next one. */
  utteranceOffsets: Int32Array;
}

/**
 * Frames side by side with their neighbours, so that a convolution is a matrix product: row t is x[t − d], x[t], x[t + d],
 * with zeros beyond the edges of its utterance.
 *
 * @param x [frames × units]
 * @returns [frames × 3·units]
 */
export function unfold(x: Float32Array, { units, dilation, utteranceOffsets }: Unfolding): Float32Array {
  const result = new Float32Array(taps * x.length);
  forEachUtterance(utteranceOffsets, (first, end) => {
    for (let frame = first; frame < end; frame++) {
      for (let tap = 0; tap < taps; tap++) {
        const source = frame + (tap - 1) * dilation;
        if (source < first || source >= end) continue;
        result.set(x.subarray(source * units, (source + 1) * units), (frame * taps + tap) * units);
      }
    }
  });
  return result;
}

/**
 * The transpose of `unfold`: what each frame gets back from all rows that hold it.
 *
 * @param target [frames × units], added to
 * @param gradient [frames × 3·units]
 */
export function addFoldInto(
  target: Float32Array,
  gradient: Float32Array,
  { units, dilation, utteranceOffsets }: Unfolding,
): void {
  forEachUtterance(utteranceOffsets, (first, end) => {
    for (let frame = first; frame < end; frame++) {
      const to = frame * units;
      const here = (frame * taps + 1) * units;
      // a frame is the left tap of the row one dilation later, and the right tap of the one before
      const later = frame + dilation < end ? (frame + dilation) * taps * units : -1;
      const earlier = frame - dilation >= first ? ((frame - dilation) * taps + 2) * units : -1;
      if (later >= 0 && earlier >= 0) {
        for (let unit = 0; unit < units; unit++) {
          target[to + unit]! += gradient[later + unit]! + gradient[here + unit]! + gradient[earlier + unit]!;
        }
        continue;
      }
      for (const from of [later, here, earlier]) {
        if (from >= 0) for (let unit = 0; unit < units; unit++) target[to + unit]! += gradient[from + unit]!;
      }
    }
  });
}

function forEachUtterance(offsets: Int32Array, use: (first: number, end: number) => void): void {
  for (let utterance = 0; utterance + 1 < offsets.length; utterance++)
    use(offsets[utterance]!, offsets[utterance + 1]!);
}
