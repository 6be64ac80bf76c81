import { readdirSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Data,
  DataType,
  Field,
  Float16,
  Float32,
  Int32,
  List,
  makeData,
  Precision,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  Schema,
  Struct,
  Uint16,
  Utf8,
} from 'apache-arrow';
import { fromHalf, toHalf } from '../math/half.ts';
import { InputError } from './errors.ts';
import type { Sink } from './output_folder.ts';

/**
 * Arrow files (IPC file format, uncompressed) of one row per utterance.
 *
 * Every table has the columns `utterance` (utf8) and `frames` (int32). Values per frame are flat lists, so that one
 * utterance is one slice of a typed array. Half floats are float32 in memory: rounded when written, exact when read.
 */
export type ColumnType =
  | 'utf8'
  | 'int32'
  | 'float32'
  | 'list<float32>'
  | 'list<float16>'
  | 'list<uint16>'
  | 'list<int32>';
export type Cell = string | number | Float32Array | Uint16Array | Int32Array;
export type Row = { utterance: string; frames: number } & Record<string, Cell>;

const elementTypes = {
  'list<float32>': () => new Float32(),
  'list<float16>': () => new Float16(),
  'list<uint16>': () => new Uint16(),
  'list<int32>': () => new Int32(),
} as const;

const isList = (type: ColumnType): type is keyof typeof elementTypes => type in elementTypes;

function arrowType(type: ColumnType): DataType {
  if (isList(type)) return new List(new Field('item', elementTypes[type](), false));
  return type === 'utf8' ? new Utf8() : type === 'int32' ? new Int32() : new Float32();
}

/** Rows of a record batch: small enough to hold a few in memory, large enough to cost little each. */
const batchBytes = 1 << 20;

/** arrow-js queues what it writes for an asynchronous reader; this one hands it on at once, so nothing piles up. */
class SinkWriter extends RecordBatchFileWriter {
  sink: Sink | undefined;
  protected override _write(chunk: ArrayBufferView): this {
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this._started && bytes.length > 0) {
      this.sink!.write(bytes);
      this._position += bytes.length;
    }
    return this;
  }
}

export interface UtteranceWriter {
  /** Adds one utterance; its arrays are copied. */
  append(row: Row): void;
  /** Writes what is left and the footer, and closes the sink. */
  close(): void;
}

/**
 * Writes a table of utterances, a record batch at a time.
 *
 * @throws {TypeError} when a row lacks a column or has another type than its column
 */
export function createUtteranceWriter(
  sink: Sink,
  { columns, metadata }: { columns: Record<string, ColumnType>; metadata: Record<string, string> },
): UtteranceWriter {
  const all: Record<string, ColumnType> = { utterance: 'utf8', frames: 'int32', ...columns };
  const fields = Object.entries(all).map(([name, type]) => new Field(name, arrowType(type), false));
  const schema = new Schema(fields, new Map(Object.entries(metadata)));
  const writer = new SinkWriter();
  writer.sink = sink;
  writer.reset(undefined, schema);
  let rows: Row[] = [];
  sink.pending = 0;
  const flush = (): void => {
    const children = Object.entries(all).map(([name, type]) => columnData(name, type, rows));
    const data = makeData({ type: new Struct(fields), length: rows.length, nullCount: 0, children });
    writer.write(new RecordBatch(schema, data));
    rows = [];
    sink.pending = 0;
  };
  return {
    append(row) {
      const copy = Object.fromEntries(
        Object.entries(all).map(([name, type]) => {
          const cell = row[name];
          if (!fits(cell, type)) throw new TypeError(`Column ${name} of ${row.utterance} is not ${type}`);
          if (type === 'list<float16>') return [name, toHalf(cell as Float32Array)];
          return [name, isList(type) ? (cell as Float32Array).slice() : cell];
        }),
      );
      rows.push(copy as Row);
      for (const cell of Object.values(copy)) if (ArrayBuffer.isView(cell)) sink.pending! += cell.byteLength;
      if (sink.pending! >= batchBytes) flush();
    },
    close() {
      if (rows.length > 0) flush();
      writer.finish();
      sink.close();
    },
  };
}

