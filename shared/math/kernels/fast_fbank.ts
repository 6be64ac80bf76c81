import { createFbank, type Fbank, type FbankOptions, planFbank, takeMirrored } from '../fbank.ts';
import { openKernelMemory } from './memory.ts';

/**
 * The features of `createFbank`, four frames at once in float32, as Kaldi computes them; `createFbank` itself where the
 * processor has no SIMD.
 *
 * @throws {RangeError} when the settings leave a mel bin empty, or a shift shorter than a sample
 */
export function createFastFbank(options: FbankOptions): Fbank {
  const memory = openKernelMemory();
  if (!memory) return createFbank(options);
  const plan = planFbank(options);
  const { length, shift, fftSize, filters, preemphasis, floor } = plan;
  const { bins } = options;
  const half = fftSize / 2;

  const turns = (size: number): number[] =>
    Array.from({ length: 2 * half }, (_, i) => {
      const angle = (2 * Math.PI * (i >> 1)) / size;
      return i % 2 === 0 ? Math.cos(angle) : -Math.sin(angle);
    });
  memory.clear(0);
  const bank = filters.flatMap(({ first, weights }) => [first, weights.length]);
  const weights = filters.flatMap((filter) => [...filter.weights]);
  const tables = [
    memory.put(Float32Array.from(plan.window)),
    memory.put(Float32Array.from([...turns(half), ...turns(fftSize)])),
    bins,
    memory.put(Int32Array.from(bank)),
    memory.put(Float32Array.from(weights)),
  ];
  const work = memory.at(memory.floats(16 * half));
  const mark = memory.mark();

  return {
    frameCount: plan.frameCount,
    firstFrameCentreMs: plan.firstFrameCentreMs,
    compute(samples) {
      const frames = plan.frameCount(samples.length);
      if (frames === 0) return new Float32Array(0);
      const wholeFours = 4 * Math.ceil(frames / 4);
      const span = (wholeFours - 1) * shift + length;
      memory.clear(4 * (span + wholeFours * bins), mark);
      const signal = memory.floats(span);
      // what frames see of the signal, and beyond its ends
      const first = plan.firstSample(0);
      const end = plan.firstSample(frames - 1) + length;
      const [from, to] = [Math.max(0, first), Math.min(samples.length, end)];
      takeMirrored(signal.subarray(0, from - first), samples, first);
      signal.set(samples.subarray(from, to), from - first);
      takeMirrored(signal.subarray(to - first, end - first), samples, to);
      signal.fill(0, end - first);
      const result = memory.floats(wholeFours * bins);
      const places = [...tables, work, memory.at(result)];
      memory.functions.fbank!(memory.at(signal), frames, shift, length, half, ...places, preemphasis, floor);
      return result.slice(0, frames * bins);
    },
  };
}
