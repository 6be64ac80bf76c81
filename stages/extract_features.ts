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
import type { Fbank, FbankOptions } from '../shared/math/fbank.ts';
import { createFastFbank } from '../shared/math/kernels/fast_fbank.ts';

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
  let fbank: Fbank | undefined;
  let writer: UtteranceWriter | undefined;
  const tally = { frames: 0, samples: 0, sampleRateHz: 0 };
  progress.start('extracting', utterances.length);
  for await (const { utterance, samples, sampleRateHz } of readSpeech(utterances)) {
    if (!fbank || !writer) {
      tally.sampleRateHz = sampleRateHz;
      fbank = createExtractor({ ...options, sampleRateHz });
      writer = createUtteranceWriter(sink, {
        columns: { features: 'list<float32>' },
        metadata: metadataOf(id, options, sampleRateHz, fbank),
      });
    }
    if (sampleRateHz !== tally.sampleRateHz) {
      throw new InputError(
        `Cannot use ${utterance.audio}: it has ${sampleRateHz} samples a second, others have ${tally.sampleRateHz}; resample it`,
      );
    }
    const features = featuresOf(utterance, samples, fbank, options);
    const frames = features.length / options.bins;
    writer.append({ utterance: utterance.id, frames, features });
    tally.frames += frames;
    tally.samples += samples.length;
    progress.advance();
    await breathe();
  }
  writer?.close();
  const { frames, samples, sampleRateHz } = tally;
  return {
    utterances: utterances.length,
    frames,
    seconds: samples / sampleRateHz,
    bins: options.bins,
    sampleRateHz,
  };
}

/** @throws {InputError} for audio without speech in it: too short, silent, or with samples that are no numbers */
function featuresOf(
  { id, audio }: Utterance,
  samples: Float32Array,
  fbank: Fbank,
  { data, bins }: Options,
): Float32Array {
  const refuse = (why: string): InputError =>
    new InputError(`Cannot use utterance "${id}": ${why}; check ${audio}, or remove the utterance from ${data}`);
  if (fbank.frameCount(samples.length) === 0) throw refuse(`${samples.length} samples are too short for one frame`);
  if (samples.every((sample) => sample === samples[0])) throw refuse(`all its samples are ${samples[0]}: silence`);
  const features = fbank.compute(samples);
  const wrong = features.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw refuse(`frame ${Math.floor(wrong / bins)} is ${features[wrong]}: the audio has samples that are no numbers`);
  }
  return features;
}

/** The audio of one utterance after another; a file stays open while it is the same. */
async function* readSpeech(utterances: readonly Utterance[]) {
  let open: { path: string; audio: Audio } | undefined;
  try {
    for (const utterance of utterances) {
      if (open?.path !== utterance.audio) {
        open?.audio.close();
        open = undefined;
        open = { path: utterance.audio, audio: await openAudio(utterance.audio) };
      }
      yield { utterance, samples: samplesOf(utterance, open.audio), sampleRateHz: open.audio.sampleRateHz };
    }
  } finally {
    open?.audio.close();
  }
}

function createExtractor(options: FbankOptions): Fbank {
  try {
    return createFastFbank(options);
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
