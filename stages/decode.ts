import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Decoding, languageModelDigest, readDecoding } from '../shared/decoding/decoding_folder.ts';
import { createHypothesisFiles } from '../shared/decoding/hypothesis_files.ts';
import { createSearcher, type SearchSetup, searchSetup } from '../shared/decoding/search_setup.ts';
import { tuneWeights, tuningAxes, wordErrors } from '../shared/decoding/tune_weights.ts';
import type { Engine } from '../shared/engine/engine.ts';
import { openEngine } from '../shared/engine/open_engine.ts';
import { type DataDirectory, readDataDirectory } from '../shared/io/data_directory.ts';
import { InputError, UsageError } from '../shared/io/errors.ts';
import { withSums } from '../shared/io/parts.ts';
import { shareOf, textName, whole } from '../shared/io/shard.ts';
import { type Context, type OptionsOf, type OptionTable, runIfMain, type Stage } from '../shared/io/stage.ts';
import { openUtterances, type Row, sharedUtterances, type UtteranceTable } from '../shared/io/utterance_table.ts';
import { mapInOrder, openWorkers, serve, type Work, type Workers } from '../shared/io/workers.ts';
import { bestToken } from '../shared/math/gate.ts';
import { type SearchWeights, searchUtterance } from '../shared/math/word_search.ts';
import type { Hypothesis } from '../shared/text/hypothesis.ts';
import {
  checkTokens,
  openEssencePosteriors,
  openModelPosteriors,
  type PosteriorSource,
} from '../shared/training/posterior_source.ts';

/**
 * Find the words: a Viterbi search over a loop of the lexicon's words or, with a model of --objective ctc, a prefix beam
 * search; its weights are tuned on one set and taken over on another.
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
    describe: 'ARPA file of n-grams of any order, .gz or not; without it any word may follow any other',
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
  'language-model-scales': {
    type: 'numbers',
    min: 0,
    describe: 'tried by --tune, with --language-model; 1 unless given; objective ctc: 0.25,0.5,1',
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
      'objective ctc: token sequences followed at once, 8 unless given; 1: the best token of each frame, no insertion penalty',
  },
  'beam-nats': {
    type: 'number',
    above: 0,
    describe: 'objective frame: paths so far behind the best are given up; without it none is, and the search is exact',
  },
  vocabulary: {
    type: 'string',
    default: 'lexicon',
    choices: ['lexicon', 'open'],
    describe:
      'words of lexicon.txt; or, objective ctc, any that tokens make: "▁…" begins one, "▁", "|" or "<space>" is between',
  },
  'n-best': {
    type: 'number',
    integer: true,
    min: 1,
    describe:
      'as many word sequences of each utterance as well, in n_best.txt and hypotheses.jsonl, with scores in nats',
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
    checkGrids(options, source);
    const found = takenOver(source, options, context);
    const beams = { beam: options.beam ?? found?.beam, beamNats: options.beamNats ?? found?.beamNats };
    const setup = setupOf(data, source, { ...options, ...beams });
    searchers = openWorkers(search, { setup, count: options.jobs, program });
    const tuned = found ? undefined : await tune(searchers, { data, source, options, context });
    const decoding = weightsOf(found ?? tuned!.decoding);
    const tally = await decodeAll(searchers, decoding, { source, labels, nBest: options.nBest, context });
    context.out.writeJson('decoding.json', {
      ...decoding,
      ...{ ...beams, combinedAs: source.combinedAs, ...languageModelDigest(options.languageModel) },
      ...(tuned ? { points: tuned.points } : {}),
    });
    if (options.vocabulary === 'lexicon') {
      context.out.writeText('lexicon.txt', readFileSync(join(data.path, 'lexicon.txt'), 'utf8'));
    }
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

interface PosteriorRow {
  utterance: string;
  logPosteriors: Float32Array;
}
interface Search {
  rows: PosteriorRow[];
  weights: SearchWeights;
  nBest?: number;
}
/** What each row says, best first; nothing where every path is ruled out. */
type Found = Hypothesis[][];
type Searchers = Workers<Search, Found>;

const program = fileURLToPath(import.meta.url);
const search: Work<SearchSetup, Search, Found> = {
  name: 'search',
  prepare(setup) {
    const { search, logPrior, spell } = createSearcher(setup);
    return async ({ rows, weights, nBest }) =>
      rows.map(({ logPosteriors }) => searchUtterance(search, { logPosteriors, logPrior }, weights, nBest).map(spell));
  },
};

function setupOf(data: DataDirectory, source: PosteriorSource, options: Options): SearchSetup {
  const { tokens, lexicon, path: language } = data;
  return searchSetup({ source, tokens, language, ...(options.vocabulary === 'lexicon' && { lexicon }) }, options);
}

/** @throws {InputError} where a row has no path */
function bestOf({ rows }: Search, found: Found, { path }: PosteriorSource): Hypothesis[] {
  return found.map(([best], i) => {
    if (best) return best;
    throw new InputError(
      `Cannot decode ${rows[i]!.utterance}: ${path} rules out every word and silence; tune with --prior-scales 0`,
    );
  });
}

