import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { InputError } from './errors.ts';
import type { Matrix, MatrixTable } from './matrix_table.ts';

/**
 * Opens a Kaldi archive of matrices: an `.scp`, whose paths are relative to its own folder, or an `.ark`, which is looked
 * through once. Text, binary (float and double) and compressed (CM, CM2, CM3) matrices are told apart one by one.
 *
 * @throws {InputError} when a line of the scp is none, a command or a range; when an archive is cut off or holds something
 *   else
 */
export function openKaldiArchive(path: string): MatrixTable {
  const isList = path.endsWith('.scp');
  const places = isList ? placesOfList(path) : placesOfArchive(path);
  let open: { path: string; file: ByteReader } | undefined;
  const close = (): void => {
    open?.file.close();
    open = undefined;
  };
  const fileOf = (path: string): ByteReader => {
    if (open?.path !== path) {
      close();
      open = { path, file: createByteReader(path) };
    }
    return open.file;
  };
  return {
    path,
    utterances: [...places.keys()],
    files: [...(isList ? [path] : []), ...new Set([...places.values()].map(({ file }) => file))],
    has: (utterance) => places.has(utterance),
    read(utterance) {
      const place = places.get(utterance);
      if (!place) throw refuse(path, `it has no utterance "${utterance}"`);
      return readMatrix(fileOf(place.file), place.offset, utterance);
    },
    close,
  };
}

interface Place {
  file: string;
  /** Of the matrix, behind the utterance. */
  offset: number;
}

function placesOfList(path: string): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const [i, line] of readFileSync(path, 'utf8').trimEnd().split('\n').entries()) {
    const [, utterance, file, offset] = /^\s*(\S+)\s+(.*?)(?::(\d+))?\s*$/.exec(line) ?? [];
    const where = `${path}, line ${i + 1}`;
    if (!utterance || !file) throw refuse(where, `"${line}" is not "utterance file:offset"`);
    if (file.endsWith('|')) throw refuse(where, `"${file}" is a command, and none is run: write its output to a file`);
    if (file.endsWith(']')) throw refuse(where, `"${file}" names a part of a matrix: copy that part with copy-feats`);
    if (places.has(utterance)) throw refuse(where, `utterance "${utterance}" is in it twice`);
    places.set(utterance, { file: resolve(dirname(path), file), offset: Number(offset ?? 0) });
  }
  return places;
}

function placesOfArchive(path: string): Map<string, Place> {
  const places = new Map<string, Place>();
  const file = createByteReader(path);
  try {
    for (let offset = file.skipSpace(0); offset < file.size; ) {
      const end = file.find(' ', offset);
      const utterance = end > offset && end - offset < 1000 ? file.text(offset, end) : undefined;
      if (!utterance || /\s/.test(utterance)) throw refuse(path, `no utterance begins at byte ${offset}`);
      if (places.has(utterance)) throw refuse(path, `utterance "${utterance}" is in it twice`);
      places.set(utterance, { file: path, offset: end + 1 });
      offset = file.skipSpace(endOfMatrix(file, end + 1, utterance));
    }
  } finally {
    file.close();
  }
  return places;
}

/** How a binary matrix of each kind is stored. */
interface Layout {
  /** Bytes before the values, behind the name of the kind. */
  header: number;
  shapeOf(header: Buffer): { rows: number; columns: number };
  /** Bytes of the values. */
  bytesOf(rows: number, columns: number): number;
  valuesOf(body: Buffer, header: Buffer, rows: number, columns: number): Float32Array;
}

/** Each dimension stands behind a byte that says how long it is. */
const plainShape = (header: Buffer) => ({ rows: header.readInt32LE(1), columns: header.readInt32LE(6) });
/** Least value and range stand before the shape. */
const packedShape = (header: Buffer) => ({ rows: header.readInt32LE(8), columns: header.readInt32LE(12) });
const floatsOf = (length: number, at: (i: number) => number): Float32Array => {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = at(i);
  return values;
};
const scaleOf = (header: Buffer, steps: number) => {
  const [least, range] = [header.readFloatLE(0), header.readFloatLE(4)];
  return (step: number): number => least + range * (step / steps);
};

/** @see Kaldi, src/matrix/compressed-matrix.h */
const layouts: Record<string, Layout> = {
  FM: {
    header: 10,
    shapeOf: plainShape,
    bytesOf: (rows, columns) => 4 * rows * columns,
    valuesOf: (body, _, rows, columns) => floatsOf(rows * columns, (i) => body.readFloatLE(4 * i)),
  },
  DM: {
    header: 10,
    shapeOf: plainShape,
    bytesOf: (rows, columns) => 8 * rows * columns,
    valuesOf: (body, _, rows, columns) => floatsOf(rows * columns, (i) => body.readDoubleLE(8 * i)),
  },
  // a byte a value, column by column, on a scale of four percentiles of its column
  CM: {
    header: 16,
    shapeOf: packedShape,
    bytesOf: (rows, columns) => columns * (8 + rows),
    valuesOf(body, header, rows, columns) {
      const scale = scaleOf(header, 65535);
      const values = new Float32Array(rows * columns);
      for (let column = 0; column < columns; column++) {
        const [p0, p25, p75, p100] = [0, 2, 4, 6].map((at) => scale(body.readUInt16LE(8 * column + at))) as [
          number,
          number,
          number,
          number,
        ];
        for (let row = 0; row < rows; row++) {
          const step = body[8 * columns + column * rows + row]!;
          values[row * columns + column] =
            step <= 64
              ? p0 + (p25 - p0) * (step / 64)
              : step <= 192
                ? p25 + (p75 - p25) * ((step - 64) / 128)
                : p75 + (p100 - p75) * ((step - 192) / 63);
        }
      }
      return values;
    },
  },
  CM2: {
    header: 16,
    shapeOf: packedShape,
    bytesOf: (rows, columns) => 2 * rows * columns,
    valuesOf(body, header, rows, columns) {
      const scale = scaleOf(header, 65535);
      return floatsOf(rows * columns, (i) => scale(body.readUInt16LE(2 * i)));
    },
  },
  CM3: {
    header: 16,
    shapeOf: packedShape,
    bytesOf: (rows, columns) => rows * columns,
    valuesOf(body, header, rows, columns) {
      const scale = scaleOf(header, 255);
      return floatsOf(rows * columns, (i) => scale(body[i]!));
    },
  },
};

