import { openAudio } from '../shared/io/audio.ts';
import { readDataDirectory, type Utterance } from '../shared/io/data_directory.ts';
import { InputError, UsageError } from '../shared/io/errors.ts';
import {
  type Context,
  type OptionsOf,
  type OptionTable,
  runIfMain,
  type Stage,
  toolkitVersion,
} from '../shared/io/stage.ts';
import { createUtteranceWriter, type UtteranceWriter } from '../shared/io/utterance_table.ts';
import type { Audio } from '../shared/io/wav.ts';
import { createFbank, type Fbank, type FbankOptions } from '../shared/math/fbank.ts';

export const options = {
  data: { type: 'string', role: 'corpus', demandOption: true, describe: 'data directory' },
  bins: { type: 'number', default: 40, integer: true, min: 1, max: 1024, describe: 'mel bins' },
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
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options>;

export async function run(options: Options, { id, out, progress, breathe }: Context) {
  const { utterances } = readDataDirectory(options.data);
  const sink = out.createFile('features.arrow');
  let writer: UtteranceWriter | undefined;
  let fbank: Fbank | undefined;
  let audio: { path: string; file: Audio } | undefined;
  let sampleRateHz = 0;
  const tally = { frames: 0, samples: 0 };
  progress.start('extracting', utterances.length);
  for (const utterance of utterances) {
    if (audio?.path !== utterance.audio) {
      audio?.file.close();
      audio = { path: utterance.audio, file: await openAudio(utterance.audio) };
    }
    const { file } = audio;
    if (!fbank || !writer) {
      sampleRateHz = file.sampleRateHz;
      fbank = createExtractor({ ...options, sampleRateHz });
      writer = createUtteranceWriter(sink, {
        columns: { features: 'list<float32>' },
        metadata: metadataOf(id, options, sampleRateHz, fbank),
      });
    }
    if (file.sampleRateHz !== sampleRateHz) {
      throw new InputError(
        `Cannot use ${utterance.audio}: it has ${file.sampleRateHz} samples a second, others have ${sampleRateHz}; resample it`,
      );
    }
    const samples = samplesOf(utterance, file);
    const frames = fbank.frameCount(samples.length);
    if (frames === 0) {
      throw new InputError(
        `Cannot use utterance "${utterance.id}": ${samples.length} samples are too short for one frame; remove it from ${options.data}`,
      );
    }
    const features = fbank.compute(samples);
    const wrong = features.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      throw new InputError(
        `Cannot use utterance "${utterance.id}": frame ${Math.floor(wrong / options.bins)} is ${features[wrong]}; check ${utterance.audio} for samples that are no numbers`,
      );
    }
    writer.append({ utterance: utterance.id, frames, features });
    tally.frames += frames;
    tally.samples += samples.length;
    progress.advance();
    await breathe();
  }
  audio?.file.close();
  writer?.close();
  return {
    utterances: utterances.length,
    frames: tally.frames,
    seconds: tally.samples / sampleRateHz,
    bins: options.bins,
    sampleRateHz,
  };
}

function createExtractor(options: FbankOptions): Fbank {
  try {
    return createFbank(options);
  } catch (error) {
    if (error instanceof RangeError)
      throw new UsageError(`${error.message} (at ${options.sampleRateHz} samples a second)`);
    throw error;
  }
}

function metadataOf(
  id: string,
  { bins, ...options }: Options,
  sampleRateHz: number,
  { firstFrameCentreMs }: Fbank,
): Record<string, string> {
  const { frameLengthMs, frameShiftMs, lowFrequencyHz, highFrequencyHz, snipEdges } = options;
  return {
    'kd.format': 'features',
    'kd.version': '1',
    'kd.id': id,
    'kd.bins': String(bins),
    'kd.sampleRateHz': String(sampleRateHz),
    'kd.frameShiftMs': String(frameShiftMs),
    'kd.firstFrameCentreMs': String(firstFrameCentreMs),
    'kd.features': JSON.stringify({ kind: 'fbank', frameLengthMs, lowFrequencyHz, highFrequencyHz, snipEdges }),
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
  summary: 'audio → log-mel filterbank features, as Kaldi has them',
  examples: ['$0 --data exp/digits/seen/data/train --out exp/digits/seen/features/train'],
  options,
  run,
} satisfies Stage;

await runIfMain(import.meta, stage);
