import {
  CompressionType,
  type Data,
  type DataType,
  Field,
  Float16,
  Float32,
  Int32,
  List,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Uint8,
  Uint16,
  Utf8,
} from 'apache-arrow';
import { BufferRegion } from 'apache-arrow/ipc/metadata/message';
import { fastToHalfInto } from '../math/kernels/fast_half.ts';
import type { Cell, ColumnType } from './arrow_file.ts';
import { type Compression, compressBuffer } from './compression.ts';
import type { Sink } from './output_folder.ts';
import type { Row } from './utterance_table.ts';

const elementTypes = {
  'list<float32>': () => new Float32(),
  'list<float16>': () => new Float16(),
  'list<uint8>': () => new Uint8(),
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
  /** arrow-js gives the length of what is compressed where that of the original belongs. */
  protected override _compressBodyBuffers(buffers: ArrayBufferView[]) {
    let byteLength = 0;
    const parts: Uint8Array[] = [];
    const bufferRegions = buffers.map((buffer) => {
      const [prefix, content] = compressBuffer(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
      parts.push(prefix, content);
      const region = new BufferRegion(byteLength, prefix.length + content.length);
      byteLength += (region.length + 7) & ~7;
      return region;
    });
    return { byteLength, bufferRegions, buffers: parts };
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
 * @param compression of each column of each record batch; `openCompression` comes first
 * @throws {TypeError} when a row lacks a column or has another type than its column
 */
export function createUtteranceWriter(
  sink: Sink,
  {
    columns,
    metadata,
    compression,
  }: { columns: Record<string, ColumnType>; metadata: Record<string, string>; compression?: Compression },
): UtteranceWriter {
  const all: Record<string, ColumnType> = { utterance: 'utf8', frames: 'int32', ...columns };
  const fields = Object.entries(all).map(([name, type]) => new Field(name, arrowType(type), false));
  const schema = new Schema(fields, new Map(Object.entries(metadata)));
  const writer = new SinkWriter(compression && { compressionType: CompressionType.ZSTD });
  writer.sink = sink;
  writer.reset(undefined, schema);
  const buffers = Object.entries(all).map(([name, type]) => ({ name, type, buffer: createColumnBuffer(type) }));
  let rows = 0;
  const flush = (): void => {
    const children = buffers.map(({ buffer }) => buffer.take());
    const data = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children });
    writer.write(new RecordBatch(schema, data));
    rows = 0;
    sink.pending = 0;
  };
  sink.pending = 0;
  return {
    append(row) {
      for (const { name, type } of buffers) {
        if (!fits(row[name], type)) throw new TypeError(`Column ${name} of ${row.utterance} is not ${type}`);
      }
      for (const { name, buffer } of buffers) sink.pending! += buffer.append(row[name]!);
      rows++;
      if (sink.pending! >= batchBytes) flush();
    },
    close() {
      if (rows > 0) flush();
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
    case 'list<uint8>':
      return cell instanceof Uint8Array;
    case 'list<uint16>':
      return cell instanceof Uint16Array;
    case 'list<int32>':
      return cell instanceof Int32Array;
    default:
      return cell instanceof Float32Array;
  }
}

/** The cells of a column, one after another, until a record batch takes them. */
interface ColumnBuffer {
  /** @returns how many bytes the cell takes */
  append(cell: Cell): number;
  /** What was appended since the last call; it is overwritten by what is appended next. */
  take(): Data;
}

const storage = {
  utf8: Uint8Array,
  int32: Int32Array,
  float32: Float32Array,
  'list<float32>': Float32Array,
  'list<float16>': Uint16Array,
  'list<uint8>': Uint8Array,
  'list<uint16>': Uint16Array,
  'list<int32>': Int32Array,
} as const;

function createColumnBuffer(type: ColumnType): ColumnBuffer {
  const arrow = arrowType(type);
  let values = new storage[type](1024);
  let ends = [0];
  return {
    append(cell) {
      const added = typeof cell === 'string' ? Buffer.from(cell) : typeof cell === 'number' ? [cell] : cell;
      const start = ends.at(-1)!;
      const end = start + added.length;
      if (end > values.length) {
        const larger = new storage[type](2 ** Math.ceil(Math.log2(end)));
        larger.set(values);
        values = larger;
      }
      if (type === 'list<float16>') fastToHalfInto(values as Uint16Array, cell as Float32Array, start);
      else values.set(added, start);
      ends.push(end);
      return added.length * values.BYTES_PER_ELEMENT;
    },
    take() {
      const valueOffsets = Int32Array.from(ends);
      const length = ends.length - 1;
      const data = values.subarray(0, ends.at(-1)!);
      ends = [0];
      if (!isList(type)) {
        return makeData({ type: arrow as Utf8, length, nullCount: 0, valueOffsets, data: data as Uint8Array });
      }
      const element = elementTypes[type]() as Float32;
      const child = makeData({ type: element, length: data.length, nullCount: 0, data: data as Float32Array });
      return makeData({ type: arrow as List, length, nullCount: 0, valueOffsets, child });
    },
  };
}
