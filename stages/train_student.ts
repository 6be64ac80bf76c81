import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, futureFrames, parameterCount } from '../shared/engine/architecture.ts';
import type { Engine, Network } from '../shared/engine/engine.ts';
import { openEngine } from '../shared/engine/open_engine.ts';
import { readDataDirectory } from '../shared/io/data_directory.ts';
import { InputError, TrainingDiverged, UsageError } from '../shared/io/errors.ts';
import { maskingOptions } from '../shared/io/masking_options.ts';
import { type Context, type OptionsOf, type OptionTable, runIfMain, type Stage } from '../shared/io/stage.ts';
import { createStopwatch, type Timing, totalTiming } from '../shared/io/stopwatch.ts';
import { type AdamState, createAdamState } from '../shared/math/adamw.ts';
import type { Tail } from '../shared/math/distillation_loss.ts';
import { openCtcLoss } from '../shared/math/kernels/fast_ctc_loss.ts';
import { openDistillationLoss } from '../shared/math/kernels/fast_distillation_loss.ts';
import { openKernels } from '../shared/math/kernels/open_kernels.ts';
import { warmUpCosine } from '../shared/math/schedule.ts';
import { batchLossOf } from '../shared/training/batch_loss.ts';
import { type DataPosition, type Source, trainingBatches } from '../shared/training/batches.ts';
import { readCheckpoint, writeCheckpoint } from '../shared/training/checkpoint.ts';
import { leaveOutFold } from '../shared/training/cross_fit.ts';
import { evaluateFrames, evaluateTranscripts, meanPosterior } from '../shared/training/evaluate.ts';
import { bestEvaluation, createFinalWeights } from '../shared/training/final_weights.ts';
import { hasDiverged } from '../shared/training/has_diverged.ts';
import { decayMask, initialWeights } from '../shared/training/initial_weights.ts';
import { type CrossFit, featureKeys, outputTiming, writeModel } from '../shared/training/model_folder.ts';
import { objectives } from '../shared/training/objective.ts';
import { closeAll, openDev, openSources } from '../shared/training/sources.ts';
import { normalisationOf } from '../shared/training/statistics_of_features.ts';

