import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CompressionType, DataType, Precision, type Schema } from 'apache-arrow';
import { type FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import { Message, type RecordBatch } from 'apache-arrow/ipc/metadata/message';
import { fastFromHalf } from '../math/kernels/fast_half.ts';
import { expandBuffer } from './compression.ts';
import { InputError } from './errors.ts';

/** Columns of our Arrow files. Half floats are float32 in memory: rounded when written, exact when read. */
export type ColumnType =
  | 'utf8'
  | 'int32'
  | 'float32'
  | 'list<float32>'
  | 'list<float16>'
  | 'list<uint8>'
  | 'list<uint16>'
  | 'list<int32>';
export type Cell = string | number | Float32Array | Uint8Array | Uint16Array | Int32Array;

/** An Arrow file (IPC file format, plain or compressed by zstd), of which any column of any record batch can be read. */
export interface ArrowFile {
  readonly path: string;
  readonly bytes: number;
  readonly batches: number;
  readonly metadata: Record<string, string>;
  readonly columns: Record<string, ColumnType>;
  /** `openCompression` has to come before anything is read of such a file. */
  readonly isCompressed: boolean;
  /**
   * Cells of some columns of a record batch; lists are slices of one array. Nothing else is read.
   *
   * @param asBits leaves half floats as they are stored, in Uint16Arrays
   * @throws {InputError} when the file is cut off or spoilt
   */
  read(batch: number, names: readonly string[], asBits?: boolean): Record<string, Cell[]>;
  /**
   * Cells of one row of a record batch; of a file that is not compressed, nothing but their own bytes is read.
   *
   * @throws {InputError} as `read`
   */
  readRow(batch: number, row: number, names: readonly string[], asBits?: boolean): Record<string, Cell>;
  close(): void;
}

/**
 * Opens an Arrow file for reading.
 *
 * @throws {InputError} when it is no Arrow file, or is cut off, or has columns of other types
 */
export function openArrowFile(path: string): ArrowFile {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const { schema, blocks } = readFooter(file, size);
    const columns = columnsOf(schema);
    const headerOf = headerReader(file, { blocks, columns });
    const readCells = cellReader(file, { size, columns, headerOf });
    const orRefuse = <Result>(read: () => Result): Result => {
      try {
        return read();
      } catch (error) {
        throw refuse(path, error);
      }
    };
    return {
      path,
      bytes: size,
      batches: blocks.length,
      metadata: Object.fromEntries(schema.metadata),
      columns,
      isCompressed: blocks.length > 0 && headerOf(0).header.compression !== null,
      read: (batch, names, asBits = false) =>
        orRefuse(() => Object.fromEntries(names.map((name) => [name, readCells(batch, name, { asBits })]))),
      readRow: (batch, row, names, asBits = false) =>
        orRefuse(() => Object.fromEntries(names.map((name) => [name, readCells(batch, name, { asBits, row })[0]!]))),
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw refuse(path, error);
  }
}

/** The footer stands before its own length and the magic bytes. */
function readFooter(file: number, size: number): { schema: Schema; blocks: FileBlock[] } {
  const tail = size > 20 ? Buffer.from(readAt(file, size - 10, 10)) : Buffer.alloc(10);
  const length = tail.readInt32LE(0);
  if (tail.toString('latin1', 4) !== 'ARROW1' || !(length > 0 && length < size - 20)) {
    throw new Error('not an Arrow file, or cut off');
  }
  const footer = Footer.decode(new Uint8Array(readAt(file, size - 10 - length, length)));
  return { schema: footer.schema, blocks: [...footer.recordBatches()] };
}

function columnsOf({ fields }: Schema): Record<string, ColumnType> {
  return Object.fromEntries(
    fields.map(({ name, type }) => {
      const known = columnTypeOf(type);
      if (!known) throw new Error(`column "${name}" is ${type}, which none of our files has`);
      return [name, known];
    }),
  );
}

/** Buffers of a column: validity and values; before the values, where there are several a row, where they end. */
const bufferCount = (type: ColumnType): number => (type === 'utf8' ? 3 : type in listStorage ? 4 : 2);

const listStorage = {
  'list<float32>': Float32Array,
  'list<float16>': Uint16Array,
  'list<uint8>': Uint8Array,
  'list<uint16>': Uint16Array,
  'list<int32>': Int32Array,
} as const;

type HeaderReader = (batch: number) => { header: RecordBatch; body: number };

/** Where the buffers of a record batch lie, and where its body begins; what was asked for is kept. */
function headerReader(
  file: number,
  { blocks, columns }: { blocks: FileBlock[]; columns: Record<string, ColumnType> },
): HeaderReader {
  const buffers = Object.values(columns).reduce((sum, type) => sum + bufferCount(type), 0);
  const known = new Map<number, ReturnType<HeaderReader>>();
  return (batch) => {
    const before = known.get(batch);
    if (before) return before;
    const { offset, metaDataLength } = blocks[batch]!;
    const bytes = Buffer.from(readAt(file, offset, metaDataLength));
    const message = Message.decode(bytes.subarray(bytes.readInt32LE(0) === -1 ? 8 : 4));
    if (!message.isRecordBatch()) throw new Error(`record batch ${batch} of ${blocks.length} is missing`);
    const header = message.header();
    if (header.compression && header.compression.type !== CompressionType.ZSTD) {
      throw new Error('it is compressed by LZ4, and this toolkit reads zstd');
    }
    if (header.buffers.length !== buffers) throw new Error(`record batch ${batch} has other columns than the file`);
    if (header.nodes.some(({ nullCount }) => nullCount > 0)) throw new Error(`record batch ${batch} has nulls`);
    const found = { header, body: offset + metaDataLength };
    known.set(batch, found);
    return found;
  };
}

function cellReader(
  file: number,
  { size, columns, headerOf }: { size: number; columns: Record<string, ColumnType>; headerOf: HeaderReader },
): (batch: number, name: string, how: { asBits: boolean; row?: number }) => Cell[] {
  const firstBuffer: Record<string, number> = {};
  let buffers = 0;
  for (const [name, type] of Object.entries(columns)) {
    firstBuffer[name] = buffers;
    buffers += bufferCount(type);
  }
  return (batch, name, { asBits, row }) => {
    const type = columns[name];
    if (!type) throw new Error(`column "${name}" is missing`);
    const { header, body } = headerOf(batch);
    const [first, rows] = row === undefined ? [0, header.length] : [row, 1];
    /** Some bytes of a buffer. */
    const read = (i: number, from: number, bytes: number): ArrayBuffer => {
      const { offset, length } = header.buffers[firstBuffer[name]! + i]!;
      if (body + offset + length > size) throw new Error('cut off');
      const all = header.compression ? expandBuffer(readAt(file, body + offset, length)) : undefined;
      if (!(from >= 0 && bytes >= 0 && from + bytes <= (all?.byteLength ?? length)))
        throw new Error(`column "${name}" is spoilt`);
      if (!all) return readAt(file, body + offset + from, bytes);
      return bytes === all.byteLength ? all : all.slice(from, from + bytes);
    };
    if (type === 'int32') return Array.from(new Int32Array(read(1, 4 * first, 4 * rows), 0, rows));
    if (type === 'float32') return Array.from(new Float32Array(read(1, 4 * first, 4 * rows), 0, rows));
    const ends = new Int32Array(read(1, 4 * first, 4 * (rows + 1)), 0, rows + 1);
    const start = ends[0]!;
    const slices = <T>(length: number, slice: (start: number, end: number) => T): T[] =>
      Array.from({ length: rows }, (_, i) => {
        const [from, to] = [ends[i]! - start, ends[i + 1]! - start];
        if (!(from >= 0 && from <= to && to <= length)) throw new Error(`column "${name}" is spoilt`);
        return slice(from, to);
      });
    const bytesOf = type === 'utf8' ? 1 : listStorage[type].BYTES_PER_ELEMENT;
    const here = [bytesOf * start, bytesOf * (ends[rows]! - start)] as const;
    if (type === 'utf8') {
      const text = Buffer.from(read(2, ...here));
      return slices(text.length, (from, to) => text.toString('utf8', from, to));
    }
    const stored = new listStorage[type](read(3, ...here));
    const values = type === 'list<float16>' && !asBits ? fastFromHalf(stored as Uint16Array) : stored;
    return slices(values.length, (from, to) => values.subarray(from, to));
  };
}

function columnTypeOf(type: DataType): ColumnType | undefined {
  if (DataType.isUtf8(type)) return 'utf8';
  if (!DataType.isList(type)) return numberTypeOf(type) as 'int32' | 'float32' | undefined;
  const element = numberTypeOf(type.children[0]!.type);
  return element && `list<${element}>`;
}

function numberTypeOf(type: DataType): 'float32' | 'float16' | 'uint8' | 'uint16' | 'int32' | undefined {
  if (DataType.isFloat(type)) {
    return type.precision === Precision.SINGLE ? 'float32' : type.precision === Precision.HALF ? 'float16' : undefined;
  }
  if (!DataType.isInt(type)) return undefined;
  if (type.isSigned) return type.bitWidth === 32 ? 'int32' : undefined;
  return type.bitWidth === 16 ? 'uint16' : type.bitWidth === 8 ? 'uint8' : undefined;
}

function readAt(file: number, position: number, length: number): ArrayBuffer {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const count = readSync(file, bytes, done, length - done, position + done);
    if (count === 0) throw new Error('cut off');
    done += count;
  }
  return bytes.buffer;
}

/** What the system says of a file (not found, no permission) stays as it is. */
function refuse(path: string, error: unknown): unknown {
  if (error instanceof InputError || (error as NodeJS.ErrnoException).syscall) return error;
  return new InputError(`Cannot read ${path}: ${(error as Error).message}; make it again, or check the path`);
}
