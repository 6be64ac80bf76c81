import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ArrowFile, type Cell, openArrowFile } from './arrow_file.ts';
import { openCompression } from './compression.ts';
import { InputError } from './errors.ts';
import { rangeOf, type Shard, whole } from './shard.ts';

/**
 * Tables of one row per utterance, in Arrow files.
 *
 * Every table has the columns `utterance` (utf8) and `frames` (int32). Values per frame are flat lists, so that one
 * utterance is one slice of a typed array.
 */
export type Row = { utterance: string; frames: number } & Record<string, Cell>;

/** A table of utterances on disk: one Arrow file, or a folder of `part-*.arrow`. */
export interface UtteranceTable {
  readonly path: string;
  readonly metadata: Record<string, string>;
  readonly columns: Record<string, string>;
  /** Ids, in file order. */
  readonly utterances: readonly string[];
  has(utterance: string): boolean;
  /** Every row in file order, or those of a part; one record batch in memory at a time. */
  rows(shard?: Shard): AsyncGenerator<Row>;
  /** One row, wherever it is. A table that is not too large is kept in memory, record batch by record batch. */
  read(utterance: string): Promise<Row>;
  close(): Promise<void>;
}

/**
 * Bytes of record batches that random access keeps in memory. Of a table with more, rows are read one by one, lest each takes
 * a whole batch; of a compressed one that cannot be, and the latest batches are kept.
 */
const mostCached = 256 << 20;

export interface TableOptions {
  /** What `kd.format` has to be. */
  format?: string;
  mayBeEmpty?: boolean;
  /** Leaves half floats as they are stored, in Uint16Arrays. */
  asBits?: boolean;
  /** 256 MB unless given. */
  cachedBytes?: number;
}

/**
 * Opens a table for reading, in order or by utterance.
 *
 * @param path an Arrow file, or a folder that holds one or several
 * @throws {InputError} when it is not an Arrow file of utterances, or is cut off
 */
export async function openUtterances(
  path: string,
  { format, mayBeEmpty, asBits, cachedBytes = mostCached }: TableOptions = {},
): Promise<UtteranceTable> {
  const files: ArrowFile[] = [];
  const places = new Map<string, { file: ArrowFile; batch: number; row: number }>();
  const batches: { file: ArrowFile; batch: number; first: number }[] = [];
  const close = (): void => {
    for (const file of files) file.close();
  };
  try {
    for (const part of statSync(path).isDirectory() ? arrowFilesOf(path) : [path]) {
      const file = openArrowFile(part);
      files.push(file);
      checkFormat(file, format);
      if (file.isCompressed) await openCompression();
      for (let batch = 0; batch < file.batches; batch++) {
        batches.push({ file, batch, first: places.size });
        (file.read(batch, ['utterance']).utterance as string[]).forEach((id, row) => {
          if (places.has(id)) {
            throw new InputError(`Cannot use ${path}: utterance "${id}" is in it twice; make it again`);
          }
          places.set(id, { file, batch, row });
        });
      }
    }
    if (places.size === 0 && !mayBeEmpty)
      throw new InputError(`Cannot use ${path}: it holds no utterance; make it again`);
  } catch (error) {
    close();
    throw error;
  }
  const { metadata, columns } = files[0]!;
  const names = Object.keys(columns);
  const rowsOf = (file: ArrowFile, batch: number): Row[] => {
    const cells = file.read(batch, names, asBits);
    return cells.utterance!.map((_, i) => Object.fromEntries(names.map((name) => [name, cells[name]![i]!])) as Row);
  };
  const isLarge = files.reduce((sum, { bytes }) => sum + bytes, 0) > cachedBytes;
  const cache = new Map<string, { rows: Row[]; bytes: number }>();
  let cached = 0;
  const cachedRowsOf = (file: ArrowFile, batch: number): Row[] => {
    const key = `${file.path}#${batch}`;
    const hit = cache.get(key);
    if (hit) {
      cache.delete(key);
      cache.set(key, hit);
      return hit.rows;
    }
    const rows = rowsOf(file, batch);
    const bytes = file.bytes / file.batches;
    for (const [oldest, entry] of cache) {
      if (cached + bytes <= cachedBytes) break;
      cache.delete(oldest);
      cached -= entry.bytes;
    }
    cache.set(key, { rows, bytes });
    cached += bytes;
    return rows;
  };
  return {
    path,
    metadata,
    columns,
    utterances: [...places.keys()],
    has: (utterance) => places.has(utterance),
    async *rows(shard = whole) {
      const { start, end } = rangeOf(places.size, shard);
      for (const [i, { file, batch, first }] of batches.entries()) {
        const next = batches[i + 1]?.first ?? places.size;
        if (next > start && first < end) yield* rowsOf(file, batch).slice(Math.max(0, start - first), end - first);
      }
    },
    async read(utterance) {
      const place = places.get(utterance);
      if (!place)
        throw new InputError(`Cannot find utterance "${utterance}" in ${path}; both must be made from the same data`);
      const { file, batch, row } = place;
      if (isLarge && !file.isCompressed) return file.readRow(batch, row, names, asBits) as Row;
      return cachedRowsOf(file, batch)[row]!;
    },
    close: async () => close(),
  };
}

