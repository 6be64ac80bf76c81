import { createPowerSpectrum } from './fft.ts';
import { type MelFilter, melBank } from './mel_bank.ts';

/** Settings of log-mel features; the defaults are Kaldi's, without dither. */
export interface FbankOptions {
  sampleRateHz: number;
  bins: number;
  frameLengthMs: number;
  frameShiftMs: number;
  /** Whether frames must fit into the signal; otherwise it is mirrored at its ends, and frames sit around i · shift. */
  snipEdges: boolean;
  lowFrequencyHz: number;
  /** 0 or less: from the Nyquist frequency down. */
  highFrequencyHz: number;
}

const preemphasis = 0.97;
/** Kaldi's floor: the distance from 1 to the next float32. */
const floor = 2 ** -23;

/** Computes features of one kind; its tables and buffers serve one signal after another. */
export interface Fbank {
  frameCount(samples: number): number;
  /** Centre of the first frame, from the start of the audio. */
  firstFrameCentreMs: number;
  /** @param samples on the scale of 16-bit integers; @returns natural logs, [frames × bins] */
  compute(samples: Float32Array): Float32Array;
}

/** Where frames lie, and what each is multiplied with. */
export interface FbankPlan extends Pick<Fbank, 'frameCount' | 'firstFrameCentreMs'> {
  /** Of a frame, and from one to the next, in samples. */
  length: number;
  shift: number;
  fftSize: number;
  /** May lie before the signal. */
  firstSample(frame: number): number;
  window: Float64Array;
  filters: MelFilter[];
  preemphasis: number;
  floor: number;
}

/** @throws {RangeError} when the settings leave a mel bin empty, or a shift shorter than a sample */
export function planFbank(options: FbankOptions): FbankPlan {
  const { sampleRateHz, frameLengthMs, frameShiftMs, snipEdges } = options;
  const length = Math.floor((sampleRateHz * frameLengthMs) / 1000);
  const shift = Math.floor((sampleRateHz * frameShiftMs) / 1000);
  if (shift < 1)
    throw new RangeError(`A frame shift of ${frameShiftMs} ms is shorter than a sample; take a longer one`);
  const fftSize = 2 ** Math.ceil(Math.log2(length));
  const firstSample = (i: number): number =>
    snipEdges ? i * shift : i * shift + Math.floor(shift / 2) - Math.floor(length / 2);
  return {
    ...{ length, shift, fftSize, preemphasis, floor, firstSample },
    frameCount: (samples) => {
      if (snipEdges) return samples < length ? 0 : 1 + Math.floor((samples - length) / shift);
      return Math.floor((samples + Math.floor(shift / 2)) / shift);
    },
    firstFrameCentreMs: (1000 * (firstSample(0) + length / 2)) / sampleRateHz,
    // Povey's
    window: Float64Array.from({ length }, (_, i) => (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (length - 1))) ** 0.85),
    filters: melBank({ ...options, fftSize }),
  };
}

/** Copies samples from `first` on, the signal mirrored at its ends. */
export function takeMirrored(target: Float32Array | Float64Array, samples: Float32Array, first: number): void {
  const count = samples.length;
  for (let i = 0; i < target.length; i++) {
    let place = first + i;
    while (place < 0 || place >= count) place = place < 0 ? -place - 1 : 2 * count - 1 - place;
    target[i] = samples[place]!;
  }
}

/**
 * Log-mel filterbank features as Kaldi's compute-fbank-feats --dither=0 has them: offset removed, pre-emphasis,
 * Povey window, power spectrum, mel bank, log. In float64: the definition.
 *
 * @throws {RangeError} when the settings leave a mel bin empty, or a shift shorter than a sample
 * @see Kaldi, src/feat/feature-fbank.cc and feature-window.cc
 */
export function createFbank(options: FbankOptions): Fbank {
  const { bins } = options;
  const { length, fftSize, window, filters, frameCount, firstSample, firstFrameCentreMs } = planFbank(options);
  const spectrum = createPowerSpectrum(fftSize);
  const frame = new Float64Array(fftSize);
  const power = new Float64Array(fftSize / 2 + 1);
  return {
    frameCount,
    firstFrameCentreMs,
    compute(samples) {
      const frames = frameCount(samples.length);
      const result = new Float32Array(frames * bins);
      for (let i = 0; i < frames; i++) {
        takeMirrored(frame.subarray(0, length), samples, firstSample(i));
        let sum = 0;
        for (let j = 0; j < length; j++) sum += frame[j]!;
        const offset = sum / length;
        for (let j = length - 1; j > 0; j--)
          frame[j] = (frame[j]! - offset - preemphasis * (frame[j - 1]! - offset)) * window[j]!;
        frame[0] = (frame[0]! - offset) * (1 - preemphasis) * window[0]!;
        frame.fill(0, length);
        spectrum.into(power, frame);
        for (let bin = 0; bin < bins; bin++) {
          const { first, weights } = filters[bin]!;
          let energy = 0;
          for (let k = 0; k < weights.length; k++) energy += weights[k]! * power[first + k]!;
          result[i * bins + bin] = Math.log(Math.max(energy, floor));
        }
      }
      return result;
    },
  };
}
