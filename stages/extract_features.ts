import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { openAudio } from '../shared/io/audio.ts';
import { readDataDirectory, type Utterance } from '../shared/io/data_directory.ts';
import { InputError, UsageError } from '../shared/io/errors.ts';
import { maskingOptions } from '../shared/io/masking_options.ts';
import { withSums } from '../shared/io/parts.ts';
import { shareOf, tableName } from '../shared/io/shard.ts';
import {
  type Context,
  type OptionsOf,
  type OptionTable,
  runIfMain,
  type Stage,
  toolkitVersion,
} from '../shared/io/stage.ts';
import { createUtteranceWriter, type UtteranceWriter } from '../shared/io/utterance_writer.ts';
import type { Audio } from '../shared/io/wav.ts';
import { mapInOrder, openWorkers, serve, type Work, type Workers } from '../shared/io/workers.ts';
import { type Degradation, degrade } from '../shared/math/degrade.ts';
import { createFeatureExtractor, type FeatureExtractor } from '../shared/math/kernels/feature_extractor.ts';
import { type Masking, maskFeatures } from '../shared/math/masking.ts';
import { createMoments, type Moments } from '../shared/math/moments.ts';
import { createRandom } from '../shared/math/random.ts';
import { createResampler } from '../shared/math/resample.ts';

