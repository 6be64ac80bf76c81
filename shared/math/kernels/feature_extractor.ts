import { type Fbank, type FbankOptions, type FbankPlan, planFbank } from '../fbank.ts';
import { createMfcc, type MfccOptions } from '../mfcc.ts';
import { createFastFbank } from './fast_fbank.ts';

/** Which features: log-mel energies, or cepstra of them. */
export interface FeatureOptions
  extends FbankOptions,
    Pick<MfccOptions, 'coefficients' | 'cepstralLifter' | 'useEnergy'> {
  kind: 'fbank' | 'mfcc';
}

/** Features of one kind at one sampling rate. */
export interface FeatureExtractor extends Fbank {
  sampleRateHz: number;
  /** Values a frame. */
  dimensions: number;
  /** Where frames lie in the samples. */
  plan: Pick<FbankPlan, 'length' | 'shift' | 'firstSample'>;
}

/** @throws {RangeError} when the settings leave a mel bin empty, a shift shorter than a sample, or too few bins */
export function createFeatureExtractor({ kind, coefficients, ...options }: FeatureOptions): FeatureExtractor {
  const { sampleRateHz, bins } = options;
  const fbank = createFastFbank(options);
  const plan = planFbank(options);
  if (kind === 'fbank') return { ...fbank, sampleRateHz, dimensions: bins, plan };
  return { ...createMfcc({ ...options, coefficients }, fbank), sampleRateHz, dimensions: coefficients, plan };
}
