import type { Random } from './random.ts';

/** Colours of noise: power per hertz constant, falling by 3 dB, and by 6 dB an octave. */
export const noiseColours = ['white', 'pink', 'brown'] as const;
export type NoiseColour = (typeof noiseColours)[number];

/** Poles, and gains, of the filter below. */
const pinkPoles = [0.99886, 0.99332, 0.969, 0.8665, 0.55, -0.7616];
const pinkGains = [0.0555179, 0.0750759, 0.153852, 0.3104856, 0.5329522, -0.016898];
/** A brown noise that never leaves: the walk is pulled back by this share a sample (a corner of 6 Hz at 8 kHz). */
const leak = 0.005;
/** Samples until the slowest filter has forgotten that it started from silence. */
const settling = 2000;

/**
 * Noise of no particular level (see `mixAt`).
 * @see Kellet's refined filter for pink noise, within 0.05 dB above 9 Hz at 44.1 kHz
 */
export function colouredNoise(colour: NoiseColour, length: number, random: Random): Float32Array {
  const noise = new Float32Array(length);
  if (colour === 'white') for (let i = 0; i < length; i++) noise[i] = random.normal();
  else if (colour === 'brown') addBrown(noise, random);
  else addPink(noise, random);
  return noise;
}

function addBrown(noise: Float32Array, random: Random): void {
  let walk = 0;
  for (let i = -settling; i < noise.length; i++) {
    walk += random.normal() - leak * walk;
    if (i >= 0) noise[i]! += walk;
  }
}

function addPink(noise: Float32Array, random: Random): void {
  const state = new Float64Array(pinkPoles.length);
  let delayed = 0;
  for (let i = -settling; i < noise.length; i++) {
    const white = random.normal();
    let sum = delayed + 0.5362 * white;
    for (let j = 0; j < state.length; j++) {
      const value = pinkPoles[j]! * state[j]! + pinkGains[j]! * white;
      state[j] = value;
      sum += value;
    }
    delayed = 0.115926 * white;
    if (i >= 0) noise[i]! += sum;
  }
}

/**
 * Several voices at once, each saying one recording after another, all brought to equal power.
 *
 * @param recordings who may be heard; none of them silent or empty
 */
export function babble(
  recordings: readonly Float32Array[],
  { voices, length, random }: { voices: number; length: number; random: Random },
): Float32Array {
  const sum = new Float32Array(length);
  for (let voice = 0; voice < voices; voice++) {
    let place = 0;
    for (let first = true; place < length; first = false) {
      const samples = recordings[random.integer(recordings.length)]!;
      if (first) place = -random.integer(samples.length); // somewhere within a recording
      const scale = 1 / Math.sqrt(power(samples));
      for (let i = Math.max(0, -place); i < samples.length && place + i < length; i++)
        sum[place + i]! += scale * samples[i]!;
      place += samples.length;
    }
  }
  return sum;
}

/** Mean square. */
export function power(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! * samples[i]!;
  return sum / samples.length;
}

export interface Mix {
  speech: Float32Array;
  /** As long as the speech. */
  noise: Float32Array;
  /** Mean square of the speech; over what, is up to the caller. */
  speechPower: number;
  snrDb: number;
  /** A mixture with a sample beyond this is turned down as a whole, so that it touches it. */
  loudest: number;
}

/** Speech and noise at a signal-to-noise ratio, the noise's power taken over all of its length; in whole numbers. */
export function mixAt({ speech, noise, speechPower, snrDb, loudest }: Mix): Int16Array {
  const gain = Math.sqrt(speechPower / (power(noise) * 10 ** (snrDb / 10)));
  const mixed = new Float32Array(speech.length);
  let peak = 0;
  for (let i = 0; i < mixed.length; i++) {
    const sample = speech[i]! + gain * noise[i]!;
    mixed[i] = sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  const volume = Math.min(1, loudest / peak);
  const rounded = new Int16Array(mixed.length);
  for (let i = 0; i < mixed.length; i++) rounded[i] = Math.round(mixed[i]! * volume);
  return rounded;
}
