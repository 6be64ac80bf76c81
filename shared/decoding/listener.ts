import { createFeatureStream } from '../math/feature_stream.ts';
import { createFeatureExtractor, type FeatureExtractor } from '../math/kernels/feature_extractor.ts';
import { createStreamingResampler } from '../math/resample.ts';
import { knownNormaliser, momentsOf, type Normaliser, runningNormaliser } from '../math/running_normaliser.ts';
import type { AcousticModel } from '../training/acoustic_model.ts';
import type { Model } from '../training/model_folder.ts';
import type { ModelFeatures } from './model_features.ts';
import { createPosteriorStream, streamPlan } from './posterior_stream.ts';
import type { Segment, SegmenterOptions } from './segmenter.ts';
import { createSegmenter } from './segmenter.ts';

/** What is known after some more audio. */
export interface Heard {
  heardSeconds: number;
  /** Up to where the network has spoken. */
  saidSeconds: number;
  segments: Segment[];
  /** Words of the open segment that will not change. */
  stableWords: string[];
}

/** From audio to words, piece by piece. */
export interface Listener {
  push(samples: Float32Array): Heard;
  finish(): Heard;
}

export interface ListenerOptions {
  model: Model;
  acoustic: AcousticModel;
  features: ModelFeatures;
  segmentation: SegmenterOptions;
}

/** @param normaliser of features before the model's own; `normaliserOf` */
export function createListener(
  { model, acoustic, features, segmentation }: ListenerOptions,
  { sampleRateHz, normaliser }: { sampleRateHz: number; normaliser: Normaliser | undefined },
): Listener {
  const { architecture, outputFrameShiftMs } = model;
  const resampler = createStreamingResampler(sampleRateHz, features.sampleRateHz);
  const stream = createFeatureStream(createFeatureExtractor(features));
  const posteriors = createPosteriorStream(acoustic, architecture, streamPlan(architecture, features.frameShiftMs));
  const segmenter = createSegmenter(segmentation);
  let samples = 0;
  let frames = 0;
  const heard = (segments: Segment[]): Heard => ({
    heardSeconds: samples / sampleRateHz,
    saidSeconds: (frames * outputFrameShiftMs) / 1000,
    segments,
    stableWords: segmenter.stableWords(),
  });
  const search = (logPosteriors: Float32Array): Segment[] => {
    frames += logPosteriors.length / architecture.tokens;
    return logPosteriors.length > 0 ? segmenter.push(logPosteriors, samples / sampleRateHz) : [];
  };
  const normalised = (rows: Float32Array): Float32Array => normaliser?.push(rows) ?? rows;
  return {
    push(piece) {
      samples += piece.length;
      return heard(search(posteriors.push(normalised(stream.push(resampler.push(piece))))));
    },
    finish() {
      const last = [stream.push(resampler.finish()), stream.finish()].map(normalised);
      const pieces = [...last, ...(normaliser ? [normaliser.finish()] : [])].map(posteriors.push);
      const segments = [...pieces, posteriors.finish()].flatMap(search);
      const all = [...segments, ...segmenter.finish(samples / sampleRateHz)];
      return { ...heard(all), stableWords: [] };
    },
  };
}

/** What is heard of a live speaker before a mean is taken. */
const warmUpSeconds = 1;

/** What takes a mean off that is not known yet; undefined where the model wants none off. */
export function liveNormaliser(features: ModelFeatures, memorySeconds: number): Normaliser | undefined {
  if (features.cmvn === 'none') return undefined;
  const framesOf = (seconds: number): number => Math.round((1000 * seconds) / features.frameShiftMs);
  return runningNormaliser({
    ...{ dimensions: dimensionsOf(features), normVars: features.normVars },
    ...{ warmUpFrames: framesOf(warmUpSeconds), memoryFrames: framesOf(memorySeconds) },
  });
}

/** What takes the mean of all of some audio off, which is heard once before; undefined where the model wants none off. */
export async function wholeNormaliser(
  features: ModelFeatures,
  audio: { sampleRateHz: number; samples: AsyncIterable<Float32Array> },
): Promise<Normaliser | undefined> {
  if (features.cmvn === 'none') return undefined;
  const extractor: FeatureExtractor = createFeatureExtractor(features);
  async function* rows(): AsyncGenerator<Float32Array> {
    const resampler = createStreamingResampler(audio.sampleRateHz, features.sampleRateHz);
    const stream = createFeatureStream(extractor);
    for await (const piece of audio.samples) yield stream.push(resampler.push(piece));
    yield stream.push(resampler.finish());
    yield stream.finish();
  }
  return knownNormaliser(await momentsOf(rows(), extractor.dimensions), features);
}

const dimensionsOf = ({ kind, bins, coefficients }: ModelFeatures): number => (kind === 'mfcc' ? coefficients : bins);
