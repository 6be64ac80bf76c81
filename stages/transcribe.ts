import { createReadStream, createWriteStream, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { type Decoding, readDecoding } from '../shared/decoding/decoding_folder.ts';
import {
  createListener,
  type Heard,
  type Listener,
  type ListenerOptions,
  liveNormaliser,
  wholeNormaliser,
} from '../shared/decoding/listener.ts';
import { type ModelFeatures, modelFeatures } from '../shared/decoding/model_features.ts';
import { streamPlan } from '../shared/decoding/posterior_stream.ts';
import { createSearcher, searchSetup } from '../shared/decoding/search_setup.ts';
import type { Segment } from '../shared/decoding/segmenter.ts';
import { createTimingLog, type TimingLog } from '../shared/decoding/timing_log.ts';
import { openEngine } from '../shared/engine/open_engine.ts';
import { type AudioStream, openAudioStream } from '../shared/io/audio_stream.ts';
import { InputError, UsageError } from '../shared/io/errors.ts';
import { checkOptions, type OptionsOf, type OptionTable, parseArguments } from '../shared/io/options.ts';
import { openInputFolder } from '../shared/io/report_file.ts';
import { engineOptions, isProgram, type Streams, tellFault } from '../shared/io/stage.ts';
import { marksWords } from '../shared/math/speller.ts';
import { hypothesisRecord, secondsOfFrame } from '../shared/text/hypothesis.ts';
import { type Lexicon, parseLexicon } from '../shared/text/lexicon.ts';
import { parseTokens, type Tokens } from '../shared/text/tokens.ts';
import { openAcousticModel } from '../shared/training/acoustic_model.ts';
import { type Model, readModel } from '../shared/training/model_folder.ts';

/** From audio to text, with a model alone: no data directory and no features are made. */
export const options = {
  model: { type: 'string', demandOption: true, describe: 'folder of train_student' },
  decoding: {
    type: 'string',
    describe:
      'folder of decode --tune for that model: lexicon and weights; a CTC model whose tokens say words does without',
  },
  'language-model': { type: 'string', describe: 'ARPA file that --decoding was tuned with' },
  beam: {
    type: 'number',
    integer: true,
    min: 1,
    describe: 'objective ctc: token sequences followed at once; that of --decoding, or 8, unless given',
  },
  'beam-nats': {
    type: 'number',
    above: 0,
    describe: 'objective frame: how far behind the best a path may be; that of --decoding, or 60 with a language model',
  },
  'n-best': { type: 'number', default: 1, integer: true, min: 1, describe: 'word sequences, with --json' },
  json: { type: 'boolean', default: false, describe: 'a JSON object a line: text, times, confidences, scores' },
  partial: { type: 'boolean', default: false, describe: 'with --json, also words of an open utterance once they stay' },
  'end-silence-ms': {
    type: 'number',
    default: 700,
    min: 0,
    describe: 'silence after a word that ends an utterance; 0: none does',
  },
  'max-seconds': {
    type: 'number',
    default: 30,
    min: 0,
    describe: 'longest utterance; 0: any, and memory grows with it',
  },
  mean: {
    type: 'string',
    choices: ['file', 'running'],
    describe: 'models with --cmvn: of the whole file, heard twice; or of what was heard so far, as in a pipe',
  },
  'mean-seconds': {
    type: 'number',
    above: 0,
    describe:
      'a running mean: seconds it is taken over, about; the first second is heard before it is used; 1 unless given',
  },
  'raw-sample-rate': {
    type: 'number',
    integer: true,
    min: 1,
    max: 768000,
    describe: 'the audio is 16-bit samples of one channel at this rate, without a head',
  },
  'chunk-ms': { type: 'number', default: 200, min: 10, describe: 'audio that is worked on at once' },
  timing: {
    type: 'string',
    describe: 'file to write: a JSON line for each chunk, when it came and was done; then a summary',
  },
  quiet: { type: 'boolean', default: false, describe: 'nothing on stderr but faults' },
  ...engineOptions,
} as const satisfies OptionTable;

type Options = Omit<OptionsOf<typeof options>, 'out'>;

const usage = {
  name: 'transcribe',
  summary: 'audio → text, as it comes',
  words: 'FILE… (- is stdin)',
  examples: [
    '$0 --model exp/model/student --decoding exp/decode/dev talk.flac other.wav',
    '$0 --model exp/model/student --decoding exp/decode/dev --json --timing latency.jsonl hour.wav',
    'sox -q -d -t wav -r 16000 -c 1 - | $0 --model exp/model/live --decoding exp/decode/live --json --partial -',
  ],
};

export interface TranscribeStreams extends Streams {
  stdin: AsyncIterable<Uint8Array>;
  /** Aborted when the audio is to end where it is. */
  interrupted?: AbortSignal;
}

/** @returns the exit code: 0 done, 1 our fault, 2 wrong command line, 3 wrong data, 130 interrupted */
export async function transcribe(argv: readonly string[], streams: TranscribeStreams): Promise<number> {
  try {
    const parsed = await parseArguments(usage, options, argv);
    if ('help' in parsed) {
      streams.stdout.write(`${parsed.help}\n`);
      return 0;
    }
    await run(checkOptions(options, parsed.given) as unknown as Options, parsed.words, streams);
    return streams.interrupted?.aborted ? 130 : 0;
  } catch (error) {
    return tellFault('transcribe', error, streams.stderr);
  }
}

async function run(given: Options, files: readonly string[], streams: TranscribeStreams): Promise<void> {
  checkArguments(given, files);
  const { model: path, quiet } = given;
  openInputFolder(path);
  const model = readModel(path);
  const features = modelFeatures(model, path);
  checkMean(given, files, features);
  const searching = searchOf(model, given);
  const engine = await openEngine(given);
  const acoustic = openAcousticModel(engine, model);
  const framesOf = (ms: number): number => Math.round(ms / model.outputFrameShiftMs);
  const listening: ListenerOptions = {
    ...{ model, acoustic, features },
    segmentation: {
      ...searching,
      nBest: given.nBest,
      vocabularySize: model.architecture.tokens,
      endSilenceFrames: framesOf(given.endSilenceMs),
      maxFrames: framesOf(1000 * given.maxSeconds),
    },
  };
  const plan = streamPlan(model.architecture, features.frameShiftMs);
  if (!quiet) {
    const lookAhead = (Math.max(plan.after + 1, plan.window) * model.outputFrameShiftMs) / 1000;
    streams.stderr.write(
      `transcribe: the network speaks ${lookAhead.toFixed(2)} s after the audio${plan.isExact ? '' : ', in windows'}\n`,
    );
  }
  const timing = given.timing === undefined ? undefined : createTimingLog(createSink(given.timing));
  try {
    for (const file of files) {
      const open = () => openFile(file, given, streams);
      const normaliser =
        meanOf(file, given) === 'file'
          ? await wholeNormaliserOf(features, open)
          : liveNormaliser(features, given.meanSeconds ?? 1);
      const audio = await open();
      const listener = createListener(listening, { sampleRateHz: audio.sampleRateHz, normaliser });
      await listen(listener, { audio, file, given, model, timing, severalFiles: files.length > 1, streams });
    }
  } finally {
    acoustic.dispose();
    await timing?.close();
  }
}

/** Opened at once, so that a place where no file can be made is found before the audio is heard. */
const createSink = (path: string) => createWriteStream(path, { fd: openSync(path, 'w') });

const isLive = (file: string): boolean => file === '-';

const meanOf = (file: string, { mean }: Options): 'file' | 'running' => mean ?? (isLive(file) ? 'running' : 'file');

/** The mean of a file; one that is not taken off need not be found out. */
async function wholeNormaliserOf(features: Parameters<typeof wholeNormaliser>[0], open: () => Promise<AudioStream>) {
  return features.cmvn === 'none' ? undefined : wholeNormaliser(features, await open());
}

interface Listening {
  audio: AudioStream;
  file: string;
  given: Options;
  model: Model;
  timing: TimingLog | undefined;
  severalFiles: boolean;
  streams: TranscribeStreams;
}

async function listen(listener: Listener, { audio, file, given, model, timing, severalFiles, streams }: Listening) {
  const name = file === '-' ? 'stdin' : basename(file);
  let count = 0;
  let shown = 0; // words of the open utterance
  const say = ({ segments, stableWords, heardSeconds }: Heard): void => {
    for (const segment of segments) {
      count++;
      shown = 0;
      streams.stdout.write(
        given.json ? jsonLine({ name, count, segment, model }) : textLine(segment, severalFiles ? name : undefined),
      );
    }
    if (given.partial && stableWords.length > shown) {
      shown = stableWords.length;
      const partial = { utterance: `${name}#${count + 1}`, partial: stableWords.join(' '), heardSeconds };
      streams.stdout.write(`${JSON.stringify(partial)}\n`);
    }
  };
  timing?.begin(name);
  for await (const chunk of chunksOf(heardBy(audio, streams), given.chunkMs)) {
    const arrived = performance.now();
    const heard = listener.push(chunk);
    say(heard);
    timing?.add(heard, arrived, model);
    await new Promise((resolve) => setImmediate(resolve)); // signals and writes go through
  }
  const arrived = performance.now();
  const heard = listener.finish();
  say(heard);
  timing?.add(heard, arrived, model);
  timing?.end();
}

const textLine = ({ hypotheses }: Segment, name: string | undefined): string =>
  `${name === undefined ? '' : `${name}: `}${hypotheses[0]!.words.join(' ')}\n`;

function jsonLine({
  name,
  count,
  segment,
  model,
}: {
  name: string;
  count: number;
  segment: Segment;
  model: Model;
}): string {
  const { firstFrame, frames, hypotheses } = segment;
  const [startSeconds, endSeconds] = [firstFrame, firstFrame + frames].map((frame) =>
    Number(secondsOfFrame(model, frame).toFixed(3)),
  );
  const { utterance, ...found } = hypothesisRecord(`${name}#${count}`, hypotheses, model, firstFrame);
  return `${JSON.stringify({ utterance, startSeconds, endSeconds, ...found })}\n`;
}

/** Audio in pieces of one length, and what is left. */
async function* chunksOf({ samples, sampleRateHz }: AudioStream, chunkMs: number): AsyncGenerator<Float32Array> {
  const size = Math.max(1, Math.round((sampleRateHz * chunkMs) / 1000));
  let chunk = new Float32Array(size);
  let filled = 0;
  for await (const piece of samples) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + size - filled);
      chunk.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < size) break;
      yield chunk;
      [chunk, filled] = [new Float32Array(size), 0];
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

