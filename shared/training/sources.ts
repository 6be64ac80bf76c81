import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DataDirectory, readDataDirectory } from '../io/data_directory.ts';
import { tokensDigest } from '../io/digest.ts';
import { InputError } from '../io/errors.ts';
import type { Skip } from '../io/stage.ts';
import { checkMetadataEqual, openUtterances, sharedUtterances, type UtteranceTable } from '../io/utterance_table.ts';
import type { Source } from './batches.ts';
import { featureKeys } from './model_folder.ts';
import { checkObjective, type ObjectiveName } from './objective.ts';
import { checkTokens } from './posterior_source.ts';
import { withHypotheses, withTranscripts } from './transcripts.ts';

interface SourceFolders {
  features: string;
  labels?: string;
  targets?: string;
}

async function openSource(
  { features, labels, targets }: SourceFolders,
  { objective, skip }: { objective: ObjectiveName; skip: Skip },
): Promise<Source> {
  const table = await openUtterances(features, { format: 'features' });
  const source: Source = { features: table, utterances: table.utterances };
  const keep = (other: UtteranceTable, what: string): void => {
    source.utterances = sharedUtterances({ path: table.path, utterances: source.utterances }, other, what, skip);
  };
  if (labels) {
    source.labels = await openUtterances(labels, { format: 'alignment' });
    keep(source.labels, 'hard labels');
  }
  if (targets) {
    source.targets = await openUtterances(targets, { format: 'essence' });
    checkObjective(source.targets, objective);
    keep(source.targets, 'soft targets');
    if (source.labels) checkMetadataEqual(source.targets, source.labels, ['kd.tokens']);
  }
  return source;
}

/** What training data come from; lists belong together by their order. */
export interface TrainingFolders {
  objective: ObjectiveName;
  features: readonly string[];
  /** Objective frame. */
  alignment?: readonly string[];
  targets?: readonly string[];
  /** Objective ctc: what teachers hear, in folders of decode --n-best. */
  hypotheses?: readonly string[];
  /** Objective ctc: the data directory of the transcripts. */
  data?: string;
  untranscribed?: readonly string[];
  untranscribedTargets?: readonly string[];
  untranscribedHypotheses?: readonly string[];
  stride: number;
}

/**
 * The training data: transcribed sources in the order of their features, then untranscribed ones.
 *
 * @throws {InputError} when tables do not belong together
 */
export async function openSources(folders: TrainingFolders, skip: Skip): Promise<Source[]> {
  const { objective, alignment, data: dataFolder, stride, targets, hypotheses } = folders;
  const { untranscribed = [], untranscribedTargets, untranscribedHypotheses } = folders;
  const data = objective === 'ctc' ? readDataDirectory(dataFolder!) : undefined;
  const heardBy = async (source: Source, folder: string | undefined): Promise<Source> =>
    folder === undefined ? source : withHypotheses(source, { folder, data: data!, stride, skip });
  const sources: Source[] = [];
  for (const [i, features] of folders.features.entries()) {
    const given = { features, labels: alignment?.[i], targets: targets?.[i] };
    const source = await openSource(given, { objective, skip });
    const spoken = data ? await openTranscripts(source, data, { stride, skip }) : source;
    sources.push(await heardBy(spoken, hypotheses?.[i]));
  }
  for (const [i, features] of untranscribed.entries()) {
    const source = await openSource({ features, targets: untranscribedTargets?.[i] }, { objective, skip });
    sources.push(await heardBy(source, untranscribedHypotheses?.[i]));
  }
  const [first, ...others] = sources as [Source, ...Source[]];
  sources.forEach(checkNotEmpty);
  for (const other of others) {
    checkAlike(other, first);
    if (other.targets) checkMetadataEqual(other.targets, first.targets!, ['kd.tokens', 'kd.tail', 'kd.temperature']);
  }
  return sources;
}

/** @throws {InputError} when features are of another kind, or labels of other tokens */
function checkAlike(other: Source, first: Source): void {
  checkMetadataEqual(other.features, first.features, featureKeys);
  if (other.labels) checkMetadataEqual(other.labels, first.labels!, ['kd.tokens']);
}

function checkNotEmpty({ features, utterances }: Source): void {
  if (utterances.length > 0) return;
  throw new InputError(`Cannot use ${features.path}: no utterance of it is left; give data that belong together`);
}

/** @throws {InputError} when soft targets are of other tokens, and as `withTranscripts` */
async function openTranscripts(source: Source, data: DataDirectory, given: { stride: number; skip: Skip }) {
  if (source.targets) {
    const { path, metadata } = source.targets;
    checkTokens({ path, tokensDigest: metadata['kd.tokens'] ?? 'absent' }, data.path);
  }
  return withTranscripts(source, data, given);
}

/** Where the learning curves come from. */
export interface DevFolders extends Pick<TrainingFolders, 'objective' | 'data' | 'stride'> {
  devFeatures: string;
  /** Objective frame. */
  devAlignment?: string;
  /** Objective ctc. */
  devData?: string;
}

/**
 * @param training what the model learns from
 * @throws {InputError} when development data are of another kind, have other tokens, or do not belong together
 */
export async function openDev(
  { objective, devFeatures, devAlignment, data, devData, stride }: DevFolders,
  training: Source,
  skip: Skip,
): Promise<Source> {
  const source = await openSource({ features: devFeatures, labels: devAlignment }, { objective, skip });
  checkAlike(source, training);
  checkNotEmpty(source);
  if (devAlignment) return source;
  const [digest, devDigest] = [data!, devData!].map((path) =>
    tokensDigest(readFileSync(join(path, 'tokens.txt'), 'utf8')),
  );
  if (digest !== devDigest) {
    throw new InputError(
      `Cannot evaluate on ${devData} what learns from ${data}: their tokens.txt differ (${devDigest} and ${digest}); prepare both alike`,
    );
  }
  const spoken = await withTranscripts(source, readDataDirectory(devData!), { stride, skip });
  checkNotEmpty(spoken);
  return spoken;
}

export const closeAll = (sources: Source[]): Promise<unknown> =>
  Promise.all(
    sources.flatMap(({ features, labels, targets }) => [features, labels, targets].map((table) => table?.close())),
  );
