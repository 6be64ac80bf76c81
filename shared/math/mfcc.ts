import type { Fbank, FbankOptions } from './fbank.ts';
import { planFbank, takeMirrored } from './fbank.ts';

/** Settings of cepstral features; the defaults are Kaldi's, without dither. */
export interface MfccOptions extends FbankOptions {
  /** How many, c0 included; no more than bins. */
  coefficients: number;
  /** Q of the lifter 1 + Q/2 · sin(πi/Q); 0: none. */
  cepstralLifter: number;
  /** Whether the log energy of the frame, offset removed, takes the place of c0. */
  useEnergy: boolean;
}

/** Kaldi's: the distance from 1 to the next float32. */
const energyFloor = 2 ** -23;

/**
 * Mel-frequency cepstral coefficients as Kaldi's compute-mfcc-feats --dither=0 has them: the cosine transform of log-mel
 * features, liftered.
 *
 * @param fbank log-mel features of the same settings
 * @throws {RangeError} when there are more coefficients than bins
 * @see Kaldi, src/feat/feature-mfcc.cc
 */
export function createMfcc(options: MfccOptions, fbank: Fbank): Fbank {
  const { bins, coefficients, cepstralLifter, useEnergy } = options;
  if (!(coefficients >= 1 && coefficients <= bins)) {
    throw new RangeError(`Cannot take ${coefficients} coefficients of ${bins} bins; take as many bins at least`);
  }
  const { length, firstSample } = planFbank(options);
  const matrix = Float64Array.from({ length: coefficients * bins }, (_, i) => {
    const [k, n] = [Math.floor(i / bins), i % bins];
    const cosine = k === 0 ? Math.sqrt(1 / bins) : Math.sqrt(2 / bins) * Math.cos((Math.PI / bins) * (n + 0.5) * k);
    const lifter = cepstralLifter > 0 ? 1 + (cepstralLifter / 2) * Math.sin((Math.PI * k) / cepstralLifter) : 1;
    return cosine * lifter;
  });
  const frame = new Float64Array(length);

  const logEnergy = (samples: Float32Array, first: number): number => {
    takeMirrored(frame, samples, first);
    const offset = frame.reduce((sum, sample) => sum + sample, 0) / length;
    return Math.log(
      Math.max(
        energyFloor,
        frame.reduce((sum, sample) => sum + (sample - offset) ** 2, 0),
      ),
    );
  };

  return {
    ...fbank,
    compute(samples) {
      const logMel = fbank.compute(samples);
      const frames = logMel.length / bins;
      const result = new Float32Array(frames * coefficients);
      for (let i = 0; i < frames; i++) {
        for (let k = 0; k < coefficients; k++) {
          let sum = 0;
          for (let n = 0; n < bins; n++) sum += matrix[k * bins + n]! * logMel[i * bins + n]!;
          result[i * coefficients + k] = sum;
        }
        if (useEnergy) result[i * coefficients] = logEnergy(samples, firstSample(i));
      }
      return result;
    },
  };
}
