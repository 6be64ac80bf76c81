import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../shared/engine/engine.ts';
import { openEngine } from '../shared/engine/open_engine.ts';
import { type DataDirectory, readDataDirectory } from '../shared/io/data_directory.ts';
import { tokensDigest } from '../shared/io/digest.ts';
import { InputError } from '../shared/io/errors.ts';
import {
  type Context,
  type OptionsOf,
  type OptionTable,
  runIfMain,
  type Stage,
  toolkitVersion,
} from '../shared/io/stage.ts';
import { openUtterances, sharedUtterances } from '../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../shared/io/utterance_writer.ts';
import { acousticScores } from '../shared/math/acoustic_scores.ts';
import { createDurationTally } from '../shared/math/duration_tally.ts';
import {
  type Alignment,
  fewestFrames,
  forcedAlignment,
  linearAlignment,
  type Transcript,
} from '../shared/math/forced_alignment.ts';
import { quantile } from '../shared/math/quantile.ts';
import { outputFrameCount } from '../shared/math/splice.ts';
import { transitionsOf } from '../shared/math/viterbi.ts';
import { outputTiming } from '../shared/training/model_folder.ts';
import { checkTokens, openModelPosteriors } from '../shared/training/posterior_source.ts';

/** Give each output frame a token: by a model's best path through the transcript, or without a model by equal division. */
export const options = {
  data: {
    type: 'string',
    role: 'texts',
    demandOption: true,
    describe: 'data directory with text, lexicon and tokens',
  },
  features: { type: 'string', role: 'input', demandOption: true, describe: 'folder of extract_features, same data' },
  model: { type: 'string', role: 'input', describe: 'folder of train_student; without it words are spread evenly' },
  'acoustic-scale': {
    type: 'number',
    above: 0,
    default: 1,
    belongsTo: { model: 'given' },
    describe: 'factor of the acoustic scores of the model',
  },
  'prior-scale': {
    type: 'number',
    min: 0,
    default: 1,
    belongsTo: { model: 'given' },
    describe: "how much of the model's log prior is taken off",
  },
  'edge-silence': {
    type: 'number',
    min: 0,
    default: 0.1,
    belongsTo: { model: 'not given' },
    describe: 'seconds taken for silence at either end, at most a sixth of the utterance; without a model',
  },
  stride: {
    type: 'number',
    integer: true,
    min: 1,
    max: 100,
    default: 3,
    belongsTo: { model: 'not given' },
    describe: 'input frames per output frame; a model brings its own',
  },
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options>;

export async function run(options: Options, context: Context<Engine>) {
  const data = readDataDirectory(options.data);
  const aligner = options.model
    ? await openModelAligner(options.model, options, context)
    : await openLinearAligner(options);
  try {
    const said = { path: options.data, utterances: data.utterances.map(({ id }) => id) };
    sharedUtterances(said, aligner, 'features', context.skip);
    sharedUtterances(aligner, said, 'transcript');
    const tokensText = readFileSync(join(options.data, 'tokens.txt'), 'utf8');
    context.out.writeText('tokens.txt', tokensText);
    const metadata = {
      'kd.format': 'alignment',
      'kd.version': '1',
      'kd.id': context.id,
      'kd.tokens': tokensDigest(tokensText),
      'kd.frameShiftMs': String(aligner.frameShiftMs),
      'kd.firstFrameCentreMs': String(aligner.firstFrameCentreMs),
      'kd.toolkit': toolkitVersion(),
    };
    return await alignAll(aligner, { data, metadata, options, context });
  } finally {
    await aligner.close();
  }
}

interface Work {
  data: DataDirectory;
  metadata: Record<string, string>;
  options: Options;
  context: Context<Engine>;
}

/** Writes the alignment of each utterance; returns what the report says of all. */
async function alignAll(aligner: Aligner, { data, metadata, options, context }: Work) {
  const transcriptOf = createTranscripts(data);
  const durations = createDurationTally(data.tokens.symbols.length);
  const boundaries: number[] = [];
  let scoreSum = 0;
  let utterances = 0;
  const writer = createUtteranceWriter(context.out.createFile('alignment.arrow'), {
    columns: { labels: 'list<uint16>', score: 'float32' },
    metadata,
  });
  context.progress.start('aligning', data.utterances.length);
  for await (const { utterance, frames, align } of aligner.rows()) {
    const transcript = transcriptOf(utterance);
    const alignment = align(transcript);
    if (!alignment) {
      context.skip([utterance], impossible(utterance, frames, transcript, options));
      continue;
    }
    utterances++;
    const { labels, score } = alignment;
    writer.append({ utterance, frames, labels, score: score / frames });
    durations.add(labels);
    scoreSum += score;
    boundaries.push(...boundaryErrorsMs(alignment, data.ctm?.get(utterance), aligner));
    context.progress.advance();
    await context.breathe();
  }
  writer.close();
  return {
    utterances,
    frames: durations.frames(),
    meanScore: scoreSum / durations.frames(),
    ...(boundaries.length > 0 ? { boundaryError: boundarySummary(boundaries) } : {}),
    prior: durations.shares(),
    selfLoop: durations.selfLoop(),
  };
}

/** Where alignments come from, utterance by utterance. */
interface Aligner {
  path: string;
  utterances: readonly string[];
  frameShiftMs: number;
  firstFrameCentreMs: number;
  rows(): AsyncGenerator<{
    utterance: string;
    frames: number;
    align: (transcript: Transcript) => Alignment | undefined;
  }>;
  close(): Promise<void>;
}

async function openModelAligner(model: string, options: Options, { engine }: Context<Engine>): Promise<Aligner> {
  const source = await openModelPosteriors(engine, { model, features: options.features });
  if (!source.selfLoop) {
    await source.close();
    throw new InputError(
      `Cannot align with ${model}: a model of --objective ${source.objective} says which words there are, not where each begins and ends; use one of --objective frame`,
    );
  }
  checkTokens(source, options.data);
  const logPrior = Float64Array.from(source.prior, Math.log);
  const transitions = transitionsOf(source.selfLoop);
  const vocabularySize = logPrior.length;
  return {
    path: options.features,
    utterances: source.utterances,
    frameShiftMs: source.outputFrameShiftMs,
    firstFrameCentreMs: source.firstFrameCentreMs,
    async *rows() {
      for await (const { utterance, logPosteriors } of source.rows()) {
        const scores = acousticScores({ logPosteriors, logPrior }, options);
        const align = (transcript: Transcript) => forcedAlignment({ transcript, scores, vocabularySize, transitions });
        yield { utterance, frames: scores.length / vocabularySize, align };
      }
    },
    close: source.close,
  };
}

/**
 * Silence for `edgeSilence` seconds at either end and the words evenly between. On connected digits in noise a fixed
 * margin found the edges better than the level of the signal did, and a short one keeps speech out of the silence,
 * which would otherwise grow into the words with each pass.
 */
async function openLinearAligner({ features, stride, edgeSilence }: Options): Promise<Aligner> {
  const table = await openUtterances(features, { format: 'features' });
  const { outputFrameShiftMs, firstFrameCentreMs } = outputTiming(table.metadata, stride);
  return {
    path: features,
    utterances: table.utterances,
    frameShiftMs: outputFrameShiftMs,
    firstFrameCentreMs,
    async *rows() {
      for await (const row of table.rows()) {
        const frames = outputFrameCount(row.frames, stride);
        const margin = Math.round(Math.min(edgeSilence / (outputFrameShiftMs / 1000), frames / 6));
        const align = (transcript: Transcript) =>
          linearAlignment(transcript, { frames, start: margin, end: frames - margin }) ??
          linearAlignment(transcript, { frames, start: 0, end: frames });
        yield { utterance: row.utterance, frames, align };
      }
    },
    close: table.close,
  };
}

/** @returns a function that looks the words of an utterance up; it throws {InputError} for one without words */
function createTranscripts({ path, lexicon, tokens, wordsOf }: DataDirectory): (utterance: string) => Transcript {
  const silence = tokens.idOf.get('sil');
  if (silence === undefined) {
    throw new InputError(`Cannot align ${path}: tokens.txt has no silence token "sil"; add it`);
  }
  const pronunciationsOf: Uint16Array[][] = lexicon.words.map(() => []);
  for (const { word, tokens } of lexicon.pronunciations) pronunciationsOf[word]!.push(tokens);
  return (utterance) => {
    const words = wordsOf(utterance);
    if (!words) throw new InputError(`Cannot align ${utterance}: ${join(path, 'text')} has no words for it; add them`);
    return { silence, words: Array.from(words, (word) => pronunciationsOf[word]!) };
  };
}

function impossible(utterance: string, frames: number, transcript: Transcript, { data, model }: Options): InputError {
  const needed = fewestFrames(transcript);
  if (frames < needed) {
    return new InputError(
      `Cannot align ${utterance}: its ${transcript.words.length} words need ${needed} frames, it has ${frames}; check its audio and text in ${data}`,
    );
  }
  return new InputError(
    `Cannot align ${utterance}: ${model} rules every path through its words out; train the model on more data or use --prior-scale 0`,
  );
}

/** Absolute errors of word starts and ends; nothing where there are no true times of the same number of words. */
function boundaryErrorsMs(
  { startFrames, endFrames }: Alignment,
  truth: { startSeconds: number; durationSeconds: number }[] | undefined,
  { frameShiftMs, firstFrameCentreMs }: Aligner,
): number[] {
  if (truth?.length !== startFrames.length) return [];
  const edgeMs = (frame: number) => firstFrameCentreMs + frameShiftMs * (frame - 0.5);
  return truth.flatMap(({ startSeconds, durationSeconds }, i) => [
    Math.abs(edgeMs(startFrames[i]!) - 1000 * startSeconds),
    Math.abs(edgeMs(endFrames[i]!) - 1000 * (startSeconds + durationSeconds)),
  ]);
}

function boundarySummary(errors: readonly number[]) {
  return {
    boundaries: errors.length,
    meanMs: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    medianMs: quantile(errors, 0.5),
    shareWithin50Ms: errors.filter((error) => error <= 50).length / errors.length,
  };
}

export const stage = {
  name: 'align_labels',
  version: 1,
  summary: 'give each frame a token',
  examples: [
    '$0 --data exp/digits/data/train --features exp/digits/features/train --out exp/digits/align-0/train',
    '$0 --data exp/digits/data/train --features exp/digits/features/train --model exp/digits/model --out exp/digits/align-1/train',
  ],
  options,
  run,
  engine: openEngine,
  skips: true,
  needsEngine: ({ model }: Options) => model !== undefined,
} satisfies Stage;

await runIfMain(import.meta, stage);
