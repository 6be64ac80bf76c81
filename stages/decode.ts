import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../shared/engine/engine.ts';
import { openEngine } from '../shared/engine/open_engine.ts';
import { type DataDirectory, readDataDirectory } from '../shared/io/data_directory.ts';
import { fileSha256 } from '../shared/io/digest.ts';
import { InputError, UsageError } from '../shared/io/errors.ts';
import type { Sink } from '../shared/io/output_folder.ts';
import { withSums } from '../shared/io/parts.ts';
import { shareOf, textName, whole } from '../shared/io/shard.ts';
import { type Context, type OptionsOf, type OptionTable, runIfMain, type Stage } from '../shared/io/stage.ts';
import { openUtterances, type Row, sharedUtterances, type UtteranceTable } from '../shared/io/utterance_table.ts';
import { mapInOrder, openWorkers, serve, type Work, type Workers } from '../shared/io/workers.ts';
import { type BigramScores, scoresOf } from '../shared/math/bigram.ts';
import { createBigramLoop } from '../shared/math/bigram_loop.ts';
import {
  type CtcPrefixSearch,
  type CtcPrefixSearchOptions,
  createCtcPrefixSearch,
  type Hypothesis,
} from '../shared/math/ctc_prefix_search.ts';
import { editCounts } from '../shared/math/edit_distance.ts';
import { bestToken } from '../shared/math/gate.ts';
import { type Axis, type GridSearch, gridSearch, ratioBeyond, stepBeyond } from '../shared/math/grid_search.ts';
import {
  createTokenLoop,
  type LoopWeights,
  type TokenLoopOptions,
  type WordSequence,
} from '../shared/math/token_loop.ts';
import { transitionsOf } from '../shared/math/viterbi.ts';
import { parseArpa } from '../shared/text/arpa.ts';
import {
  checkTokens,
  openEssencePosteriors,
  openModelPosteriors,
  type PosteriorSource,
} from '../shared/training/posterior_source.ts';
import { tokenOfWords } from '../shared/training/transcripts.ts';

/**
 * Find the words: a Viterbi search over a loop of all words or, with a model of --objective ctc, a prefix beam search;
 * its weights are tuned on one set and taken over on another.
 */
