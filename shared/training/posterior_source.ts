import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { keyOf, tokensDigest } from '../io/digest.ts';
import { InputError } from '../io/errors.ts';
import { denseLogPosteriorsOfRow } from '../io/essence.ts';
import type { InputFolder } from '../io/report_file.ts';
import type { Shard } from '../io/shard.ts';
import { openUtterances } from '../io/utterance_table.ts';
import { openAcousticModel } from './acoustic_model.ts';
import { checkFeatures, readModel } from './model_folder.ts';
import { type ObjectiveName, objectiveOf } from './objective.ts';

/** Log-posteriors of utterances, with what an aligner or decoder needs beside them. */
export interface PosteriorSource {
  /** For messages. */
  path: string;
  tokensDigest: string;
  /** Of posteriors without a model: the same for those of the same teachers, combined alike. */
  combinedAs?: string;
  objective: ObjectiveName;
  /** Mean posterior of each token. */
  prior: readonly number[];
  /** Self-loop probability of each token; of frames. */
  selfLoop?: readonly number[];
  outputFrameShiftMs: number;
  firstFrameCentreMs: number;
  utterances: readonly string[];
  /** In file order, all or those of a part; log-posteriors [output frames × tokens], nats. */
  rows(shard?: Shard): AsyncGenerator<{ utterance: string; logPosteriors: Float32Array }>;
  close(): Promise<void>;
}

/**
 * A model run on features.
 *
 * @throws {InputError} when the features are not of the kind the model was trained on
 */
export async function openModelPosteriors(
  engine: Engine,
  { model: path, features }: { model: string; features: string },
): Promise<PosteriorSource> {
  const model = readModel(path);
  const table = await openUtterances(features, { format: 'features' });
  try {
    checkFeatures(model, path, table);
  } catch (error) {
    await table.close();
    throw error;
  }
  const acoustic = openAcousticModel(engine, model);
  const { objective, prior, selfLoop, outputFrameShiftMs, firstFrameCentreMs } = model;
  return {
    path,
    tokensDigest: tokensDigest(model.tokensText),
    ...{ objective, prior, selfLoop, outputFrameShiftMs, firstFrameCentreMs },
    utterances: table.utterances,
    async *rows(shard) {
      for await (const row of table.rows(shard)) {
        yield { utterance: row.utterance, logPosteriors: acoustic.logPosteriors(row.features as Float32Array) };
      }
    },
    async close() {
      acoustic.dispose();
      await table.close();
    },
  };
}

/** What posteriors depend on beside the teachers' features; weights show in the prior. */
const combining = ['kd.teachers', 'kd.combine', 'kd.temperature', 'kd.teacherTemperatures'];

/**
 * A folder of filter_targets that kept all tokens.
 *
 * @throws {InputError} when its report lacks what decoding needs
 */
export async function openEssencePosteriors({ path, report }: InputFolder): Promise<PosteriorSource> {
  const { prior, selfLoop } = report as unknown as Record<string, number[] | undefined>;
  const table = await openUtterances(path, { format: 'essence' });
  const objective = objectiveOf(table.metadata);
  if (!prior || (objective === 'frame' && prior.length !== selfLoop?.length)) {
    await table.close();
    throw new InputError(
      `Cannot decode ${path}: its report.json has no prior and selfLoop of equal length; make it with filter_targets`,
    );
  }
  return {
    path,
    tokensDigest: table.metadata['kd.tokens'] ?? tokensDigest(readFileSync(join(path, 'tokens.txt'), 'utf8')),
    combinedAs: keyOf({ prior, ...Object.fromEntries(combining.map((key) => [key, table.metadata[key]])) }),
    ...{ objective, prior, selfLoop },
    outputFrameShiftMs: Number(table.metadata['kd.frameShiftMs']),
    firstFrameCentreMs: Number(table.metadata['kd.firstFrameCentreMs']),
    utterances: table.utterances,
    async *rows(shard) {
      for await (const row of table.rows(shard)) {
        yield { utterance: row.utterance, logPosteriors: denseLogPosteriorsOfRow(row, prior.length) };
      }
    },
    close: () => table.close(),
  };
}

/** Refuses a source of posteriors over other tokens than those of a data directory. */
export function checkTokens(source: Pick<PosteriorSource, 'path' | 'tokensDigest'>, data: string): void {
  const expected = tokensDigest(readFileSync(join(data, 'tokens.txt'), 'utf8'));
  if (source.tokensDigest !== expected) {
    throw new InputError(
      `Cannot use ${source.path} with ${data}: their tokens.txt differ (${source.tokensDigest} and ${expected}); use a model of the same tokens`,
    );
  }
}
