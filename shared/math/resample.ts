import { concatenate } from './concatenate.ts';

/** Zero crossings of the sinc on either side: how steep the filter is. */
const zeroCrossings = 40;
/** Kaiser's β: about 80 dB of attenuation. */
const beta = 8;
/** Where the filter has half its gain, in parts of the lower of the two Nyquist frequencies. */
const rollOff = 0.94;

/**
 * A resampler from one rate to another: a sinc in a Kaiser window, evaluated at as many phases as the rates need.
 * Linear phase and no delay: output sample n lies at the time of input sample n · from / to. What lies beyond the ends
 * is silence. Passes up to 88 % of the lower Nyquist frequency, stops from 100 % on.
 *
 * @param from,to samples a second, whole numbers
 * @returns samples at the new rate, ⌈length · to / from⌉ of them
 * @throws {RangeError} when a rate is no positive whole number
 * @see Smith, Gossett (1984), A Flexible Sampling-Rate Conversion Method
 */
export function createResampler(from: number, to: number): (samples: Float32Array) => Float32Array {
  for (const rate of [from, to])
    if (!(Number.isInteger(rate) && rate > 0)) throw new RangeError(`Cannot resample at ${rate} samples a second`);
  if (from === to) return (samples) => samples;
  const divisor = greatestCommonDivisor(from, to);
  const [up, down] = [to / divisor, from / divisor];
  const { reach, taps } = filterOf(up, down);
  const tapCount = 2 * reach + 1;
  return (samples) => {
    const padded = new Float32Array(samples.length + 2 * reach);
    padded.set(samples, reach);
    const result = new Float32Array(Math.ceil((samples.length * up) / down));
    for (let n = 0; n < result.length; n++) {
      const first = Math.floor((n * down) / up);
      const phase = ((n * down) % up) * tapCount;
      let sum = 0;
      for (let k = 0; k < tapCount; k++) sum += padded[first + k]! * taps[phase + k]!;
      result[n] = sum;
    }
    return result;
  };
}

/** For each of `up` phases the taps on input samples −reach … reach, [phases × taps]; those of a phase sum to 1. */
function filterOf(up: number, down: number): { reach: number; taps: Float64Array } {
  const cutoff = cutoffOf(up, down);
  const width = zeroCrossings / cutoff;
  const reach = reachOf(up, down);
  const tapCount = 2 * reach + 1;
  const taps = new Float64Array(up * tapCount);
  for (let phase = 0; phase < up; phase++) {
    let sum = 0;
    for (let k = 0; k < tapCount; k++) {
      const time = k - reach - phase / up;
      const value = sinc(cutoff * time) * kaiser(time / width);
      taps[phase * tapCount + k] = value;
      sum += value;
    }
    for (let k = 0; k < tapCount; k++) taps[phase * tapCount + k]! /= sum;
  }
  return { reach, taps };
}

const cutoffOf = (up: number, down: number): number => rollOff * Math.min(1, up / down);

/** Input samples on either side that an output sample depends on. */
const reachOf = (up: number, down: number): number => Math.ceil(zeroCrossings / cutoffOf(up, down)) + 1;

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Kaiser's window over −1 … 1, 0 beyond. */
const kaiser = (x: number): number => (Math.abs(x) >= 1 ? 0 : bessel(beta * Math.sqrt(1 - x * x)) / bessel(beta));

/** Modified Bessel function of the first kind and order 0, by its series. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** A signal that comes in pieces. */
export interface StreamingResampler {
  /** @returns what can be said of the signal so far that the last call did not */
  push(samples: Float32Array): Float32Array;
  /** What is left at the end of the signal. */
  finish(): Float32Array;
}

/** The same samples as `createResampler` gives, piece by piece; holds back as much as the filter reaches ahead. */
export function createStreamingResampler(from: number, to: number): StreamingResampler {
  const resample = createResampler(from, to);
  if (from === to) return { push: (samples) => samples, finish: () => new Float32Array(0) };
  const divisor = greatestCommonDivisor(from, to);
  const [up, down] = [to / divisor, from / divisor];
  const margin = Math.ceil(reachOf(up, down) / down) * down;
  let held: Float32Array = new Float32Array(0);
  let done = 0; // of those held, how many have had their say: a multiple of `down`, as pieces begin where phases do
  return {
    push(samples) {
      held = concatenate(Float32Array, [held, samples]);
      const ready = Math.max(done, Math.floor((held.length - margin) / down) * down);
      if (ready === done) return new Float32Array(0);
      const result = resample(held).slice((done * up) / down, (ready * up) / down);
      const kept = Math.max(0, ready - margin);
      held = held.slice(kept);
      done = ready - kept;
      return result;
    },
    finish: () => resample(held).slice((done * up) / down),
  };
}
