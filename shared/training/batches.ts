import type { Architecture } from '../engine/architecture.ts';
import type { PackedBatch } from '../engine/engine.ts';
import { InputError } from '../io/errors.ts';
import { sparseTargetsOfRow } from '../io/essence.ts';
import type { Row, UtteranceTable } from '../io/utterance_table.ts';
import type { WeightedTranscript } from '../math/ctc_distillation_loss.ts';
import { type Masking, maskFeatures } from '../math/masking.ts';
import { createRandom } from '../math/random.ts';
import { concatenateTargets, noTargets, type SparseTargets } from '../math/sparse_targets.ts';
import { outputFrameCount } from '../math/splice.ts';
import { type Normalisation, normalise, packBatch } from './network_input.ts';

/** Utterances with what is known of each of their frames; all tables hold the same utterances. */
export interface Source {
  features: UtteranceTable;
  /** Those of the features' that are used. */
  utterances: readonly string[];
  /** Hard labels; absent for untranscribed audio. */
  labels?: UtteranceTable;
  /** Tokens of each transcript, instead of hard labels; absent for untranscribed audio. */
  transcripts?: ReadonlyMap<string, Int32Array>;
  /** Soft targets; absent for training on hard labels alone. */
  targets?: UtteranceTable;
  /** The teachers' best transcripts, in place of soft targets. */
  hypotheses?: ReadonlyMap<string, readonly WeightedTranscript[]>;
}

/** Features of the utterances that are used, in file order. */
export async function* usedRows({
  features,
  utterances,
}: Pick<Source, 'features' | 'utterances'>): AsyncGenerator<Row> {
  const used = new Set(utterances);
  for await (const row of features.rows()) if (used.has(row.utterance)) yield row;
}

/** A place in the data: so many utterances of an epoch are done. */
export interface DataPosition {
  epoch: number;
  utterances: number;
}

/** Some utterances and their targets, frames one after another. */
export interface Batch {
  /** Where the next one begins. */
  next: DataPosition;
  input: PackedBatch;
  /** [frames], −1 where there is none. */
  hardLabels: Int32Array;
  /** [utterances] Tokens, undefined where there is no transcript. */
  transcripts: (Int32Array | undefined)[];
  /** [utterances] The teachers' transcripts, where any utterance has some. */
  hypotheses: (readonly WeightedTranscript[] | undefined)[] | undefined;
  soft: SparseTargets | undefined;
}

export interface BatchOptions {
  architecture: Architecture;
  normalisation: Normalisation;
  masking: Masking;
  /** Output frames a batch has at least, unless the epoch ends. */
  batchFrames: number;
  seed: number;
}

/** Utterances that are shuffled among each other; those of a larger corpus stay near their place in the file. */
const shuffleWindow = 4096;

/** The order of an epoch: windows of neighbours in random order, each shuffled, so that reading stays local. */
export function epochOrder(count: number, seed: number, epoch: number): Int32Array {
  const random = createRandom(seed, 'order', epoch);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  if (count <= shuffleWindow) return random.shuffle(order);
  const starts = random.shuffle(Array.from({ length: Math.ceil(count / shuffleWindow) }, (_, i) => i * shuffleWindow));
  const result = new Int32Array(count);
  let filled = 0;
  for (const start of starts) {
    const window = random.shuffle(order.slice(start, start + shuffleWindow));
    result.set(window, filled);
    filled += window.length;
  }
  return result;
}

/** Batches without end, epoch after epoch, from a place on; the same for the same seed. */
export async function* trainingBatches(
  sources: readonly Source[],
  options: BatchOptions,
  from: DataPosition = { epoch: 0, utterances: 0 },
): AsyncGenerator<Batch> {
  const { architecture, normalisation, masking, batchFrames, seed } = options;
  const utterances = sources.flatMap((source) => source.utterances.map((utterance) => ({ source, utterance })));
  for (let { epoch, utterances: done } = from; ; epoch++, done = 0) {
    let batch: UtteranceOfBatch[] = [];
    let frames = 0;
    for (const index of epochOrder(utterances.length, seed, epoch).subarray(done)) {
      const { source, utterance } = utterances[index]!;
      const part = await readUtterance(source, utterance, options);
      batch.push(part);
      done++;
      frames += part.frames;
      if (frames < batchFrames) continue;
      yield { ...compose(batch, epoch), next: { epoch, utterances: done } };
      batch = [];
      frames = 0;
    }
    if (batch.length > 0) yield { ...compose(batch, epoch), next: { epoch: epoch + 1, utterances: 0 } };
  }

  function compose(parts: UtteranceOfBatch[], epoch: number): Omit<Batch, 'next'> {
    const inputs = parts.map(({ utterance, features }) => {
      const input = normalise(features, normalisation);
      return maskFeatures(input, architecture.bins, masking, createRandom(seed, 'masks', epoch, utterance));
    });
    const input = packBatch(inputs, architecture);
    const hardLabels = new Int32Array(input.frames).fill(-1);
    parts.forEach(({ labels }, i) => {
      if (labels) hardLabels.set(labels, input.utteranceOffsets[i]!);
    });
    const anySoft = parts.some(({ soft }) => soft);
    const soft = anySoft ? concatenateTargets(parts.map(({ soft, frames }) => soft ?? noTargets(frames))) : undefined;
    const transcripts = parts.map(({ transcript }) => transcript);
    const heard = parts.map(({ hypotheses }) => hypotheses);
    return { input, hardLabels, transcripts, hypotheses: heard.some((some) => some) ? heard : undefined, soft };
  }
}

interface UtteranceOfBatch {
  utterance: string;
  frames: number;
  features: Float32Array;
  labels?: Uint16Array;
  transcript?: Int32Array;
  hypotheses?: readonly WeightedTranscript[];
  soft?: SparseTargets;
}

/** @throws {InputError} when what is known of an utterance is not of as many output frames as its features make */
export function checkFrames(
  utterance: string,
  features: UtteranceTable,
  { frames, what, of, found }: { frames: number; what: string; of: UtteranceTable; found: number },
): void {
  if (found === frames) return;
  throw new InputError(
    `Cannot use utterance "${utterance}": ${of.path} has ${what} for ${found} frames, ${features.path} gives ${frames}; make both from the same features`,
  );
}

async function readUtterance(
  source: Source,
  utterance: string,
  { architecture }: BatchOptions,
): Promise<UtteranceOfBatch> {
  const { bins, stride, tokens } = architecture;
  const features = (await source.features.read(utterance)).features as Float32Array;
  const frames = outputFrameCount(features.length / bins, stride);
  const labels = (await source.labels?.read(utterance))?.labels as Uint16Array | undefined;
  const row = await source.targets?.read(utterance);
  const soft = row && sparseTargetsOfRow(row, source.targets!.metadata);
  if (labels)
    checkFrames(utterance, source.features, { frames, what: 'labels', of: source.labels!, found: labels.length });
  if (row)
    checkFrames(utterance, source.features, { frames, what: 'soft targets', of: source.targets!, found: row.frames });
  for (const label of labels ?? []) {
    if (label >= tokens)
      throw new InputError(`Cannot train on utterance "${utterance}": label ${label} is not one of ${tokens} tokens`);
  }
  const [transcript, hypotheses] = [source.transcripts?.get(utterance), source.hypotheses?.get(utterance)];
  return { utterance, frames, features, labels, transcript, hypotheses, soft };
}
