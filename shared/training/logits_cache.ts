import { canCode, metadataOfSparse, rowOfCachedFrames, type SparseHeader, sparseColumns } from '../io/cached_frames.ts';
import type { Compression } from '../io/compression.ts';
import { InputError } from '../io/errors.ts';
import { labelsOfRow } from '../io/frame_labels.ts';
import type { OutputFolder } from '../io/output_folder.ts';
import type { Row, UtteranceTable } from '../io/utterance_table.ts';
import { createUtteranceWriter } from '../io/utterance_writer.ts';
import { createKeptMassTally } from '../math/kept_mass_tally.ts';
import { cacheFrames } from '../math/sparse_cache.ts';
import type { NamedCombination } from './named_combinations.ts';

/** Takes what the teachers say of one utterance after another, and writes it. */
export interface LogitsCache {
  /** @param posteriors log-posteriors at temperature 1 of each teacher, [frames × vocabularySize] */
  append(utterance: string, posteriors: readonly Float32Array[]): Promise<void>;
  /** Ends the files. */
  close(): Promise<void>;
  /** What is to be said of them, once they are closed. */
  summary(): Record<string, unknown>;
}

export interface CachePlace {
  out: OutputFolder;
  /** Name of the Arrow file in each folder. */
  part: string;
  /** What all caches of these teachers say of themselves. */
  metadata: Record<string, string>;
  compression: Compression | undefined;
  vocabularySize: number;
}

/** All that each teacher says, a column a teacher. */
export function createDenseCache(
  { out, part, metadata, compression, vocabularySize }: CachePlace,
  teachers: number,
): LogitsCache {
  const columnOf = (teacher: number) => `logPosteriors_${teacher}`;
  const columns = Object.fromEntries(
    Array.from({ length: teachers }, (_, i) => [columnOf(i), 'list<float16>' as const]),
  );
  const writer = createUtteranceWriter(out.createFile(part), {
    columns,
    metadata: { 'kd.format': 'logits', 'kd.version': '1', 'kd.vocabularySize': String(vocabularySize), ...metadata },
    compression,
  });
  return {
    async append(utterance, posteriors) {
      const frames = posteriors[0]!.length / vocabularySize;
      const cells = Object.fromEntries(posteriors.map((values, i) => [columnOf(i), values]));
      writer.append({ utterance, frames, ...cells } as Row);
    },
    close: async () => writer.close(),
    summary: () => ({ format: 'dense' }),
  };
}

export interface SparseCaches extends Omit<SparseHeader, 'vocabularySize' | 'hasLabels' | 'hasAgreement' | 'isCoded'> {
  combinations: readonly NamedCombination[];
  teachers: number;
  /** Hard labels, whose posteriors are kept. */
  alignment: { table: UtteranceTable; id: string } | undefined;
}

/** The best tokens of some combinations of the teachers, a folder a combination. */
export function createSparseCaches(place: CachePlace, asked: SparseCaches): LogitsCache {
  const { vocabularySize } = place;
  const { alignment } = asked;
  const caches = asked.combinations.map((combination) => createSparseCache(place, combination, asked));
  return {
    async append(utterance, posteriors) {
      const frames = posteriors[0]!.length / vocabularySize;
      const labels =
        alignment &&
        labelsOfRow(await alignment.table.read(utterance), {
          ...{ utterance, frames, vocabularySize },
          ...{ what: 'cache', alignment: alignment.table.path, other: 'what the teachers say' },
        });
      for (const cache of caches) cache.append(utterance, posteriors, labels);
    },
    async close() {
      for (const cache of caches) cache.close();
      await alignment?.table.close();
    },
    summary: () => ({
      format: 'sparse',
      ...{ k: asked.k, temperatures: asked.temperatures },
      klCounting: 'KL(combination ‖ kept) in nats, the tail spread evenly over the tokens not kept; at temperature 1',
      caches: Object.fromEntries(caches.map((cache) => [cache.name, cache.summary()])),
    }),
  };
}

function createSparseCache(
  { out, part, metadata, compression, vocabularySize }: CachePlace,
  { name, rule, options }: NamedCombination,
  { k, temperatures, hasBlank, teachers, alignment }: SparseCaches,
) {
  const header = {
    ...{ k, vocabularySize, temperatures, hasBlank, hasLabels: !!alignment, hasAgreement: teachers > 1 },
    isCoded: compression !== undefined && canCode({ k, vocabularySize }),
  };
  const { weights, teacherTemperatures } = options;
  const file = `${name}/${part}`;
  const writer = createUtteranceWriter(out.createFile(file), {
    columns: sparseColumns(header),
    metadata: {
      ...metadataOfSparse(header),
      ...metadata,
      'kd.combine': rule,
      ...(weights && { 'kd.weights': JSON.stringify(weights) }),
      ...(teacherTemperatures && { 'kd.teacherTemperatures': JSON.stringify(teacherTemperatures) }),
      ...(alignment && { 'kd.alignment': alignment.id }),
    },
    compression,
  });
  const combining = { ...options, vocabularySize };
  const keptMass = createKeptMassTally();
  const sums = { frames: 0, nats: 0 };
  return {
    name,
    append(utterance: string, posteriors: readonly Float32Array[], labels: Uint16Array | undefined): void {
      const { cached, lost } = cacheFrames(posteriors, combining, { k, temperatures, hasBlank, labels });
      const wrong = cached.entropy.findIndex(Number.isNaN);
      if (wrong >= 0) {
        throw new InputError(
          `Cannot cache utterance "${utterance}" as ${name}: the teachers have no token in common in frame ${wrong}; take --combine linear`,
        );
      }
      writer.append(rowOfCachedFrames(utterance, cached, header));
      keptMass.count(lost.mass);
      sums.frames += lost.mass.length;
      for (const nats of lost.divergence) sums.nats += nats;
    },
    close: () => writer.close(),
    summary: () => ({
      ...{ rule, weights, teacherTemperatures },
      keptMass: keptMass.summary(),
      kl: sums.nats / Math.max(1, sums.frames),
      bytesPerFrame: out.files[file]!.bytes / Math.max(1, sums.frames),
    }),
  };
}
