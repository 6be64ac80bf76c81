import type { Random } from './random.ts';

/** Colours of noise: power per hertz constant, falling by 3 dB, and by 6 dB an octave. */
export const noiseColours = ['white', 'pink', 'brown'] as const;
export type NoiseColour = (typeof noiseColours)[number];

/** Poles and zeros, and gains, of the filter below. */
const pinkPoles = [0.99886, 0.99332, 0.969, 0.8665, 0.55, -0.7616];
const pinkGains = [0.0555179, 0.0750759, 0.153852, 0.3104856, 0.5329522, -0.016898];
/** A brown noise that never leaves: the walk is pulled back by this share a sample (a corner of 6 Hz at 8 kHz). */
const leak = 0.005;

/**
 * Noise of any level (see `mixAt`).
 * @see Kellet's refined filter for pink noise, within 0.05 dB above 9 Hz at 44.1 kHz
 */
export function colouredNoise(colour: NoiseColour, length: number, random: Random): Float32Array {
  const noise = new Float32Array(length);
  const state = new Float64Array(pinkPoles.length);
  let walk = 0;
  let delayed = 0;
  for (let i = 0; i < length; i++) {
    const white = random.normal();
    if (colour === 'white') noise[i] = white;
    else if (colour === 'brown') {
      walk += white - leak * walk;
      noise[i] = walk;
    } else {
      let sum = delayed + 0.5362 * white;
      for (let j = 0; j < state.length; j++) {
        state[j] = pinkPoles[j]! * state[j]! + pinkGains[j]! * white;
        sum += state[j]!;
      }
      delayed = 0.115926 * white;
      noise[i] = sum;
    }
  }
  return noise;
}

/** Mean square. */
export function power(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum / samples.length;
}

/**
 * The factor that brings noise to a signal-to-noise ratio.
 *
 * @param speechPower mean square of the speech, its pauses left out
 */
export const noiseGain = (speechPower: number, noisePower: number, snrDb: number): number =>
  Math.sqrt(speechPower / (noisePower * 10 ** (snrDb / 10)));
