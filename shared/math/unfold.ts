/** Taps of a convolution over time. */
export const taps = 3;

export interface Unfolding {
  units: number;
  /** Frames from one tap to the next. */
  dilation: number;
  /** Which tap is the frame itself: 1 has a neighbour on either side, 2 looks back alone. */
  back: 1 | 2;
  /** First frame of each utterance, and the end of the last: taps do not reach into the next one. */
  utteranceOffsets: Int32Array;
}

/**
 * Frames side by side with their neighbours, so that a convolution is a matrix product: row t is x[t − d], x[t], x[t + d],
 * or x[t − 2d], x[t − d], x[t] where it looks back alone, with zeros beyond the edges of its utterance.
 *
 * @param target [frames × 3·units]
 * @param x [frames × units]
 */
export function unfoldInto(
  target: Float32Array,
  x: Float32Array,
  { units, dilation, back, utteranceOffsets }: Unfolding,
): void {
  forEachUtterance(utteranceOffsets, (first, end) => {
    for (let frame = first; frame < end; frame++) {
      for (let tap = 0; tap < taps; tap++) {
        const source = frame + (tap - back) * dilation;
        const to = (frame * taps + tap) * units;
        if (source < first || source >= end) target.fill(0, to, to + units);
        else target.set(x.subarray(source * units, (source + 1) * units), to);
      }
    }
  });
}

/**
 * The transpose of `unfoldInto`: what each frame gets back from all rows that hold it.
 *
 * @param target [frames × units], added to
 * @param gradient [frames × 3·units]
 */
export function addFoldInto(
  target: Float32Array,
  gradient: Float32Array,
  { units, dilation, back, utteranceOffsets }: Unfolding,
): void {
  forEachUtterance(utteranceOffsets, (first, end) => {
    for (let frame = first; frame < end; frame++) {
      for (let tap = 0; tap < taps; tap++) {
        const source = frame + (tap - back) * dilation;
        if (source < first || source >= end) continue;
        const [to, from] = [source * units, (frame * taps + tap) * units];
        for (let unit = 0; unit < units; unit++) target[to + unit]! += gradient[from + unit]!;
      }
    }
  });
}

/** Calls with the first frame of each utterance, and the end. */
export function forEachUtterance(offsets: Int32Array, use: (first: number, end: number) => void): void {
  for (let utterance = 0; utterance + 1 < offsets.length; utterance++)
    use(offsets[utterance]!, offsets[utterance + 1]!);
}