function checkFormat({ path, columns, metadata }: ArrowFile, format: string | undefined): void {
  const found = metadata['kd.format'] ?? 'of no kind of ours';
  if (columns.utterance !== 'utf8' || columns.frames !== 'int32') {
    throw refuse(path, 'it has no columns "utterance" (utf8) and "frames" (int32)');
  }
  if (format && found !== format) throw refuse(path, `it is ${found}, not ${format}`);
}

const refuse = (path: string, why: string): InputError =>
  new InputError(`Cannot read ${path}: ${why}; make it again, or check the path`);

function arrowFilesOf(folder: string): string[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.arrow'))
    .sort();
  if (names.length === 0) throw new InputError(`Cannot read ${folder}: it holds no .arrow file; check the path`);
  return names.map((name) => join(folder, name));
}

/**
 * Refuses two tables that were not made for each other.
 *
 * @param keys metadata that both must share, such as `kd.tokens`
 * @throws {InputError} naming both sides and what differs
 */
export function checkMetadataEqual(
  a: Pick<UtteranceTable, 'path' | 'metadata'>,
  b: Pick<UtteranceTable, 'path' | 'metadata'>,
  keys: readonly string[],
): void {
  for (const key of keys) {
    if (a.metadata[key] !== b.metadata[key]) {
      throw new InputError(
        `Cannot use ${a.path} with ${b.path}: ${key} is ${a.metadata[key] ?? 'absent'} there and ${b.metadata[key] ?? 'absent'} here; make both from the same data and tokens`,
      );
    }
  }
}

/** A list of utterances, and where it comes from. */
export type Listed = Pick<UtteranceTable, 'path' | 'utterances'>;

/**
 * Utterances of one list that another one has as well, in its order; the others are skipped, or refused.
 *
 * @param what the other one has of each utterance
 * @param skip leaves utterances out; without it, none may be missing
 * @throws {InputError} with the number of those that are missing, and the first few
 */
export function sharedUtterances(
  needed: Listed,
  other: Listed,
  what: string,
  skip: (utterances: readonly string[], why: InputError) => void = (_, why) => {
    throw why;
  },
): string[] {
  const { length } = needed.utterances;
  const isSame = length === other.utterances.length && needed.utterances.every((id, i) => id === other.utterances[i]);
  if (isSame) return [...needed.utterances]; // as it mostly is, and faster told
  const known = new Set(other.utterances);
  const missing = needed.utterances.filter((utterance) => !known.has(utterance));
  if (missing.length > 0) {
    skip(
      missing,
      new InputError(
        `Cannot use ${other.path} with ${needed.path}: ${missing.length} of ${needed.utterances.length} utterances have no ${what}, first: ${missing.slice(0, 3).join(', ')}; make both from the same data`,
      ),
    );
  }
  return needed.utterances.filter((utterance) => known.has(utterance));
}