export const options = {
  data: {
    type: 'string',
    role: 'texts',
    demandOption: true,
    describe: 'data directory with lexicon and tokens; for --tune with text',
  },
  model: { type: 'string', role: 'input', describe: 'folder of train_student; needs --features' },
  features: { type: 'string', role: 'input', describe: 'folder of extract_features' },
  posteriors: { type: 'string', role: 'input', describe: 'folder of filter_targets --select all, instead of a model' },
  'language-model': {
    type: 'string',
    role: 'corpus',
    describe: 'ARPA file of a bigram model of the words; without it any word may follow any other',
  },
  alignment: { type: 'string', role: 'input', describe: 'folder of align_labels, to count frames right' },
  tune: { type: 'boolean', default: false, describe: 'search the weights with the fewest word errors on this data' },
  decoding: { type: 'string', role: 'input', describe: 'folder of decode --tune, to take its weights from' },
  'acoustic-scales': {
    type: 'numbers',
    above: 0,
    describe: 'tried by --tune; 0.15,0.25,0.4,0.65,1 unless given; objective ctc: always 1',
  },
  'prior-scales': {
    type: 'numbers',
    min: 0,
    describe: 'tried by --tune; 0,0.5,1,1.5 unless given; objective ctc: 0,0.1,0.2,0.3,0.5',
  },
  'insertion-penalties': {
    type: 'numbers',
    describe: 'tried by --tune, nats per word; -4,0,4,8,12 unless given; objective ctc: -2,-1,0,1,2',
  },
  beam: {
    type: 'number',
    integer: true,
    min: 1,
    describe:
      'objective ctc: word sequences followed at once, 8 unless given; 1: the best token of each frame, no insertion penalty',
  },
  'n-best': {
    type: 'number',
    integer: true,
    min: 1,
    describe:
      'objective ctc: as many word sequences of each utterance as well, in n_best.txt, each with its score in nats',
  },
  jobs: {
    type: 'number',
    default: availableParallelism(),
    integer: true,
    min: 1,
    describe: 'worker threads of the search; the words do not depend on it',
    role: 'execution',
  },
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options>;

export async function run(options: Options, context: Context<Engine>) {
  checkOptions(options);
  const data = readDataDirectory(options.data);
  const opened = await openSource(options, context);
  const source = options.tune ? await inMemory(opened, context) : opened;
  const labels = options.alignment ? await openUtterances(options.alignment, { format: 'alignment' }) : undefined;
  let searchers: Searchers | undefined;
  try {
    checkTokens(source, options.data);
    const said = { path: options.data, utterances: data.utterances.map(({ id }) => id) };
    sharedUtterances(said, source, 'posteriors', context.skip);
    sharedUtterances(source, said, 'place in the data');
    if (labels) checkLabels(labels, source, context);
    searchers = openWorkers(search, { setup: searchOf(data, source, options), count: options.jobs, program });
    const tuned = options.tune ? await tune(searchers, { data, source, options, context }) : undefined;
    const decoding = tuned?.decoding ?? readDecoding(options, context);
    const tally = await decodeAll(searchers, decoding, { data, source, labels, nBest: options.nBest, context });
    context.out.writeJson('decoding.json', {
      ...decoding,
      ...digestOf(options),
      ...(tuned ? { points: tuned.points } : {}),
    });
    return {
      utterances: source.utterances.length,
      ...tally,
      outputFrameShiftMs: source.outputFrameShiftMs,
      ...sizeOf(options, context),
      decoding,
      atEdge: decoding.atEdge,
      ...(tuned ? { tuning: tuned.summary } : {}),
    };
  } finally {
    await searchers?.close();
    await source.close();
    await labels?.close();
  }
}

/** The figures of all parts. */
function figures(parts: Awaited<ReturnType<typeof run>>[]) {
  const { score, framesRight, framesLabelled, outputFrameShiftMs, ...all } = withSums(parts, tallied);
  return {
    ...all,
    audioSeconds: (all.frames * outputFrameShiftMs) / 1000,
    meanScore: score / all.frames,
    ...(framesLabelled > 0 ? { frameAccuracy: framesRight / framesLabelled } : {}),
  };
}

const tallied = ['frames', 'words', 'score', 'framesRight', 'framesLabelled'] as const;

interface Decoded {
  data: DataDirectory;
  source: PosteriorSource;
  labels: UtteranceTable | undefined;
  nBest: number | undefined;
  context: Context<Engine>;
}

interface PosteriorRow {
  utterance: string;
  logPosteriors: Float32Array;
}
interface Search {
  rows: PosteriorRow[];
  weights: LoopWeights;
  nBest?: number;
}
/** What each row says; nothing where every path is ruled out. */
type Found = { best: WordSequence | undefined; hypotheses?: Hypothesis[] }[];
type Searchers = Workers<Search, Found>;

const program = fileURLToPath(import.meta.url);
const search: Work<SearchSetup, Search, Found> = {
  name: 'search',
  prepare({ prior, ...options }) {
    const searcher = createSearcher(options);
    const logPrior = Float64Array.from(prior, Math.log);
    return async ({ rows, weights, nBest }) =>
      rows.map(({ logPosteriors }) =>
        nBest !== undefined
          ? searcher.decodeNBest!({ logPosteriors, logPrior }, weights, nBest)
          : { best: searcher.decode({ logPosteriors, logPrior }, weights) },
      );
  },
};

type SearchSetup = (TokenLoopOptions | CtcPrefixSearchOptions) & { prior: readonly number[]; bigram?: BigramScores };

interface Searcher extends Pick<CtcPrefixSearch, 'decode'> {
  decodeNBest?: CtcPrefixSearch['decodeNBest'];
}

function createSearcher(options: Omit<SearchSetup, 'prior'>): Searcher {
  if ('beam' in options) return createCtcPrefixSearch(options as CtcPrefixSearchOptions);
  const { bigram, ...loop } = options as TokenLoopOptions & { bigram?: BigramScores };
  return bigram ? createBigramLoop({ ...loop, bigram }) : createTokenLoop(loop);
}

/** The search that fits the objective of the model. */
function searchOf(data: DataDirectory, source: PosteriorSource, options: Options): SearchSetup {
  const { path, prior, selfLoop } = source;
  const { beam, nBest, languageModel } = options;
  const bigram = languageModel ? { bigram: readBigram(languageModel, data.lexicon.words) } : {};
  if (!selfLoop) {
    checkCtcOptions(options);
    const vocabularySize = data.tokens.symbols.length;
    return { tokenOfWord: tokenOfWords(data), vocabularySize, beam: beam ?? usualBeam, prior, ...bigram };
  }
  const alien = beam !== undefined ? '--beam' : nBest !== undefined ? '--n-best' : undefined;
  if (!alien) return { ...loopOf(data, { prior, selfLoop }), ...bigram };
  throw new UsageError(`${alien} belongs to objective ctc, and ${path} is of frames: leave it out`);
}

const usualBeam = 8;

function checkCtcOptions(options: Options): void {
  const { beam = usualBeam, nBest = 1, acousticScales, insertionPenalties, languageModel } = options;
  if (nBest > beam) {
    throw new UsageError(`--n-best ${nBest} is more than the ${beam} of the search: widen --beam, or ask for fewer`);
  }
  if (acousticScales) {
    throw new UsageError('--acoustic-scales has nothing to weigh against in a CTC search: leave it out');
  }
  if (beam === 1 && insertionPenalties) {
    throw new UsageError('--beam 1 takes the best token of each frame, at no price: leave out --insertion-penalties');
  }
  if (beam === 1 && languageModel) {
    throw new UsageError('--beam 1 takes the best token of each frame: leave out --language-model, or widen the beam');
  }
}

function loopOf(
  { path, lexicon, tokens }: DataDirectory,
  { prior, selfLoop }: Required<Pick<PosteriorSource, 'prior' | 'selfLoop'>>,
) {
  const silence = tokens.idOf.get('sil');
  if (silence === undefined)
    throw new InputError(`Cannot decode ${path}: tokens.txt has no silence token "sil"; add it`);
  return {
    pronunciations: lexicon.pronunciations,
    wordCount: lexicon.words.length,
    silence,
    vocabularySize: tokens.symbols.length,
    transitions: transitionsOf(selfLoop),
    prior,
  };
}

function readBigram(path: string, words: readonly string[]): BigramScores {
  try {
    return scoresOf(parseArpa(readFileSync(path, 'utf8'), words, path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`Cannot use a language model: ${error.message}`);
  }
}

/** @throws {InputError} where a row has no path */
function wordsOf({ rows }: Search, found: Found, { path }: PosteriorSource): WordSequence[] {
  return found.map(({ best }, i) => {
    if (best) return best;
    throw new InputError(
      `Cannot decode ${rows[i]!.utterance}: ${path} rules out every word and silence; use --prior-scales 0`,
    );
  });
}

/** Utterances that a search takes at once. */
const rowsAtOnce = 32;

/** Writes what is found; counts frames, words and, given labels, the frames whose best token is their label. */
async function decodeAll(searchers: Searchers, weights: LoopWeights, given: Decoded) {
  const { data, source, labels, nBest, context } = given;
  const create = (name: string): Sink => context.out.createFile(textName(name, context.shard));
  const text = create('hypotheses.txt');
  const times = create('hypotheses.ctm');
  const several = nBest === undefined ? undefined : create('n_best.txt');
  const tally = { frames: 0, words: 0, score: 0, framesRight: 0, framesLabelled: 0 };
  context.progress.start('decoding', shareOf(source.utterances, context.shard).length);
  const begun: Search[] = [];
  async function* searches(): AsyncGenerator<Search> {
    let rows: PosteriorRow[] = [];
    const take = (): Search => {
      const task = { rows, weights, nBest };
      begun.push(task);
      rows = [];
      return task;
    };
    for await (const row of source.rows(context.shard)) {
      tally.frames += row.logPosteriors.length / source.prior.length;
      if (labels?.has(row.utterance)) {
        const label = await labels.read(row.utterance);
        tally.framesRight += framesRight(row, label, { labels, source });
        tally.framesLabelled += label.frames;
      }
      rows.push(row);
      if (rows.length === rowsAtOnce) yield take();
    }
    if (rows.length > 0) yield take();
  }
  for await (const found of mapInOrder(searchers, searches())) {
    const task = begun.shift()!;
    wordsOf(task, found, source).forEach((sequence, i) => {
      const { utterance } = task.rows[i]!;
      writeHypothesis({ text, times }, utterance, sequence, { words: data.lexicon.words, source });
      for (const { words, score } of found[i]!.hypotheses ?? []) {
        const spelled = Array.from(words, (word) => ` ${data.lexicon.words[word]!}`);
        several!.write(Buffer.from(`${utterance} ${score.toFixed(4)}${spelled.join('')}\n`));
      }
      tally.words += sequence.words.length;
      tally.score += sequence.score;
      context.progress.advance();
    });
    await context.breathe();
  }
  text.close();
  times.close();
  several?.close();
  return tally;
}

function checkOptions({ model, features, posteriors, tune, decoding, ...axes }: Options): void {
  if ((model === undefined) === (posteriors === undefined)) throw new UsageError('Give either --model or --posteriors');
  if ((model === undefined) !== (features === undefined)) throw new UsageError('Give --model and --features together');
  if (tune === (decoding !== undefined)) throw new UsageError('Give either --tune or --decoding');
  for (const [flag, values] of [
    ['acoustic-scales', axes.acousticScales],
    ['prior-scales', axes.priorScales],
    ['insertion-penalties', axes.insertionPenalties],
  ] as const) {
    if (values?.some((value, i) => i > 0 && !(value > values[i - 1]!))) {
      throw new UsageError(`--${flag} ${values.join(',')} is not ascending`);
    }
  }
}

function openSource({ model, features }: Options, context: Context<Engine>): Promise<PosteriorSource> {
  if (!model) return openEssencePosteriors(context.inputs.posteriors![0]!);
  return openModelPosteriors(context.engine, { model, features: features! });
}

interface Tuning {
  data: DataDirectory;
  source: PosteriorSource;
  options: Options;
  context: Context<Engine>;
}

/** A source whose posteriors are computed once: tuning goes over them many times. */
async function inMemory(source: PosteriorSource, { progress, breathe }: Context<Engine>): Promise<PosteriorSource> {
  const rows: PosteriorRow[] = [];
  progress.start('computing posteriors', source.utterances.length);
  for await (const { utterance, logPosteriors } of source.rows()) {
    // in memory that all threads see, so that it is not copied for each of them
    const shared = new Float32Array(new SharedArrayBuffer(logPosteriors.byteLength));
    shared.set(logPosteriors);
    rows.push({ utterance, logPosteriors: shared });
    progress.advance();
    await breathe();
  }
  return {
    ...source,
    async *rows(shard = whole) {
      yield* shareOf(rows, shard);
    },
  };
}

/** The weights with the fewest word errors. */
async function tune(searchers: Searchers, { data, source, options, context }: Tuning) {
  const references = wordsSaid(data);
  const parts: PosteriorRow[][] = Array.from({ length: searchers.count }, () => []);
  let words = 0;
  let next = 0;
  for await (const row of source.rows()) {
    parts[next++ % parts.length]!.push(row);
    words += references.get(row.utterance)!.length;
  }
  if (words === 0)
    throw new InputError(`Cannot tune on ${data.path}: its text has no words; use data with transcripts`);
  context.progress.start('tuning');
  const axes = axesOf(options, source);
  const found = await gridSearch({
    axes,
    cost: async (weights) => {
      context.progress.advance();
      await context.breathe();
      const errors = parts.map(async (rows) => {
        const task = { rows, weights };
        const found = wordsOf(task, await searchers.run(task), source);
        return found.reduce((sum, { words }, i) => sum + errorsOf(references.get(rows[i]!.utterance)!, words), 0);
      });
      return (await Promise.all(errors)).reduce((sum, some) => sum + some, 0);
    },
  });
  if (found.extended.length > 0) context.progress.note(`the grid was extended: ${found.extended.join(', ')}`);
  const warning =
    found.atEdge.length > 0 ? `the best ${found.atEdge.join(', ')} lies at the edge of the grid; widen it` : undefined;
  if (warning) context.progress.note(`warning: ${warning}`);
  return {
    decoding: { ...found.best, atEdge: found.atEdge },
    points: found.points.map(({ point, cost }) => [
      point.acousticScale,
      point.priorScale,
      point.insertionPenalty,
      cost,
    ]),
    summary: {
      words,
      errors: found.cost,
      wer: found.cost / words,
      extended: found.extended,
      ...(warning ? { warning } : {}),
      pointsTried: found.points.length,
      fewestErrors: fewestPerValue(
        axes.map(({ name }) => name),
        found,
      ),
    },
  };
}

/** What is tried unless it is given: scores of a sum over paths are not scaled down, so a word costs less there. */
const usualGrids = {
  frame: {
    acousticScales: [0.15, 0.25, 0.4, 0.65, 1],
    priorScales: [0, 0.5, 1, 1.5],
    insertionPenalties: [-4, 0, 4, 8, 12],
  },
  ctc: { acousticScales: [1], priorScales: [0, 0.1, 0.2, 0.3, 0.5], insertionPenalties: [-2, -1, 0, 1, 2] },
} as const;

/** What is tuned. Without a language model all scores of a CTC search are acoustic, and a scale only sharpens them. */
function axesOf(options: Options, { objective }: PosteriorSource): Axis<keyof LoopWeights>[] {
  const usual = usualGrids[objective];
  const { priorScales = usual.priorScales } = options;
  const { acousticScales = usual.acousticScales, insertionPenalties = usual.insertionPenalties } = options;
  const isCtc = objective === 'ctc';
  const isGreedy = isCtc && options.beam === 1;
  return [
    { name: 'acousticScale', values: isCtc ? [1] : acousticScales, beyond: ratioBeyond },
    { name: 'priorScale', values: priorScales, beyond: stepBeyond({ min: 0 }) },
    { name: 'insertionPenalty', values: isGreedy ? [0] : insertionPenalties, beyond: stepBeyond() },
  ];
}

function errorsOf(reference: Int32Array, hypothesis: Int32Array): number {
  const { insertions, deletions, substitutions } = editCounts({ reference, hypothesis });
  return insertions + deletions + substitutions;
}

/** Reference words of each utterance, as lexicon ids. */
function wordsSaid({ path, utterances, wordsOf }: DataDirectory): Map<string, Int32Array> {
  return new Map(
    utterances.map(({ id }) => {
      const words = wordsOf(id);
      if (!words) throw new InputError(`Cannot tune on ${id}: ${join(path, 'text')} has no words for it; add them`);
      return [id, words];
    }),
  );
}

/** For each value of each axis the fewest errors it can have: how sharp the optimum is. */
function fewestPerValue<Name extends string>(names: readonly Name[], { points }: GridSearch<Name>) {
  return Object.fromEntries(
    names.map((name) => {
      const values = [...new Set(points.map(({ point }) => point[name]))].sort((a, b) => a - b);
      const fewest = (value: number) =>
        points.reduce((least, { point, cost }) => (point[name] === value ? Math.min(least, cost) : least), Infinity);
      return [name, values.map((value) => ({ value, errors: fewest(value) }))];
    }),
  );
}

/** Weights, and which of them were the best only as far as the grid went. */
type Decoding = LoopWeights & { atEdge: string[] };

/** What is kept of a language model, so that weights are not taken for another. */
const digestOf = ({ languageModel }: Options): { languageModel?: string } =>
  languageModel ? { languageModel: fileSha256(languageModel) } : {};

/** @throws {InputError} when the weights were tuned for another model, or another language model */
function readDecoding(options: Options, { inputs }: Context<Engine>): Decoding {
  const { decoding, model } = options;
  const path = join(decoding!, 'decoding.json');
  const {
    acousticScale,
    priorScale,
    insertionPenalty,
    atEdge = [],
    languageModel,
  } = JSON.parse(readFileSync(path, 'utf8'));
  if (!(acousticScale > 0 && priorScale >= 0 && Number.isFinite(insertionPenalty))) {
    throw new InputError(
      `Cannot use ${path}: it lacks a valid acousticScale, priorScale or insertionPenalty; run decode --tune`,
    );
  }
  const tunedFor = inputs.decoding![0]!.report.inputs.model?.[0];
  const used = inputs.model?.[0];
  if (tunedFor?.id !== used?.id) {
    throw new InputError(
      `Cannot use ${decoding} for ${model ?? 'posteriors'}: it was tuned for ${tunedFor?.path ?? 'posteriors'}; run decode --tune with the same model`,
    );
  }
  if (languageModel !== digestOf(options).languageModel) {
    throw new InputError(
      `Cannot use ${decoding}: it was tuned ${languageModel ? 'with another' : 'without a'} language model; run decode --tune with the same --language-model`,
    );
  }
  return { acousticScale, priorScale, insertionPenalty, atEdge };
}

function checkLabels(labels: UtteranceTable, source: PosteriorSource, { skip }: Context<Engine>): void {
  const tokens = labels.metadata['kd.tokens'];
  if (tokens !== source.tokensDigest) {
    throw new InputError(
      `Cannot use ${labels.path} with ${source.path}: their tokens differ (${tokens} and ${source.tokensDigest}); make both from the same tokens.txt`,
    );
  }
  sharedUtterances(source, labels, 'hard labels, which the share of frames right needs', skip);
}

/** Frames whose best token is their label. */
function framesRight(
  { utterance, logPosteriors }: PosteriorRow,
  { frames, labels: truth }: Row,
  { labels, source }: { labels: UtteranceTable; source: PosteriorSource },
): number {
  const vocabularySize = source.prior.length;
  if (frames * vocabularySize !== logPosteriors.length) {
    throw new InputError(
      `Cannot compare ${utterance}: ${frames} frames in ${labels.path}, ${logPosteriors.length / vocabularySize} in ${source.path}; make both from the same features`,
    );
  }
  let right = 0;
  for (let frame = 0; frame < frames; frame++) {
    const row = logPosteriors.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
    if (bestToken(row) === (truth as Uint16Array)[frame]) right++;
  }
  return right;
}

function writeHypothesis(
  { text, times }: { text: Sink; times: Sink },
  utterance: string,
  { words, startFrames, endFrames }: WordSequence,
  { words: spellings, source }: { words: readonly string[]; source: PosteriorSource },
): void {
  const spelled = Array.from(words, (word) => spellings[word]!);
  const seconds = (frame: number) => (source.firstFrameCentreMs + source.outputFrameShiftMs * (frame - 0.5)) / 1000;
  const lines = spelled.map((word, i) => {
    const start = seconds(startFrames[i]!);
    return `${utterance} 1 ${start.toFixed(3)} ${(seconds(endFrames[i]!) - start).toFixed(3)} ${word}\n`;
  });
  text.write(Buffer.from(`${[utterance, ...spelled].join(' ')}\n`));
  times.write(Buffer.from(lines.join('')));
}

/** What the report of the model says about its size. */
function sizeOf({ model }: Options, { inputs }: Context<Engine>) {
  if (!model) return {};
  const { parameters, modelBytes } = inputs.model![0]!.report;
  return { parameters, modelBytes };
}

export const stage = {
  name: 'decode',
  version: 1,
  summary: 'find the words of utterances',
  examples: [
    '$0 --data exp/digits/data/dev --model exp/digits/model/hard --features exp/digits/features/dev --tune --out exp/digits/decode/dev/hard',
    '$0 --data exp/digits/data/test --model exp/digits/model/hard --features exp/digits/features/test --decoding exp/digits/decode/dev/hard --out exp/digits/decode/test/hard',
  ],
  options,
  run,
  figures,
  needsAll: ['tune'],
  engine: openEngine,
  skips: true,
  needsEngine: ({ model }: Options) => model !== undefined,
} satisfies Stage;

serve(search);
await runIfMain(import.meta, stage);