function fits(cell: unknown, type: ColumnType): cell is Cell {
  switch (type) {
    case 'utf8':
      return typeof cell === 'string';
    case 'int32':
    case 'float32':
      return typeof cell === 'number';
    case 'list<uint16>':
      return cell instanceof Uint16Array;
    case 'list<int32>':
      return cell instanceof Int32Array;
    default:
      return cell instanceof Float32Array;
  }
}

function columnData(name: string, type: ColumnType, rows: readonly Row[]): Data {
  const length = rows.length;
  if (type === 'int32')
    return makeData({ type: new Int32(), data: Int32Array.from(rows, (row) => row[name] as number) });
  if (type === 'float32') {
    return makeData({ type: new Float32(), data: Float32Array.from(rows, (row) => row[name] as number) });
  }
  const cells =
    type === 'utf8'
      ? rows.map((row) => Buffer.from(row[name] as string))
      : rows.map((row) => row[name] as Float32Array);
  const valueOffsets = new Int32Array(length + 1);
  cells.forEach((cell, i) => {
    valueOffsets[i + 1] = valueOffsets[i]! + cell.length;
  });
  const total = valueOffsets[length]!;
  const values =
    type === 'utf8' ? new Uint8Array(total) : new (cells[0]!.constructor as Float32ArrayConstructor)(total);
  cells.forEach((cell, i) => {
    values.set(cell, valueOffsets[i]!);
  });
  if (type === 'utf8')
    return makeData({ type: new Utf8(), length, nullCount: 0, valueOffsets, data: values as Uint8Array });
  const element = elementTypes[type as keyof typeof elementTypes]();
  const child = makeData({ type: element as Float32, length: total, nullCount: 0, data: values as Float32Array });
  return makeData({ type: arrowType(type) as List, length, nullCount: 0, valueOffsets, child });
}

/** A table of utterances on disk: one Arrow file, or a folder of `part-*.arrow`. */
export interface UtteranceTable {
  readonly path: string;
  readonly metadata: Record<string, string>;
  readonly columns: Record<string, string>;
  /** Ids, in file order. */
  readonly utterances: readonly string[];
  has(utterance: string): boolean;
  /** Every row in file order; one record batch in memory at a time. */
  rows(): AsyncGenerator<Row>;
  /** One row, wherever it is; the last few record batches are kept. */
  read(utterance: string): Promise<Row>;
  close(): Promise<void>;
}

/** Record batches that random access keeps in memory. */
const cachedBytes = 256 << 20;

/**
 * Opens a table for reading, in order or by utterance.
 *
 * @param path an Arrow file, or a folder that holds one or several
 * @throws {InputError} when it is not an Arrow file of utterances, or is cut off
 */
export async function openUtterances(path: string, { format }: { format?: string } = {}): Promise<UtteranceTable> {
  const paths = statSync(path).isDirectory() ? arrowFilesOf(path) : [path];
  const parts: Part[] = [];
  try {
    for (const file of paths) parts.push(await openPart(file, format));
  } catch (error) {
    await Promise.all(parts.map((part) => part.close()));
    throw error;
  }
  const places = new Map<string, { part: Part; batch: number; row: number }>();
  for (const part of parts) {
    for (let batch = 0; batch < part.batches; batch++) {
      const { utterance } = await part.columns(batch, ['utterance']);
      for (let row = 0; row < (utterance as string[]).length; row++) {
        const id = (utterance as string[])[row]!;
        if (places.has(id)) throw new InputError(`Cannot use ${path}: utterance "${id}" is in it twice; make it again`);
        places.set(id, { part, batch, row });
      }
    }
  }
  const [first] = parts;
  if (!first || places.size === 0) throw new InputError(`Cannot use ${path}: it holds no utterance; make it again`);
  const cache = new Map<string, { rows: Row[]; bytes: number }>();
  let cached = 0;
  const rowsOf = async (part: Part, batch: number): Promise<Row[]> => {
    const key = `${part.path}#${batch}`;
    const hit = cache.get(key);
    if (hit) {
      cache.delete(key);
      cache.set(key, hit);
      return hit.rows;
    }
    const rows = await part.rows(batch);
    const bytes = part.bytes / part.batches;
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
    metadata: first.metadata,
    columns: first.types,
    utterances: [...places.keys()],
    has: (utterance) => places.has(utterance),
    async *rows() {
      for (const part of parts) for (let batch = 0; batch < part.batches; batch++) yield* await part.rows(batch);
    },
    async read(utterance) {
      const place = places.get(utterance);
      if (!place)
        throw new InputError(`Cannot find utterance "${utterance}" in ${path}; both must be made from the same data`);
      return (await rowsOf(place.part, place.batch))[place.row]!;
    },
    close: async () => void (await Promise.all(parts.map((part) => part.close()))),
  };
}