export const options = {
  features: {
    type: 'string',
    array: true,
    role: 'input',
    demandOption: true,
    describe: 'folder of extract_features: transcribed training data; or several, say at several speeds',
  },
  objective: {
    type: 'string',
    default: 'frame',
    choices: objectives,
    describe: 'what is learnt beside soft targets: the hard label of each frame, or the transcript (CTC)',
  },
  alignment: {
    type: 'string',
    array: true,
    role: 'input',
    belongsTo: { objective: ['frame'] },
    describe: 'objective frame: folder of align_labels, a hard label for each frame; one for each of --features',
  },
  targets: {
    type: 'string',
    array: true,
    role: 'input',
    describe: 'folder of filter_targets: soft targets for the same utterances; one for each of --features',
  },
  hypotheses: {
    type: 'string',
    array: true,
    role: 'input',
    belongsTo: { objective: ['ctc'] },
    describe:
      'objective ctc: folder of decode --n-best, what the teachers hear, in place of soft targets; one for each of --features',
  },
  untranscribed: {
    type: 'string',
    array: true,
    role: 'input',
    describe: 'folder of extract_features: audio without transcripts; or several',
  },
  'untranscribed-targets': {
    type: 'string',
    array: true,
    role: 'input',
    describe: 'folder of filter_targets: soft targets for it; one for each of --untranscribed',
  },
  'untranscribed-hypotheses': {
    type: 'string',
    array: true,
    role: 'input',
    belongsTo: { objective: ['ctc'] },
    describe: 'objective ctc: folder of decode --n-best: what the teachers hear in it; one for each of --untranscribed',
  },
  'dev-features': {
    type: 'string',
    role: 'input',
    demandOption: true,
    describe: 'folder of extract_features: development data, for the learning curves',
  },
  'dev-alignment': {
    type: 'string',
    role: 'input',
    belongsTo: { objective: ['frame'] },
    describe: 'objective frame: folder of align_labels for it',
  },
  'dev-data': {
    type: 'string',
    role: 'texts',
    belongsTo: { objective: ['ctc'] },
    describe: 'objective ctc: data directory of it, with text',
  },
  kind: {
    type: 'string',
    default: 'tdnn',
    choices: ['tdnn', 'lstm', 'gru', 'attention'],
    describe: 'time-delay network, long short-term memory, gated recurrent units, or self-attention',
  },
  width: { type: 'number', default: 96, integer: true, min: 1, max: 8192, describe: 'units a layer' },
  dilations: {
    type: 'numbers',
    default: [1, 2, 3],
    integer: true,
    min: 0,
    max: 1000,
    belongsTo: { kind: ['tdnn'] },
    describe: 'tdnn: output frames between the three taps of each residual layer; 0: a single tap, no neighbours',
  },
  layers: {
    type: 'number',
    default: 2,
    integer: true,
    min: 1,
    max: 100,
    belongsTo: { kind: ['lstm', 'gru', 'attention'] },
    describe: 'lstm, gru, attention: layers',
  },
  bidirectional: {
    type: 'boolean',
    default: true,
    belongsTo: { kind: ['lstm', 'gru'] },
    describe: 'lstm, gru: in both directions, --width units in each',
  },
  heads: {
    type: 'number',
    default: 4,
    integer: true,
    min: 1,
    max: 256,
    belongsTo: { kind: ['attention'] },
    describe: 'attention: parts of the units that attend on their own',
  },
  reach: {
    type: 'number',
    default: 16,
    integer: true,
    min: 0,
    max: 1000,
    belongsTo: { kind: ['attention'] },
    describe: 'attention: output frames on either side whose distances it tells apart',
  },
  splice: {
    type: 'number',
    default: 4,
    integer: true,
    min: 0,
    max: 100,
    describe: 'input frames on either side of the centre that the first layer sees',
  },
  streaming: {
    type: 'boolean',
    default: false,
    describe: 'no layer looks ahead: the window of --splice ends at its centre, taps look back, --no-bidirectional',
  },
  'target-delay-frames': {
    type: 'number',
    default: 0,
    integer: true,
    min: 0,
    max: 1000,
    belongsTo: { streaming: 'on' },
    describe: 'streaming: input frames that it hears beyond the one it speaks of',
  },
  stride: {
    type: 'number',
    default: 3,
    integer: true,
    min: 1,
    max: 100,
    describe: 'input frames from one output frame to the next',
  },
  dropout: {
    type: 'number',
    default: 0,
    min: 0,
    max: 0.99,
    describe: 'probability that a unit is dropped in training, to the nearest 1/256',
  },
  ...maskingOptions,
  'soft-weight': {
    type: 'number',
    default: 0.9,
    min: 0,
    max: 1,
    belongsTo: [{ targets: 'given' }, { hypotheses: 'given' }],
    describe: 'w, weight of soft targets, or of hypotheses; hard labels or transcripts have 1 − w',
  },
  gated: {
    type: 'string',
    default: 'to-hard',
    choices: ['to-hard', 'drop'],
    belongsTo: { objective: ['frame'], targets: 'given' },
    describe: 'objective frame: where the weight of a gated frame of --targets goes; with ctc it is dropped',
  },
  'label-smoothing': {
    type: 'number',
    default: 0,
    min: 0,
    below: 1,
    belongsTo: { objective: ['frame'] },
    describe: 'objective frame: mass of the hard label that is spread over all tokens',
  },
  updates: { type: 'number', default: 800, integer: true, min: 1, describe: 'optimiser steps' },
  'batch-frames': { type: 'number', default: 600, integer: true, min: 1, describe: 'output frames an update' },
  'learning-rate': { type: 'number', default: 0.002, above: 0, describe: 'peak of the schedule' },
  'warm-up': {
    type: 'number',
    default: 0.1,
    min: 0,
    below: 1,
    describe: 'share of the updates in which the rate rises',
  },
  'weight-decay': { type: 'number', default: 0.01, min: 0, describe: 'decoupled, on matrices' },
  clip: { type: 'number', default: 5, above: 0, describe: 'largest norm of the gradient' },
  'checkpoint-seconds': {
    type: 'number',
    default: 60,
    above: 0,
    describe: 'from one checkpoint to the next: a killed run goes on from the last one, to the same result',
    role: 'execution',
  },
  evaluations: { type: 'number', default: 6, integer: true, min: 1, describe: 'points of the learning curve' },
  seed: { type: 'number', default: 0, integer: true, min: 0, describe: 'of initial weights, order, masks and dropout' },
  'average-last': {
    type: 'number',
    default: 0,
    min: 0,
    max: 1,
    describe: 'share of the updates, the last ones, the mean of whose weights is the model; 0: the last weights are',
  },
  'early-stopping': {
    type: 'boolean',
    default: false,
    describe: 'of the weights evaluated, those of the lowest dev loss (cross-entropy, or CTC) are the model',
  },
  patience: {
    type: 'number',
    integer: true,
    min: 1,
    belongsTo: { 'early-stopping': 'on' },
    describe: 'early stopping: evaluations without a better one after which training ends; without it, never early',
  },
  folds: {
    type: 'number',
    integer: true,
    min: 2,
    describe: 'parts that the utterances are dealt into, one of which is left out; with cache_logits --cross-fit',
  },
  fold: { type: 'number', integer: true, min: 0, describe: 'the part left out, from 0' },
  'fold-by': {
    type: 'string',
    default: 'utterance',
    choices: ['utterance', 'speaker'],
    belongsTo: { folds: 'given' },
    describe: 'what is dealt: utterances, or speakers with all of theirs',
  },
  data: {
    type: 'string',
    role: 'texts',
    describe: 'data directory of --features: transcripts of objective ctc, speakers of --fold-by',
  },
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options>;

/** What is said of a place on the learning curve, by name; all that begins with "dev" is of the dev data. */
type CurvePoint = { update: number; trainLoss: number } & Record<string, number>;

/** Where a training stands, besides its arrays. */
interface Standing {
  update: number;
  frames: number;
  /** Where the next batch begins. */
  position: DataPosition;
  curves: CurvePoint[];
  evaluatedAt: number;
  lossSinceEvaluation: number;
  /** By processes that did not get to the end. */
  spent: Timing;
  /** Adam's. */
  powers: AdamState['powers'];
}

export async function run(settings: Options, { id, inputs, out, engine, progress, skip, breathe }: Context<Engine>) {
  checkSettings(settings);
  const { updates, seed, objective } = settings;
  const { sources, crossFit } = withoutFold(await openSources(settings, skip), settings);
  const dev = await openDev(settings, sources[0]!, skip);
  const tokensText = readFileSync(join((settings.alignment?.[0] ?? settings.data)!, 'tokens.txt'), 'utf8');
  const architecture = architectureOf(settings, sources[0]!, tokensText);
  const normalisation = await normalisationOf(sources[0]!, architecture.bins);
  const { tail, temperature } = softTargetsKind(sources);

  const kernels = openKernels();
  const count = parameterCount(architecture);
  kernels.clear(5 * count);
  const weights = kernels.floats(count);
  weights.set(initialWeights(architecture, seed));
  const gradients = kernels.floats(count);
  const decay = kernels.bytes(count);
  decay.set(decayMask(architecture));
  const adam = createAdamState(kernels.floats(count), kernels.floats(count));
  const network: Network = engine.createNetwork(architecture, weights);
  const masking = {
    frequencyMasks: settings.frequencyMasks,
    frequencyMaskBins: settings.frequencyMaskBins,
    timeMasks: settings.timeMasks,
    timeMaskFrames: settings.timeMaskFrames,
  };
  const { batchFrames, softWeight, labelSmoothing, gated } = settings;
  const batchLoss = batchLossOf(
    { objective, vocabularySize: architecture.tokens, tail, temperature, softWeight, labelSmoothing, gated },
    { ctcLoss: openCtcLoss(), distillationLoss: openDistillationLoss() },
  );
  const final = createFinalWeights({ count, ...settings });
  const standing: Standing = {
    ...{ update: 0, frames: 0, position: { epoch: 0, utterances: 0 } },
    ...{ curves: [], evaluatedAt: 0, lossSinceEvaluation: 0, powers: adam.powers },
    spent: totalTiming([]),
  };
  const training = { id, standing, arrays: [weights, adam.mean, adam.square, ...final.arrays] };
  if (readCheckpoint(out, training)) {
    adam.powers = standing.powers;
    network.setWeights(weights);
    progress.note(`goes on after update ${standing.update} of a run that did not get to its end`);
  }
  const earlier = standing.spent;
  const lap = createStopwatch();
  let keptAt = Date.now();
  progress.start('training', updates);
  progress.advance(standing.update);
  const reading = { architecture, normalisation, masking, batchFrames, seed };
  for await (const batch of trainingBatches(sources, reading, standing.position)) {
    const { update } = standing;
    if (update === updates || isPatienceOut(standing, settings)) break;
    const logits = network.forward(batch.input, { dropoutSeed: [seed, 'dropout', update] });
    const { lossNats, gradient } = batchLoss(logits, batch);
    if (!Number.isFinite(lossNats)) throw diverged(`the loss is ${lossNats} at update ${update}`, settings);
    gradients.set(network.backward(gradient));
    kernels.clipByGlobalNormInto(gradients, settings.clip);
    const learningRate = settings.learningRate * warmUpCosine(update, { updates, warmUp: settings.warmUp });
    kernels.adamWInto(weights, gradients, adam, { learningRate, weightDecay: settings.weightDecay, decay });
    network.setWeights(weights);
    standing.update++;
    final.follow(standing.update, weights);
    standing.position = batch.next;
    standing.frames += batch.input.frames;
    standing.lossSinceEvaluation += lossNats;
    progress.advance();
    await breathe();
    if (isTimeToEvaluate(standing, settings)) {
      const candidate = final.candidate(standing.update, weights);
      network.setWeights(candidate);
      const devFigures = await evaluate(network, dev, { architecture, normalisation });
      standing.curves.push({
        update: standing.update,
        trainLoss: standing.lossSinceEvaluation / (standing.update - standing.evaluatedAt),
        ...devFigures,
      });
      if (bestOf(standing) === standing.curves.length - 1) final.keep(candidate);
      network.setWeights(weights);
      standing.lossSinceEvaluation = 0;
      standing.evaluatedAt = standing.update;
    }
    if (Date.now() - keptAt > 1000 * settings.checkpointSeconds) {
      standing.spent = totalTiming([standing.spent, lap()]);
      writeCheckpoint(out, training);
      keptAt = Date.now();
    }
  }
  const chosen = settings.earlyStopping ? bestOf(standing) : standing.curves.length - 1;
  const evaluated = standing.curves[chosen]!;
  checkConverged(evaluated, architecture, settings);
  const finalWeights = final.chosen(standing.update, weights);
  network.setWeights(finalWeights);
  const prior = await meanPosterior(network, sources[0]!, { architecture, normalisation });
  writeModel(out, {
    architecture,
    objective,
    features: featuresKind(sources[0]!),
    normalisation,
    ...(objective === 'frame' && { selfLoop: inputs.alignment![0]!.report.selfLoop as number[] }),
    ...outputTiming(sources[0]!.features.metadata, architecture.stride),
    weights: finalWeights,
    tokensText,
    prior,
    crossFit,
  });
  network.dispose();
  await closeAll([...sources, dev]);
  return {
    utterances: sources.reduce((sum, { utterances }) => sum + utterances.length, 0),
    updates: standing.update,
    framesTrained: standing.frames,
    parameters: parameterCount(architecture),
    modelBytes: 4 * parameterCount(architecture),
    lookAheadMs: lookAheadMs(architecture, sources[0]!),
    tail,
    temperature,
    curves: standing.curves,
    ...(crossFit && { crossFit: { ...crossFit, leftOut: crossFit.leftOut.length } }),
    modelUpdate: evaluated.update,
    averagedUpdates: final.averaged(evaluated.update),
    earlier,
    ...finalFigures(evaluated),
  };
}

/** How good a network is on the dev data, by names that say which objective's figures they are. */
async function evaluate(
  network: Network,
  dev: Source,
  reading: Parameters<typeof evaluateFrames>[2],
): Promise<Record<string, number>> {
  if (dev.labels) {
    const { crossEntropyNats, frameAccuracy } = await evaluateFrames(network, dev, reading);
    return { devCrossEntropy: crossEntropyNats, devFrameAccuracy: frameAccuracy };
  }
  const { ctcNatsPerFrame, tokenErrorRate } = await evaluateTranscripts(network, dev, reading);
  return { devCtcNatsPerFrame: ctcNatsPerFrame, devGreedyTokenErrorRate: tokenErrorRate };
}

/** What a model is judged by: cross-entropy, or CTC, nats a frame. */
const devLossOf = ({ devCrossEntropy, devCtcNatsPerFrame }: CurvePoint): number =>
  (devCrossEntropy ?? devCtcNatsPerFrame)!;

/** Place of the evaluation of the lowest dev loss. */
const bestOf = ({ curves }: Pick<Standing, 'curves'>): number => bestEvaluation(curves.map(devLossOf));

const diverged = (found: string, { learningRate }: Options): TrainingDiverged =>
  new TrainingDiverged(`Cannot go on training: ${found}; lower --learning-rate (${learningRate})`);

/** @throws {TrainingDiverged} for a model that knows less than none would */
function checkConverged(evaluated: CurvePoint, { tokens }: Architecture, settings: Options): void {
  const devLoss = devLossOf(evaluated);
  if (!hasDiverged({ trainLoss: evaluated.trainLoss, devLoss, tokens })) return;
  const even = Math.log(tokens).toFixed(1);
  throw diverged(
    `the loss on dev data is ${devLoss.toFixed(1)} nats a frame at update ${evaluated.update}, where knowing nothing makes ${even}`,
    settings,
  );
}

/** Dev figures of the model that is written: `finalDevCrossEntropy` and so on. */
const finalFigures = (evaluated: CurvePoint): Record<string, number> =>
  Object.fromEntries(
    Object.entries(evaluated).flatMap(([name, value]) =>
      name.startsWith('dev') ? [[`finalD${name.slice(1)}`, value]] : [],
    ),
  );

const isTimeToEvaluate = ({ update, curves }: Standing, { updates, evaluations }: Options): boolean =>
  update >= Math.round(((curves.length + 1) * updates) / evaluations) || update === updates;

const isPatienceOut = ({ curves }: Standing, { patience = Infinity }: Options): boolean =>
  curves.length > 0 && curves.length - 1 - bestOf({ curves }) >= patience;

function checkSettings(given: Options): void {
  if (given.targets && given.hypotheses) {
    throw new UsageError('--targets and --hypotheses are two ways to learn from teachers: give one of them');
  }
  for (const [flag, transcribed, untranscribed] of [
    ['targets', given.targets, given.untranscribedTargets],
    ['hypotheses', given.hypotheses, given.untranscribedHypotheses],
  ] as const) {
    if (untranscribed && !transcribed) {
      throw new UsageError(
        `--untranscribed-${flag} needs --${flag}: transcribed audio is learnt from the same teachers`,
      );
    }
  }
  if (!given.untranscribed !== !(given.untranscribedTargets ?? given.untranscribedHypotheses)) {
    throw new UsageError(
      '--untranscribed goes with --untranscribed-targets or --untranscribed-hypotheses: audio without transcripts teaches nothing without teachers',
    );
  }
  checkObjectiveOptions(given);
  checkCounts(given);
  checkFolds(given);
  if (given.streaming && given.kind === 'attention') {
    throw new UsageError('--streaming does not go with --kind attention: it hears the whole utterance');
  }
  if (given.streaming && given.kind !== 'tdnn' && given.bidirectional) {
    throw new UsageError(
      `--streaming with --kind ${given.kind} needs --no-bidirectional: a backward pass begins at the end`,
    );
  }
}

/** Options that an objective needs. */
const neededBy = {
  frame: { alignment: 'alignment', devAlignment: 'dev-alignment' },
  ctc: { data: 'data', devData: 'dev-data' },
} as const;

function checkObjectiveOptions(given: Options): void {
  const { objective } = given;
  for (const [name, flag] of Object.entries(neededBy[objective]) as [keyof Options, string][]) {
    if (given[name] !== undefined) continue;
    const what = objective === 'ctc' ? 'transcripts' : 'hard labels';
    throw new UsageError(`--objective ${objective} needs --${flag}: ${what} come from it`);
  }
}

/** Folders that belong to each other by their order. */
function checkCounts(given: Options): void {
  const { features, untranscribed } = given;
  for (const [flag, own, of, those] of [
    ['alignment', given.alignment, 'features', features],
    ['targets', given.targets, 'features', features],
    ['hypotheses', given.hypotheses, 'features', features],
    ['untranscribed-targets', given.untranscribedTargets, 'untranscribed', untranscribed],
    ['untranscribed-hypotheses', given.untranscribedHypotheses, 'untranscribed', untranscribed],
  ] as const) {
    if (own && those && own.length !== those.length) {
      throw new UsageError(
        `--${flag} names ${own.length} folders, --${of} ${those.length}: give one for each, in the same order`,
      );
    }
  }
}

function checkFolds({ objective, features, folds, fold, foldBy, data, untranscribed }: Options): void {
  if ((folds === undefined) !== (fold === undefined)) {
    throw new UsageError('--folds and --fold go together: how many parts there are, and which one is left out');
  }
  if (folds !== undefined && fold! >= folds) {
    throw new UsageError(`--fold ${fold} is not one of --folds ${folds}: they are counted from 0`);
  }
  if (folds !== undefined && features.length > 1) {
    throw new UsageError('--folds goes with one folder of --features: another has the utterances that are left out');
  }
  if (folds !== undefined && untranscribed) {
    throw new UsageError('--untranscribed does not go with --folds: folds leave out transcribed utterances alone');
  }
  if (objective === 'frame' && (foldBy === 'speaker') !== (data !== undefined)) {
    throw new UsageError(
      '--fold-by speaker and --data go together: features do not say who speaks (and transcripts are for --objective ctc)',
    );
  }
}

/** The transcribed utterances without those of a fold, where one is to be left out. */
function withoutFold(
  sources: Source[],
  { folds, fold, foldBy: by, data }: Options,
): { sources: Source[]; crossFit?: CrossFit } {
  if (folds === undefined || fold === undefined) return { sources };
  const speakerOf = data ? new Map(readDataDirectory(data).utterances.map((u) => [u.id, u.speaker])) : undefined;
  const { source, crossFit } = leaveOutFold(sources[0]!, { folds, fold, by, speakerOf });
  return { sources: [source, ...sources.slice(1)], crossFit };
}

function architectureOf(options: Options, { features }: Source, tokensText: string): Architecture {
  const { kind, width, dropout, splice, stride, streaming, targetDelayFrames } = options;
  const { dilations, layers, bidirectional, heads, reach } = options;
  const tokens = tokensText.trimEnd().split('\n').length;
  const bins = Number(features.metadata['kd.bins']);
  if (!(bins > 0))
    throw new InputError(`Cannot train on ${features.path}: it does not say how many bins a frame has (kd.bins)`);
  // speaking later is hearing earlier: a delayed window moves ahead, as long as it was
  const spliceRight = streaming ? targetDelayFrames : splice;
  const common = { bins, spliceLeft: 2 * splice - spliceRight, spliceRight, stride, width, tokens, dropout };
  if (kind === 'tdnn') return { kind, ...common, dilations, ...(streaming && { causal: true }) };
  if (kind === 'attention') {
    if (width % (4 * heads) === 0) return { kind, ...common, layers, heads, reach };
    throw new UsageError(
      `--width ${width} of --kind attention is no multiple of 4 · --heads ${heads}; take one that is`,
    );
  }
  if (width % 4 !== 0) throw new UsageError(`--width ${width} of --kind ${kind} is no multiple of 4; take one that is`);
  return { kind, ...common, layers, bidirectional };
}

/** How much later than its centre an output frame can be computed; null where that takes the whole utterance. */
function lookAheadMs(architecture: Architecture, { features }: Source): number | null {
  const frames = futureFrames(architecture);
  return Number.isFinite(frames) ? frames * Number(features.metadata['kd.frameShiftMs']) : null;
}

/** What decides which features the model can be used on, as far as they say it. */
function featuresKind({ features: { metadata } }: Source): Record<string, string> {
  return Object.fromEntries(featureKeys.flatMap((key) => (metadata[key] === undefined ? [] : [[key, metadata[key]]])));
}

function softTargetsKind(sources: Source[]): { tail: Tail; temperature: number } {
  const metadata = sources[0]!.targets?.metadata;
  return {
    tail: (metadata?.['kd.tail'] ?? 'renormalise') as Tail,
    temperature: Number(metadata?.['kd.temperature'] ?? 1),
  };
}

export const stage = {
  name: 'train_student',
  version: 1,
  summary:
    'features + hard labels or transcripts (+ soft targets) → acoustic model; a teacher is a student without soft targets',
  examples: [
    '$0 --features exp/features/train --alignment exp/align/train --dev-features exp/features/dev --dev-alignment exp/align/dev --out exp/model/hard',
    '$0 … --targets exp/essence/train --soft-weight 0.9 --out exp/model/essence',
    '$0 --objective ctc --features exp/features/train --data exp/data/train --dev-features exp/features/dev --dev-data exp/data/dev --out exp/model/ctc',
  ],
  options,
  run,
  engine: openEngine,
  skips: true,
} satisfies Stage;

await runIfMain(import.meta, stage);