async function openFile(file: string, { rawSampleRate }: Options, { stdin }: TranscribeStreams): Promise<AudioStream> {
  const audio = await openAudioStream({
    bytes: isLive(file) ? stdin : (createReadStream(file) as AsyncIterable<Uint8Array>),
    ...(isLive(file) ? { name: 'from stdin' } : { name: file, path: file }),
    rawSampleRateHz: rawSampleRate,
  });
  return { ...audio, samples: numbersOf(audio, isLive(file) ? 'the audio from stdin' : file) };
}

/** @throws {InputError} for samples that are no numbers, or infinite, as floats may be */
async function* numbersOf({ samples, sampleRateHz }: AudioStream, name: string): AsyncGenerator<Float32Array> {
  let heard = 0;
  for await (const piece of samples) {
    const wrong = piece.findIndex((sample) => !Number.isFinite(sample));
    if (wrong >= 0) {
      const at = ((heard + wrong) / sampleRateHz).toFixed(3);
      throw new InputError(
        `Cannot use ${name}: the sample at ${at} s is ${piece[wrong]}, no number; check what writes it`,
      );
    }
    heard += piece.length;
    yield piece;
  }
}

/** Audio up to an interruption: then it has ended. */
const heardBy = ({ sampleRateHz, samples }: AudioStream, { interrupted }: TranscribeStreams): AudioStream => ({
  sampleRateHz,
  samples: interrupted ? untilAborted(samples, interrupted) : samples,
});

