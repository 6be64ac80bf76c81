import { canCode, metadataOfSparse, rowOfCachedFrames, type SparseHeader, sparseColumns } from '../io/cached_frames.ts';
import type { Compression } from '../io/compression.ts';
import { InputError } from '../io/errors.ts';
import { labelsOfRow } from '../io/frame_labels.ts';
import type { OutputFolder } from '../io/output_folder.ts';
import { withSums } from '../io/parts.ts';
import type { Row, UtteranceTable } from '../io/utterance_table.ts';
import { createUtteranceWriter } from '../io/utterance_writer.ts';
import { createKeptMassTally, type KeptMassCounts } from '../math/kept_mass_tally.ts';
import { cacheFrames } from '../math/sparse_cache.ts';
import type { NamedCombination } from './named_combinations.ts';

/** Takes what the teachers say of one utterance after another, and writes it. */
export interface LogitsCache {
  /** @param posteriors log-posteriors at temperature 1 of each teacher, [frames × vocabularySize] */
  append(utterance: string, posteriors: readonly Float32Array[]): Promise<void>;
  /** Ends the files. */
  close(): Promise<void>;
  /** What was counted of them, once they are closed. */
  counted(): CountedCache;
}

/** What is the same in all parts of a cache, and what each has counted of sparse ones. */
export interface CountedCache {
  known: Record<string, unknown>;
  caches?: Record<string, CountedSparse>;
}

interface CountedSparse {
  known: Record<string, unknown>;
  frames: number;
  nats: number;
  bytes: number;
  keptMass: KeptMassCounts;
}

/** What is to be said of a cache in so many parts. */
export function figuresOfCache(parts: readonly CountedCache[]): Record<string, unknown> {
  const [{ known, caches }] = parts as [CountedCache];
  if (!caches) return known;
  const figuresOf = (name: string): Record<string, unknown> => {
    const counted = parts.map((part) => part.caches![name]!);
    const { frames, nats, bytes } = withSums(
      counted.map(({ keptMass: _, ...sums }) => sums),
      ['frames', 'nats', 'bytes'],
    );
    const keptMass = createKeptMassTally();
    for (const part of counted) keptMass.add(part.keptMass);
    const perFrame = (sum: number): number => sum / Math.max(1, frames);
    return { ...caches[name]!.known, keptMass: keptMass.summary(), kl: perFrame(nats), bytesPerFrame: perFrame(bytes) };
  };
  return { ...known, caches: Object.fromEntries(Object.keys(caches).map((name) => [name, figuresOf(name)])) };
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
    counted: () => ({ known: { format: 'dense' } }),
  };
}

export interface SparseCaches
  extends Omit<SparseHeader, 'vocabularySize' | 'hasLabels' | 'hasAgreement' | 'isMean' | 'isCoded'> {
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
    counted: () => ({
      known: {
        format: 'sparse',
        ...{ k: asked.k, temperatures: asked.temperatures },
        klCounting: 'KL(combination ‖ kept) in nats, the tail spread evenly over the tokens not kept; at temperature 1',
      },
      caches: Object.fromEntries(caches.map((cache) => [cache.name, cache.counted()])),
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
    counted: (): CountedSparse => ({
      known: { rule, weights, teacherTemperatures },
      ...sums,
      bytes: out.files[file]!.bytes,
      keptMass: keptMass.counts(),
    }),
  };
}