function arrowFilesOf(folder: string): string[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.arrow'))
    .sort();
  if (names.length === 0) throw new InputError(`Cannot read ${folder}: it holds no .arrow file; check the path`);
  return names.map((name) => join(folder, name));
}

/** One Arrow file. */
interface Part {
  path: string;
  bytes: number;
  batches: number;
  metadata: Record<string, string>;
  types: Record<string, string>;
  columns(batch: number, names: readonly string[]): Promise<Record<string, Cell[]>>;
  rows(batch: number): Promise<Row[]>;
  close(): Promise<void>;
}

async function openPart(path: string, format: string | undefined): Promise<Part> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const { size } = await handle.stat();
    const magic = Buffer.alloc(6);
    if (size > 12) await handle.read(magic, 0, 6, size - 6);
    if (magic.toString('latin1') !== 'ARROW1') throw new Error('not an Arrow file, or cut off');
    const reader = await RecordBatchReader.from(handle);
    await reader.open();
    if (!reader.isFile()) throw new Error('an Arrow stream, not an Arrow file');
    const { schema } = reader;
    const metadata = Object.fromEntries(schema.metadata);
    const types = Object.fromEntries(schema.fields.map(({ name, type }) => [name, String(type)]));
    if (!('utterance' in types && 'frames' in types)) throw new Error('it has no columns "utterance" and "frames"');
    if (format && metadata['kd.format'] !== format) {
      throw new Error(`it is ${metadata['kd.format'] ?? 'of no kind of ours'}, not ${format}`);
    }
    const batches = reader.numRecordBatches;
    const read = async (batch: number): Promise<RecordBatch> => {
      const found = await reader.readRecordBatch(batch);
      if (!found) throw refuse(path, `record batch ${batch} of ${batches} is missing`);
      return found;
    };
    const columns = async (batch: number, names: readonly string[]): Promise<Record<string, Cell[]>> => {
      try {
        const found = await read(batch);
        return Object.fromEntries(names.map((name) => [name, cellsOf(found, name)]));
      } catch (error) {
        throw refuse(path, (error as Error).message);
      }
    };
    const names = Object.keys(types);
    return {
      path,
      bytes: size,
      batches,
      metadata,
      types,
      columns,
      async rows(batch) {
        const cells = await columns(batch, names);
        return cells.utterance!.map((_, i) => Object.fromEntries(names.map((name) => [name, cells[name]![i]!])) as Row);
      },
      close: () => handle!.close(),
    };
  } catch (error) {
    await handle?.close();
    if ((error as NodeJS.ErrnoException).syscall) throw error;
    throw refuse(path, (error as Error).message);
  }
}

const refuse = (path: string, why: string): InputError =>
  new InputError(`Cannot read ${path}: ${why.replace(/^Cannot read [^:]*: /, '')}; make it again, or check the path`);

/** The cells of one column of a batch; lists are slices of its buffers. */
function cellsOf(batch: RecordBatch, name: string): Cell[] {
  const vector = batch.getChild(name);
  const data = vector?.data[0];
  if (!vector || !data) throw new Error(`column "${name}" is missing`);
  if (!(data.type instanceof List)) return Array.from(vector as Iterable<Cell>);
  const child = data.children[0]!;
  const offsets = data.valueOffsets as Int32Array;
  const values = child.values as Float32Array | Uint16Array | Int32Array;
  const isHalf = DataType.isFloat(child.type) && child.type.precision === Precision.HALF;
  return Array.from({ length: data.length }, (_, i) => {
    const slice = values.subarray(offsets[i]!, offsets[i + 1]!);
    return isHalf ? fromHalf(slice as Uint16Array) : slice;
  });
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