async function* untilAborted<T>(values: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const source = values[Symbol.asyncIterator]();
  let stop = (): void => {};
  signal.addEventListener('abort', () => stop(), { once: true });
  while (!signal.aborted) {
    // a promise of its own for each value: one that waits for the signal all the time would keep them all
    const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
      stop = () => resolve({ done: true, value: undefined });
      source.next().then(resolve, reject);
    });
    if (next.done) return;
    yield next.value;
  }
}

function checkArguments(
  { json, partial, nBest, mean, model, decoding, timing }: Options,
  files: readonly string[],
): void {
  if (files.length === 0) throw new UsageError('Name the audio: files, or - for stdin; see "transcribe --help"');
  if (files.filter(isLive).length > 1) throw new UsageError('stdin (-) can be heard once: name it once');
  const inTheWay =
    timing &&
    (files.find((file) => resolve(file) === resolve(timing)) ??
      [model, decoding].find((folder) => folder && !relative(folder, timing).startsWith('..')));
  if (inTheWay)
    throw new UsageError(`--timing ${timing} would take the place of what is read, ${inTheWay}: name another file`);
  if (!json && (partial || nBest > 1)) throw new UsageError(`${partial ? '--partial' : '--n-best'} needs --json`);
  if (mean === 'file' && files.some(isLive))
    throw new UsageError('--mean file hears the audio twice, which stdin (-) does not allow: leave it out');
  for (const file of files.filter((file) => !isLive(file))) {
    if (!existsSync(file)) throw new InputError(`Cannot open ${file}: there is no such file; check the path`);
    if (statSync(file).isDirectory())
      throw new InputError(`Cannot read ${file}: it is a folder, not a file; name the files inside it`);
  }
}