export const options = {
  data: { type: 'string', role: 'corpus', demandOption: true, describe: 'data directory' },
  'sample-rate': {
    type: 'number',
    integer: true,
    min: 1,
    max: 768000,
    describe: 'samples a second that audio of any other rate is converted to; without it all are to have one rate',
  },
  kind: {
    type: 'string',
    default: 'fbank',
    choices: ['fbank', 'mfcc'],
    describe: 'log-mel energies, or cepstra of them',
  },
  bins: { type: 'number', integer: true, min: 1, max: 1024, describe: 'mel bins; 40, or 23 of mfcc, unless given' },
  coefficients: {
    type: 'number',
    default: 13,
    integer: true,
    min: 1,
    max: 1024,
    belongsTo: { kind: ['mfcc'] },
    describe: 'mfcc: how many',
  },
  'cepstral-lifter': {
    type: 'number',
    default: 22,
    min: 0,
    belongsTo: { kind: ['mfcc'] },
    describe: 'mfcc: Q of the lifter; 0: none',
  },
  'use-energy': {
    type: 'boolean',
    default: true,
    belongsTo: { kind: ['mfcc'] },
    describe: 'mfcc: the log energy in place of the first coefficient',
  },
  'frame-length-ms': { type: 'number', default: 25, above: 0, describe: 'window' },
  'frame-shift-ms': { type: 'number', default: 10, above: 0, describe: 'from one frame to the next' },
  'low-frequency-hz': { type: 'number', default: 20, min: 0, describe: 'where the mel bank begins' },
  'high-frequency-hz': {
    type: 'number',
    default: 0,
    describe: 'where it ends; 0 or less: below the Nyquist frequency',
  },
  'snip-edges': {
    type: 'boolean',
    default: false,
    describe: 'only frames that fit into the audio, as in Kaldi; otherwise its ends are mirrored',
  },
  cmvn: {
    type: 'string',
    default: 'none',
    choices: ['none', 'utterance', 'speaker'],
    describe:
      'whose mean is taken off each value; a speaker takes a second pass over the audio, and is known offline only',
  },
  jobs: {
    type: 'number',
    default: availableParallelism(),
    integer: true,
    min: 1,
    describe: 'worker threads; the features do not depend on it',
    role: 'execution',
  },
  speed: {
    type: 'number',
    default: 1,
    min: 0.5,
    max: 2,
    describe:
      'how much faster the audio is played, with its pitch; frames move, so it wants labels and targets of its own',
  },
  degrade: {
    type: 'string',
    choices: ['noise', 'reverberation', 'telephone'],
    describe:
      'what is done to the audio first; frames stay where they are, so that teachers may hear the clean recording',
  },
  'snr-db': {
    type: 'numbers',
    belongsTo: { degrade: ['noise'] },
    describe: 'noise: signal-to-noise ratio, drawn for each utterance between MIN,MAX; 0,15 unless given',
  },
  'rt60-seconds': {
    type: 'numbers',
    above: 0,
    max: 5,
    belongsTo: { degrade: ['reverberation'] },
    describe: 'reverberation: time it takes to fade by 60 dB, drawn between MIN,MAX; 0.2,0.8 unless given',
  },
  ...maskingOptions,
  seed: { type: 'number', default: 0, integer: true, min: 0, describe: 'of what --degrade draws, and of masks' },
  'norm-vars': {
    type: 'boolean',
    default: false,
    belongsTo: { cmvn: ['utterance', 'speaker'] },
    describe: '--cmvn divides by the deviation as well',
  },
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options> & { bins: number; degradation?: Degradation };

function degradationOf({ degrade: kind, snrDb, rt60Seconds }: OptionsOf<typeof options>): Degradation | undefined {
  const range = (flag: string, values: number[]): readonly [number, number] => {
    const [min, max] = values;
    if (values.length === 2 && min! <= max!) return [min!, max!];
    throw new UsageError(`--${flag} ${values.join(',')} is not MIN,MAX`);
  };
  const snr = snrDb && range('snr-db', snrDb);
  const rt60 = rt60Seconds && range('rt60-seconds', rt60Seconds);
  if (kind === 'noise') return { kind, snrDb: snr ?? [0, 15] };
  if (kind === 'reverberation') return { kind, rt60Seconds: rt60 ?? [0.2, 0.8] };
  return kind && { kind };
}

export async function run(given: OptionsOf<typeof options>, context: Context) {
  const degradation = degradationOf(given);
  const bins = given.bins ?? (given.kind === 'mfcc' ? 23 : 40);
  const settings = { ...given, bins, ...(degradation && { degradation }) };
  const { utterances } = readDataDirectory(settings.data);
  const own = shareOf(utterances, context.shard);
  const count = Math.max(1, Math.min(settings.jobs, tasksOf(own).length));
  const workers = openWorkers(extraction, { setup: settings, count, program });
  try {
    return await extract({ utterances, own }, workers, settings, context);
  } finally {
    await workers.close();
  }
}

async function extract(
  { utterances, own }: { utterances: readonly Utterance[]; own: readonly Utterance[] },
  workers: Workers<Utterance[], (Extracted | Faulty)[]>,
  settings: Options,
  { id, out, shard, progress, skip, breathe }: Context,
) {
  const tally = { utterances: 0, frames: 0, samples: 0 };
  let first: Extracted | undefined;
  const faulty = new Set<string>();
  const each = async (text: string, of: readonly Utterance[], use: (found: Extracted) => void) => {
    progress.start(text, of.length);
    for await (const found of mapInOrder(workers, tasksOf(of))) {
      for (const one of found) {
        progress.advance();
        if ('fault' in one) {
          if (!faulty.has(one.utterance)) skip([one.utterance], new InputError(one.fault));
          faulty.add(one.utterance);
          continue;
        }
        first ??= one;
        if (one.sampleRateHz !== first.sampleRateHz) {
          throw new InputError(
            `Cannot use ${one.audio}: it has ${one.sampleRateHz} samples a second, others have ${first.sampleRateHz}; name one with --sample-rate`,
          );
        }
        use(one);
      }
      await breathe();
    }
  };

  const speakers = new Map<string, Moments>();
  const momentsOf = ({ speaker, dimensions }: Extracted): Moments => {
    const moments = speakers.get(speaker) ?? createMoments(dimensions);
    speakers.set(speaker, moments);
    return moments;
  };
  if (settings.cmvn === 'speaker') {
    const heard = new Set(own.map(({ speaker }) => speaker));
    const theirs = utterances.filter(({ speaker }) => heard.has(speaker));
    await each('measuring speakers', theirs, (found) => momentsOf(found).add(found.features));
  }
  let writer: UtteranceWriter | undefined;
  await each('extracting', own, (found) => {
    const { utterance, features, dimensions } = found;
    writer ??= createUtteranceWriter(out.createFile(tableName(shard)), {
      columns: { features: 'list<float32>' },
      metadata: metadataOf(id, settings, found),
    });
    if (settings.cmvn === 'speaker') normaliseInPlace(features, momentsOf(found), settings);
    if (settings.cmvn === 'utterance') {
      const moments = createMoments(dimensions);
      moments.add(features);
      normaliseInPlace(features, moments, settings);
    }
    const frames = features.length / dimensions;
    writer.append({ utterance, frames, features: masked(found, settings) });
    tally.utterances++;
    tally.frames += frames;
    tally.samples += found.samples;
  });
  writer?.close();
  return { ...tally, ...(first && { bins: first.dimensions, sampleRateHz: first.sampleRateHz }) };
}

/** The figures of all parts; those without speech say nothing of the sampling rate. */
function figures(parts: Awaited<ReturnType<typeof run>>[], { data }: Options) {
  const spoken = parts.filter(({ utterances }) => utterances > 0);
  if (spoken.length === 0) throw new InputError(`Cannot use ${data}: it has no utterance with speech; check its audio`);
  const { samples, ...all } = withSums(spoken, ['utterances', 'frames', 'samples']);
  return { ...all, seconds: samples / all.sampleRateHz! };
}

/** Utterances that a task has at least; those of one recording stay together. */
const utterancesOfTask = 64;

/** Utterances in their order, cut where the recording changes. */
function tasksOf(utterances: readonly Utterance[]): Utterance[][] {
  const tasks: Utterance[][] = [];
  utterances.forEach((utterance, i) => {
    const open = tasks.at(-1);
    if (open && (open.length < utterancesOfTask || utterance.audio === utterances[i - 1]!.audio)) open.push(utterance);
    else tasks.push([utterance]);
  });
  return tasks;
}

/** An utterance without features, and why. */
interface Faulty {
  utterance: string;
  fault: string;
}

/** Features of an utterance, and what they are of. */
interface Extracted extends Pick<FeatureExtractor, 'sampleRateHz' | 'dimensions' | 'firstFrameCentreMs'> {
  utterance: string;
  speaker: string;
  audio: string;
  samples: number;
  /** [frames × dimensions] */
  features: Float32Array;
}

const program = fileURLToPath(import.meta.url);
const extraction: Work<Options, Utterance[], (Extracted | Faulty)[]> = {
  name: 'extraction',
  prepare(settings) {
    let extractor: FeatureExtractor | undefined;
    const recordings = createRecordings(settings);
    return async (utterances) => {
      const found: (Extracted | Faulty)[] = [];
      for (const utterance of utterances) {
        const { id, speaker, audio } = utterance;
        try {
          const { samples, sampleRateHz } = await recordings.samplesOf(utterance);
          if (extractor?.sampleRateHz !== sampleRateHz) extractor = createExtractor({ ...settings, sampleRateHz });
          const { dimensions, firstFrameCentreMs } = extractor;
          const heard = settings.degradation
            ? degrade(samples, settings.degradation, {
                sampleRateHz,
                random: createRandom(settings.seed, 'degrade', id),
              })
            : samples;
          const features = featuresOf(utterance, heard, extractor, settings);
          const what = { utterance: id, speaker, audio, samples: samples.length };
          found.push({ ...what, features, sampleRateHz, dimensions, firstFrameCentreMs });
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          found.push({ utterance: id, fault: error.message });
        }
      }
      recordings.close();
      return found;
    };
  },
};

/** The features with masks over them, which hold the utterance's mean; frames stay where they are. */
function masked({ utterance, features, dimensions }: Extracted, settings: Options): Float32Array {
  if (!hasMasks(settings)) return features;
  const moments = createMoments(dimensions);
  moments.add(features);
  const random = createRandom(settings.seed, 'masks', utterance);
  return maskFeatures(features, dimensions, settings, random, moments.summary().mean);
}

const maskingOf = ({ frequencyMasks, frequencyMaskBins, timeMasks, timeMaskFrames }: Options): Masking => ({
  frequencyMasks,
  frequencyMaskBins,
  timeMasks,
  timeMaskFrames,
});

const hasMasks = ({ frequencyMasks, timeMasks }: Options): boolean => frequencyMasks > 0 || timeMasks > 0;

/** Takes the mean off, and divides by the deviation where asked; one that is 0 is taken for 1. */
function normaliseInPlace(features: Float32Array, moments: Moments, { normVars }: Options): void {
  const { mean, deviation } = moments.summary();
  const perDeviation = deviation.map((value) => (normVars && value > 0 ? 1 / value : 1));
  for (let i = 0; i < features.length; i += mean.length) {
    for (let k = 0; k < mean.length; k++) features[i + k] = (features[i + k]! - mean[k]!) * perDeviation[k]!;
  }
}

/** @throws {InputError} for audio without speech in it: too short, silent, or with samples that are no numbers */
function featuresOf(
  { id, audio }: Utterance,
  samples: Float32Array,
  { frameCount, compute, dimensions }: FeatureExtractor,
  { data }: Options,
): Float32Array {
  const refuse = (why: string): InputError =>
    new InputError(`Cannot use utterance "${id}": ${why}; check ${audio}, or remove the utterance from ${data}`);
  if (frameCount(samples.length) === 0) throw refuse(`${samples.length} samples are too short for one frame`);
  if (samples.every((sample) => sample === samples[0])) throw refuse(`all its samples are ${samples[0]}: silence`);
  const features = compute(samples);
  const wrong = features.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw refuse(
      `frame ${Math.floor(wrong / dimensions)} is ${features[wrong]}: the audio has samples that are no numbers`,
    );
  }
  return features;
}

