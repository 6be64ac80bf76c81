import {
  type CtcBatch,
  type CtcLoss,
  checkCtcBatch,
  ctcLoss,
  fewestFrames,
  meanNats,
  utteranceLossInto,
} from '../ctc_loss.ts';
import { openKernelMemory } from './memory.ts';

/**
 * The loss of `ctcLoss`, with posteriors in float32 and probabilities divided by their sum in each frame instead of
 * logarithms; `ctcLoss` itself where the processor has no SIMD, and for utterances in which that division would lose
 * something. The gradient lies in a memory of its own and is overwritten by the next call.
 *
 * @throws {RangeError} as `ctcLoss`
 */
export function openCtcLoss(): (batch: CtcBatch) => CtcLoss {
  const memory = openKernelMemory();
  if (!memory) return ctcLoss;
  return (batch) => {
    checkCtcBatch(batch);
    const { logits, vocabularySize, utteranceOffsets, labels, labelOffsets, blank = 0 } = batch;
    const frames = utteranceOffsets.at(-1)!;
    let largest = 0;
    for (let i = 0; i + 1 < utteranceOffsets.length; i++) {
      const count = 2 * (labelOffsets[i + 1]! - labelOffsets[i]!) + 1;
      largest = Math.max(
        largest,
        (utteranceOffsets[i + 1]! - utteranceOffsets[i]!) * 8 * (count + 2) + 36 * (count + 4),
      );
    }
    memory.clear(4 * logits.length + largest);
    const gradient = memory.floats(logits.length);
    gradient.set(logits);
    const mark = memory.mark();
    const utteranceNats = Float64Array.from({ length: utteranceOffsets.length - 1 }, (_, i) => {
      const [first, end] = [utteranceOffsets[i]!, utteranceOffsets[i + 1]!];
      const said = labels.subarray(labelOffsets[i]!, labelOffsets[i + 1]!);
      const rows = gradient.subarray(first * vocabularySize, end * vocabularySize);
      if (fewestFrames(said) > end - first || first === end) {
        rows.fill(0);
        return first === end && said.length === 0 ? 0 : Infinity;
      }
      memory.clear(largest, mark);
      const count = 2 * said.length + 1;
      const states = memory.integers(count);
      const skips = memory.floats64(count + 2).fill(0);
      for (let s = 0; s < count; s++) {
        states[s] = s % 2 === 0 ? blank : said[s >> 1]!;
        if (s % 2 === 1 && s >= 3 && states[s] !== states[s - 2]) skips[s] = 1;
      }
      const forward = memory.floats64((end - first) * (count + 2));
      const work = memory.floats64(3 * (count + 4));
      const [place, ...others] = [rows, states, skips, forward, work].map(memory.at) as number[];
      const nats = memory.functions.ctc!(
        ...[place!, end - first, vocabularySize, others[0]!, others[1]!, count, 1 / frames, others[2]!, others[3]!],
      );
      if (!Number.isNaN(nats)) return nats;
      const plain = logits.subarray(first * vocabularySize, end * vocabularySize);
      return utteranceLossInto(plain, rows.fill(0), { labels: said, vocabularySize, blank, scale: 1 / frames });
    });
    return { lossNats: meanNats(utteranceNats, frames), utteranceNats, gradient };
  };
}
