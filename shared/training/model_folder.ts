import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, parameterCount } from '../engine/architecture.ts';
import { InputError } from '../io/errors.ts';
import type { OutputFolder } from '../io/output_folder.ts';
import { centreFrame } from '../math/splice.ts';
import type { Normalisation } from './network_input.ts';
import type { ObjectiveName } from './objective.ts';

/** What a model of a cross-fit has not seen. */
export interface CrossFit {
  folds: number;
  /** The one that was left out, from 0. */
  fold: number;
  by: 'utterance' | 'speaker';
  /** How many utterances there were before, and a digest of their ids: models of one cross-fit share them. */
  utterances: number;
  utterancesDigest: string;
  /** Those left out, sorted. */
  leftOut: string[];
}

/** Everything needed to use a model: no flag has to be repeated. */
export interface Model {
  architecture: Architecture;
  objective: ObjectiveName;
  /** Metadata (`kd.*`) that features must share with those the model was trained on. */
  features: Record<string, string>;
  normalisation: Normalisation;
  /** Mean posterior of each token on the first folder of training features. */
  prior: number[];
  /** Probability of staying in each token from one output frame to the next, from the training alignment; of frames. */
  selfLoop?: number[];
  outputFrameShiftMs: number;
  /** Centre of the first output frame. */
  firstFrameCentreMs: number;
  /** All parameters, in the order of `parameterLayout`. */
  weights: Float32Array;
  /** `tokens.txt`, as it is. */
  tokensText: string;
  /** What it has not seen, where a fold was left out; its utterances are the lines of `left_out.txt`. */
  crossFit?: CrossFit;
}

/** Metadata that features and the model reading them must share. */
export const featureKeys = [
  'kd.bins',
  'kd.sampleRateHz',
  'kd.frameShiftMs',
  'kd.firstFrameCentreMs',
  'kd.features',
] as const;

/** When output frames are, given the metadata of the input frames: each sits on the middle one of its stride. */
export function outputTiming(
  features: Record<string, string>,
  stride: number,
): Pick<Model, 'outputFrameShiftMs' | 'firstFrameCentreMs'> {
  const shiftMs = Number(features['kd.frameShiftMs']);
  return {
    outputFrameShiftMs: stride * shiftMs,
    firstFrameCentreMs: Number(features['kd.firstFrameCentreMs']) + centreFrame(0, stride, stride) * shiftMs,
  };
}

export function writeModel(out: OutputFolder, { weights, tokensText, crossFit, ...description }: Model): void {
  const sink = out.createFile('weights.bin');
  sink.write(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength));
  sink.close();
  out.writeText('tokens.txt', tokensText);
  if (crossFit) out.writeText('left_out.txt', crossFit.leftOut.map((utterance) => `${utterance}\n`).join(''));
  out.writeJson('architecture.json', {
    ...description,
    ...(crossFit && { crossFit: { ...crossFit, leftOut: undefined } }),
  });
}

/** @throws {InputError} when a part is missing or the parts do not fit each other */
export function readModel(path: string): Model {
  const description: Omit<Model, 'weights' | 'tokensText'> = JSON.parse(
    readFileSync(join(path, 'architecture.json'), 'utf8'),
  );
  const bytes = readFileSync(join(path, 'weights.bin'));
  const expected = 4 * parameterCount(description.architecture);
  if (bytes.length !== expected) {
    throw new InputError(
      `Cannot use model ${path}: weights.bin has ${bytes.length} bytes, its architecture needs ${expected}; train it again`,
    );
  }
  const weights = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const textOf = (name: string): string => readFileSync(join(path, name), 'utf8');
  const { crossFit } = description;
  if (crossFit) crossFit.leftOut = textOf('left_out.txt').trimEnd().split('\n');
  return { ...description, weights, tokensText: textOf('tokens.txt') };
}

/** What of features is not as a model was trained on, if anything. */
export function featureMisfit(model: Model, metadata: Record<string, string>): string | undefined {
  const key = featureKeys.find((key) => model.features[key] !== metadata[key]);
  return (
    key && `${key} is ${model.features[key] ?? 'absent'} in the model and ${metadata[key] ?? 'absent'} in the features`
  );
}

/** @throws {InputError} when features are not of the kind the model was trained on */
export function checkFeatures(
  model: Model,
  modelPath: string,
  features: { path: string; metadata: Record<string, string> },
): void {
  const misfit = featureMisfit(model, features.metadata);
  if (misfit) {
    throw new InputError(
      `Cannot use model ${modelPath} on ${features.path}: ${misfit}; extract them with the same options`,
    );
  }
}