/** A binary matrix up to its values; undefined where a text begins. */
function openBinary(file: ByteReader, offset: number, utterance: string) {
  if (file.size < offset + 2 || file.text(offset, offset + 2) !== '\0B') return undefined;
  const name = offset + 2;
  const kind = file.text(name, Math.min(name + 4, file.size)).split(' ')[0]!;
  const layout = layouts[kind];
  const known = Object.keys(layouts).join(', ');
  if (!layout) throw refuse(file.path, `"${utterance}" is ${JSON.stringify(kind)}, no matrix (${known})`);
  const start = name + kind.length + 1;
  const header = file.bytes(start, layout.header);
  const { rows, columns } = layout.shapeOf(header);
  if (!(rows >= 0 && columns >= 0)) throw refuse(file.path, `"${utterance}" is a matrix of ${rows} × ${columns}`);
  const body = start + layout.header;
  return { layout, header, rows, columns, body, end: body + layout.bytesOf(rows, columns) };
}

/** Where the next entry begins. */
function endOfMatrix(file: ByteReader, offset: number, utterance: string): number {
  const binary = openBinary(file, offset, utterance);
  if (!binary) return file.find(']', file.find('[', offset)) + 1;
  if (binary.end > file.size) throw cutOff(file.path);
  return binary.end;
}

function readMatrix(file: ByteReader, offset: number, utterance: string): Matrix {
  const binary = openBinary(file, offset, utterance);
  if (!binary) return textMatrix(file, offset, utterance);
  const { layout, header, rows, columns, body, end } = binary;
  return { rows, columns, values: layout.valuesOf(file.bytes(body, end - body), header, rows, columns) };
}

function textMatrix(file: ByteReader, offset: number, utterance: string): Matrix {
  const start = file.find('[', offset) + 1;
  if (file.text(offset, start - 1).trim() !== '') throw refuse(file.path, `"${utterance}" is no matrix`);
  const lines = file
    .text(start, file.find(']', start))
    .trim()
    .split(/\s*\n\s*/);
  const rows = lines.filter((line) => line !== '').map((line) => line.split(/\s+/).map(numberOf));
  const columns = rows[0]?.length ?? 0;
  if (rows.some((row) => row.length !== columns || row.some(Number.isNaN)))
    throw refuse(
      file.path,
      `"${utterance}" is no matrix: its rows differ in length, or hold something else than numbers`,
    );
  return { rows: rows.length, columns, values: Float32Array.from(rows.flat()) };
}

/** C++ writes infinities short. */
const numberOf = (text: string): number => Number(text.replace(/^(-?)inf$/, '$1Infinity'));

const refuse = (where: string, why: string): InputError =>
  new InputError(`Cannot read ${where}: ${why}; write the archive again, or check the path`);
const cutOff = (path: string): InputError => refuse(path, 'it is cut off');

/** A file of which any part is read; a window of it stays in memory. */
interface ByteReader {
  path: string;
  size: number;
  bytes(offset: number, length: number): Buffer;
  text(offset: number, end: number): string;
  /** The next place of a letter. */
  find(letter: string, offset: number): number;
  /** The next place that is no white space. */
  skipSpace(offset: number): number;
  close(): void;
}

const windowBytes = 1 << 16;

function createByteReader(path: string): ByteReader {
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  let window = { offset: 0, bytes: Buffer.alloc(0) };
  const bytes = (offset: number, length: number): Buffer => {
    if (offset + length > size) throw cutOff(path);
    if (offset < window.offset || offset + length > window.offset + window.bytes.length) {
      const wanted = Buffer.allocUnsafe(Math.min(Math.max(length, windowBytes), size - offset));
      let done = 0;
      while (done < wanted.length) {
        const count = readSync(file, wanted, done, wanted.length - done, offset + done);
        if (count === 0) throw cutOff(path);
        done += count;
      }
      window = { offset, bytes: wanted };
    }
    return window.bytes.subarray(offset - window.offset, offset - window.offset + length);
  };
  const search = (offset: number, placeIn: (piece: Buffer) => number): number | undefined => {
    for (let at = offset; at < size; at += windowBytes) {
      const place = placeIn(bytes(at, Math.min(windowBytes, size - at)));
      if (place >= 0) return at + place;
    }
    return undefined;
  };
  return {
    path,
    size,
    bytes,
    text: (offset, end) => bytes(offset, end - offset).toString('utf8'),
    find(letter, offset) {
      const place = search(offset, (piece) => piece.indexOf(letter));
      if (place === undefined) throw cutOff(path);
      return place;
    },
    skipSpace: (offset) => search(offset, (piece) => piece.findIndex((byte) => byte > 32)) ?? size,
    close: () => closeSync(file),
  };
}
