import { InputError } from '../io/errors.ts';
import type { FeatureOptions } from '../math/kernels/feature_extractor.ts';
import type { Model } from '../training/model_folder.ts';

/** The features that a model was trained on, and whose mean was taken off them. */
export interface ModelFeatures extends FeatureOptions {
  cmvn: 'none' | 'utterance' | 'speaker';
  normVars: boolean;
}

/** @throws {InputError} when the model does not say it all */
export function modelFeatures({ features }: Pick<Model, 'features'>, path: string): ModelFeatures {
  const how = JSON.parse(features['kd.features'] ?? 'null');
  const [sampleRateHz, frameShiftMs, dimensions] = ['kd.sampleRateHz', 'kd.frameShiftMs', 'kd.bins'].map((key) =>
    Number(features[key]),
  ) as [number, number, number];
  if (!how || !(sampleRateHz > 0 && frameShiftMs > 0 && dimensions > 0)) {
    throw new InputError(
      `Cannot use model ${path} on audio: it does not say what its features are (kd.features); train it on those of extract_features`,
    );
  }
  const { kind, frameLengthMs, lowFrequencyHz, highFrequencyHz, snipEdges, cmvn = 'none', normVars = false } = how;
  const { melBins = dimensions, coefficients = 0, cepstralLifter = 0, useEnergy = false } = how;
  return {
    ...{ kind, sampleRateHz, bins: melBins, frameLengthMs, frameShiftMs, snipEdges, lowFrequencyHz, highFrequencyHz },
    ...{ coefficients, cepstralLifter, useEnergy, cmvn, normVars },
  };
}