/** @throws {UsageError} when what is said of a mean is of one that nothing is taken off by */
function checkMean(given: Options, files: readonly string[], { cmvn }: Pick<ModelFeatures, 'cmvn'>): void {
  const { model, mean, meanSeconds } = given;
  const flag = mean !== undefined ? 'mean' : meanSeconds !== undefined ? 'mean-seconds' : undefined;
  if (flag && cmvn === 'none')
    throw new UsageError(
      `--${flag} belongs to models with --cmvn, and ${model} hears features as they are: leave it out`,
    );
  if (meanSeconds !== undefined && files.every((file) => meanOf(file, given) === 'file'))
    throw new UsageError('--mean-seconds belongs to --mean running, or a pipe: give both, or leave it out');
}

/** What the beam is with a language model, which tells apart all that was said before: without one, nothing is given up. */
const usualBeamNats = 60;

/** The search that fits the model, as it was tuned. */
function searchOf(model: Model, given: Options) {
  const { model: path, decoding: folder, languageModel, beam, beamNats, nBest } = given;
  const tokens = parseTokens(model.tokensText, join(path, 'tokens.txt'));
  const { id } = openInputFolder(path);
  const decoding =
    folder === undefined ? undefined : readDecoding(openInputFolder(folder), { decoded: { path, id }, languageModel });
  const lexicon = folder === undefined ? impliedLexicon(model, tokens, path) : lexiconOf(folder, tokens);
  const isCtc = model.objective === 'ctc';
  const setup = searchSetup(
    { source: { ...model, path }, tokens, language: folder ?? path, ...(lexicon && { lexicon }) },
    {
      ...{ nBest, languageModel },
      beam: beam ?? (isCtc ? decoding?.beam : undefined),
      beamNats: beamNats ?? decoding?.beamNats ?? (!isCtc && languageModel !== undefined ? usualBeamNats : undefined),
    },
  );
  return { ...createSearcher(setup), weights: decoding ?? plainWeights };
}

const plainWeights: Omit<Decoding, 'atEdge'> = {
  ...{ acousticScale: 1, priorScale: 0, languageModelScale: 1, insertionPenalty: 0 },
};

/** Where nothing was decoded: tokens that mark words make any, others are words; states of words are neither. */
function impliedLexicon({ objective }: Model, tokens: Tokens, path: string): Lexicon | undefined {
  if (objective === 'frame')
    throw new UsageError(
      `Missing --decoding: ${path} knows states of words; tune decode on dev for it, and give its folder`,
    );
  if (marksWords(tokens.symbols)) return undefined;
  return parseLexicon(
    tokens.symbols
      .slice(1)
      .map((symbol) => `${symbol} ${symbol}`)
      .join('\n'),
    tokens,
    path,
  );
}

/** The lexicon of a decoding; without one its vocabulary is open. */
function lexiconOf(folder: string, tokens: Tokens): Lexicon | undefined {
  const file = join(folder, 'lexicon.txt');
  return existsSync(file) ? parseLexicon(readFileSync(file, 'utf8'), tokens, file) : undefined;
}

if (isProgram(import.meta)) {
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  process.once('SIGTERM', () => interruption.abort());
  const { stdin, stdout, stderr } = process;
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  process.exitCode = await transcribe(process.argv.slice(2), {
    stdin,
    stdout,
    stderr,
    interrupted: interruption.signal,
  });
  stdin.destroy();
}
