/** How a network sees its input: each output frame is a window of input frames around its centre. */
export interface Splicing {
  bins: number;
  /** Input frames before and after the centre. */
  spliceLeft: number;
  spliceRight: number;
  /** Input frames from one output frame to the next. */
  stride: number;
}

/** Output frames of an utterance: ⌈frames / stride⌉. */
export const outputFrameCount = (frames: number, stride: number): number => Math.ceil(frames / stride);

/** Input frame in the middle of output frame j: the middle of its stride, or the last frame there is. */
export const centreFrame = (j: number, frames: number, stride: number): number =>
  Math.min(stride * j + (stride >> 1), frames - 1);

/**
 * Windows of consecutive input frames, one per output frame, into `target` from row `firstRow` on.
 * At the edges the first and the last frame are repeated, as Kaldi's splice-feats does.
 *
 * @param features [frames × bins]
 * @param target [rows × ((left + 1 + right) · bins)]
 */
export function spliceInto(
  target: Float32Array,
  firstRow: number,
  features: Float32Array,
  { bins, spliceLeft, spliceRight, stride }: Splicing,
): void {
  const frames = features.length / bins;
  const rows = outputFrameCount(frames, stride);
  const window = spliceLeft + 1 + spliceRight;
  for (let j = 0; j < rows; j++) {
    const first = centreFrame(j, frames, stride) - spliceLeft;
    const start = (firstRow + j) * window * bins;
    if (first >= 0 && first + window <= frames) {
      target.set(features.subarray(first * bins, (first + window) * bins), start);
      continue;
    }
    for (let i = 0; i < window; i++) {
      const frame = Math.max(0, Math.min(frames - 1, first + i));
      target.set(features.subarray(frame * bins, (frame + 1) * bins), start + i * bins);
    }
  }
}