/** The audio of one utterance after another, at the rate and speed asked for; a file stays open while it is the same. */
function createRecordings({ sampleRate: wanted, speed }: Options) {
  let open: { path: string; audio: Audio } | undefined;
  let resampler: { from: number; to: number; run: (samples: Float32Array) => Float32Array } | undefined;
  const close = (): void => {
    open?.audio.close();
    open = undefined;
  };
  return {
    close,
    async samplesOf(utterance: Utterance) {
      if (open?.path !== utterance.audio) {
        close();
        open = { path: utterance.audio, audio: await openAudio(utterance.audio) };
      }
      const samples = samplesOf(utterance, open.audio);
      const { sampleRateHz } = open.audio;
      const from = Math.round(sampleRateHz * speed);
      const to = wanted ?? sampleRateHz;
      if (resampler?.from !== from || resampler.to !== to) resampler = { from, to, run: createResampler(from, to) };
      return { samples: resampler.run(samples), sampleRateHz: to };
    },
  };
}

function createExtractor(options: Options & { sampleRateHz: number }): FeatureExtractor {
  try {
    return createFeatureExtractor(options);
  } catch (error) {
    if (error instanceof RangeError)
      throw new UsageError(`${error.message} (at ${options.sampleRateHz} samples a second)`);
    throw error;
  }
}

