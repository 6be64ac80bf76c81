import { colouredNoise, noiseColours, power } from './noise.ts';
import type { Random } from './random.ts';

/** What happens to a recording on its way to a recogniser; bounds are those of what is drawn, evenly, per recording. */
export type Degradation =
  | { kind: 'noise'; snrDb: readonly [min: number, max: number] }
  | { kind: 'reverberation'; rt60Seconds: readonly [min: number, max: number] }
  | { kind: 'telephone' };

/**
 * The recording with something done to it that moves nothing: as long as before, and what was said when it was.
 *
 * Noise: white, pink or brown, at a signal-to-noise ratio over the whole recording. Reverberation: the direct sound, and a
 * tail that decays by 60 dB in RT60, 3 dB weaker in all; the power of the recording is kept. Telephone: 300 to 3400 Hz, and
 * 8 bits by the μ-law.
 *
 * @param samples on the scale of 16-bit integers
 */
export function degrade(
  samples: Float32Array,
  degradation: Degradation,
  { sampleRateHz, random }: { sampleRateHz: number; random: Random },
): Float32Array {
  const draw = ([min, max]: readonly [number, number]): number => min + (max - min) * random.uniform();
  switch (degradation.kind) {
    case 'noise': {
      const snrDb = draw(degradation.snrDb);
      const colour = noiseColours[random.integer(noiseColours.length)]!;
      return withNoise(samples, colouredNoise(colour, samples.length, random), snrDb);
    }
    case 'reverberation':
      return reverberant(samples, { rt60Seconds: draw(degradation.rt60Seconds), sampleRateHz, random });
    case 'telephone':
      return companded(bandPass(samples, { fromHz: 300, toHz: 3400, sampleRateHz }));
  }
}

/** Noise as much weaker than the samples as the ratio says, both over all of the recording. */
export function withNoise(samples: Float32Array, noise: Float32Array, snrDb: number): Float32Array {
  const gain = Math.sqrt(power(samples) / (power(noise) * 10 ** (snrDb / 10)));
  return samples.map((sample, i) => sample + gain * noise[i]!);
}

/** Impulses of the tail a second; from about 1,500 on they sound like noise. */
const density = 2000;
/** How much stronger the direct sound is than all of the tail. */
const directToTailDb = 3;
/** When the first reflection arrives. */
const firstSeconds = 0.0025;

/**
 * A room's impulse response: 1 at time 0, and a tail of single impulses of either sign at random places, which a
 * convolution passes quickly.
 *
 * @see Karjalainen, Järveläinen (2007), Reverberation modeling using velvet noise
 */
export function roomResponse({
  rt60Seconds,
  sampleRateHz,
  random,
}: {
  rt60Seconds: number;
  sampleRateHz: number;
  random: Random;
}): { places: Int32Array; gains: Float64Array } {
  const count = Math.max(1, Math.floor((rt60Seconds - firstSeconds) * density));
  const places = new Int32Array(count + 1);
  const gains = new Float64Array(count + 1);
  let energy = 0;
  for (let i = 1; i <= count; i++) {
    const seconds = firstSeconds + (i - 1 + random.uniform()) / density;
    places[i] = Math.max(1, Math.round(seconds * sampleRateHz));
    gains[i] = (random.uniform() < 0.5 ? -1 : 1) * 10 ** ((-3 * seconds) / rt60Seconds);
    energy += gains[i]! ** 2;
  }
  const scale = Math.sqrt(10 ** (-directToTailDb / 10) / energy);
  for (let i = 1; i <= count; i++) gains[i]! *= scale;
  gains[0] = 1;
  return { places, gains };
}

function reverberant(samples: Float32Array, room: Parameters<typeof roomResponse>[0]): Float32Array {
  const { places, gains } = roomResponse(room);
  const result = new Float32Array(samples.length);
  places.forEach((place, tap) => {
    const gain = gains[tap]!;
    for (let i = place; i < samples.length; i++) result[i]! += gain * samples[i - place]!;
  });
  const before = power(samples);
  const scale = before > 0 ? Math.sqrt(before / power(result)) : 1;
  return result.map((sample) => sample * scale);
}

/** Half the length of the band-pass filter. */
const reachSeconds = 0.01;

/** A linear-phase filter without delay: the difference of two sincs in a Hann window; 6 dB down at both edges. */
export function bandPass(
  samples: Float32Array,
  { fromHz, toHz, sampleRateHz }: { fromHz: number; toHz: number; sampleRateHz: number },
): Float32Array {
  const reach = Math.round(reachSeconds * sampleRateHz);
  const lowPass = (hertz: number, n: number): number => {
    const share = Math.min(1, (2 * hertz) / sampleRateHz);
    return n === 0 ? share : Math.sin(Math.PI * share * n) / (Math.PI * n);
  };
  const taps = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => {
    const n = i - reach;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * n) / (reach + 1));
    return window * (lowPass(toHz, n) - lowPass(fromHz, n));
  });
  const padded = new Float32Array(samples.length + 2 * reach);
  padded.set(samples, reach);
  return samples.map((_, i) => {
    let sum = 0;
    for (let k = 0; k < taps.length; k++) sum += padded[i + k]! * taps[k]!;
    return sum;
  });
}

const mu = 255;

/** Each sample to the nearest of 255 levels that are evenly apart on the μ-law's scale. @see ITU-T G.711 */
export function companded(samples: Float32Array): Float32Array {
  return samples.map((sample) => {
    const share = Math.min(1, Math.abs(sample) / 32768);
    const level = Math.round((127 * Math.log1p(mu * share)) / Math.log1p(mu));
    return Math.sign(sample) * (Math.expm1((level / 127) * Math.log1p(mu)) / mu) * 32768;
  });
}