/** Utterances that a search takes at once. */
const rowsAtOnce = 32;

interface Decoded {
  source: PosteriorSource;
  labels: UtteranceTable | undefined;
  nBest: number | undefined;
  context: Context<Engine>;
}

/** Writes what is found; counts frames, words and, given labels, the frames whose best token is their label. */
async function decodeAll(searchers: Searchers, weights: SearchWeights, { source, labels, nBest, context }: Decoded) {
  const files = createHypothesisFiles({ timing: source, nBest }, (name) =>
    context.out.createFile(textName(name, context.shard)),
  );
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
    bestOf(task, found, source).forEach(({ words, score }, i) => {
      files.append(task.rows[i]!.utterance, found[i]!);
      tally.words += words.length;
      tally.score += score;
      context.progress.advance();
    });
    await context.breathe();
  }
  files.close();
  return tally;
}

const gridsOf = ({ acousticScales, priorScales, languageModelScales, insertionPenalties }: Options) => ({
  ...{ acousticScales, priorScales, languageModelScales, insertionPenalties },
});

function checkOptions(options: Options): void {
  const { model, features, posteriors, tune, decoding, languageModel, languageModelScales } = options;
  if ((model === undefined) === (posteriors === undefined)) throw new UsageError('Give either --model or --posteriors');
  if ((model === undefined) !== (features === undefined)) throw new UsageError('Give --model and --features together');
  if (tune === (decoding !== undefined)) throw new UsageError('Give either --tune or --decoding');
  if (languageModelScales && languageModel === undefined)
    throw new UsageError('--language-model-scales weigh a --language-model: give both, or neither');
  for (const [name, values] of Object.entries(gridsOf(options))) {
    if (!values) continue;
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (!tune) throw new UsageError(`--${flag} is tried by --tune, and --decoding says what was found: leave it out`);
    if (values.some((value, i) => i > 0 && !(value > values[i - 1]!))) {
      throw new UsageError(`--${flag} ${values.join(',')} is not ascending`);
    }
  }
}

function checkGrids({ beam, acousticScales, insertionPenalties }: Options, { objective }: PosteriorSource): void {
  if (objective === 'ctc' && acousticScales) {
    throw new UsageError('--acoustic-scales has nothing to weigh against in a CTC search: leave it out');
  }
  if (objective === 'ctc' && beam === 1 && insertionPenalties) {
    throw new UsageError('--beam 1 takes the best token of each frame, at no price: leave out --insertion-penalties');
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
  const { objective } = source;
  const isGreedy = objective === 'ctc' && options.beam === 1;
  const hasLanguageModel = options.languageModel !== undefined;
  const { weights, atEdge, ...tuned } = await tuneWeights({
    axes: tuningAxes({ objective, isGreedy, hasLanguageModel, given: gridsOf(options) }),
    words,
    async errorsWith(weights) {
      context.progress.advance();
      await context.breathe();
      const errors = parts.map(async (rows) => {
        const task = { rows, weights };
        const found = bestOf(task, await searchers.run(task), source);
        return found.reduce((sum, { words }, i) => sum + wordErrors(references.get(rows[i]!.utterance)!, words), 0);
      });
      return (await Promise.all(errors)).reduce((sum, some) => sum + some, 0);
    },
  });
  const { extended, warning } = tuned.summary;
  if (extended.length > 0) context.progress.note(`the grid was extended: ${extended.join(', ')}`);
  if (warning) context.progress.note(`warning: ${warning}`);
  return { decoding: { ...weights, atEdge }, ...tuned };
}

/** Reference words of each utterance. */
function wordsSaid({ path, utterances, wordsOf, lexicon }: DataDirectory): Map<string, string[]> {
  return new Map(
    utterances.map(({ id }) => {
      const words = wordsOf(id);
      if (!words) throw new InputError(`Cannot tune on ${id}: ${join(path, 'text')} has no words for it; add them`);
      return [id, Array.from(words, (word) => lexicon.words[word]!)];
    }),
  );
}

/** What decode --tune found, if that is asked for, with the same model or ensemble and language model. */
function takenOver(
  { path, combinedAs }: PosteriorSource,
  { languageModel }: Options,
  { inputs }: Context<Engine>,
): Decoding | undefined {
  const [folder] = inputs.decoding ?? [];
  return folder && readDecoding(folder, { decoded: { path, id: combinedAs ?? inputs.model![0]!.id }, languageModel });
}

const weightsOf = ({ acousticScale, priorScale, languageModelScale, insertionPenalty, atEdge }: Decoding) => ({
  ...{ acousticScale, priorScale, languageModelScale, insertionPenalty, atEdge },
});

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

/** What the report of the model says about its size. */
function sizeOf({ model }: Options, { inputs }: Context<Engine>) {
  if (!model) return {};
  const { parameters, modelBytes } = inputs.model![0]!.report;
  return { parameters, modelBytes };
}

export const stage = {
  name: 'decode',
  version: 2,
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