function metadataOf(id: string, settings: Options, found: Extracted): Record<string, string> {
  const { kind, bins, coefficients, cepstralLifter, useEnergy, cmvn, normVars } = settings;
  const { frameLengthMs, frameShiftMs, lowFrequencyHz, highFrequencyHz, snipEdges } = settings;
  const how = {
    ...{ kind, frameLengthMs, lowFrequencyHz, highFrequencyHz, snipEdges },
    ...(kind === 'mfcc' ? { melBins: bins, coefficients, cepstralLifter, useEnergy } : {}),
    ...(cmvn === 'none' ? {} : { cmvn, normVars }),
  };
  return {
    'kd.format': 'features',
    'kd.version': '1',
    'kd.id': id,
    'kd.bins': String(found.dimensions),
    'kd.sampleRateHz': String(found.sampleRateHz),
    'kd.frameShiftMs': String(frameShiftMs),
    'kd.firstFrameCentreMs': String(found.firstFrameCentreMs),
    'kd.features': JSON.stringify(how),
    ...(settings.speed !== 1 && { 'kd.speed': String(settings.speed) }),
    ...(settings.degradation && { 'kd.degrade': JSON.stringify(settings.degradation) }),
    ...(hasMasks(settings) && { 'kd.masks': JSON.stringify(maskingOf(settings)) }),
    'kd.toolkit': toolkitVersion(),
  };
}

/** @throws {InputError} when the audio ends before the utterance does */
function samplesOf({ id, audio, startSeconds = 0, endSeconds }: Utterance, file: Audio): Float32Array {
  const first = Math.round(startSeconds * file.sampleRateHz);
  const end = endSeconds === undefined ? file.length : Math.round(endSeconds * file.sampleRateHz);
  if (end > file.length) {
    throw new InputError(
      `Cannot use utterance "${id}": it ends at ${endSeconds} s, but ${audio} at ${file.length / file.sampleRateHz} s; check segments, or copy the audio again`,
    );
  }
  return file.read(first, end - first);
}

export const stage = {
  name: 'extract_features',
  version: 1,
  summary: 'audio → log-mel or cepstral features, as Kaldi has them',
  examples: ['$0 --data exp/digits/seen/data/train --out exp/digits/seen/features/train'],
  options,
  run,
  figures,
  skips: true,
} satisfies Stage;

serve(extraction);
await runIfMain(import.meta, stage);
