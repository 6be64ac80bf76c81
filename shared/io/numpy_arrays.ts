import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { fromHalf } from '../math/half.ts';
import { InputError } from './errors.ts';
import type { Matrix, MatrixTable } from './matrix_table.ts';

/**
 * Opens a folder of numpy arrays, `UTTERANCE.npy` or `UTTERANCE.npz` of one array each: float16, float32 or float64, of two
 * dimensions, or of three with the first one 1.
 *
 * @throws {InputError} when it holds none, or an utterance twice
 */
export function openNumpyFolder(path: string): MatrixTable {
  const places = new Map<string, string>();
  for (const name of readdirSync(path).sort()) {
    const utterance = /^(.+)\.np[yz]$/.exec(name)?.[1];
    if (!utterance) continue;
    if (places.has(utterance)) throw refuse(path, `it has "${utterance}" as .npy and as .npz: keep one`);
    places.set(utterance, join(path, name));
  }
  if (places.size === 0) throw refuse(path, 'it holds no .npy or .npz');
  return {
    path,
    utterances: [...places.keys()],
    files: [...places.values()],
    has: (utterance) => places.has(utterance),
    read(utterance) {
      const file = places.get(utterance);
      if (!file) throw refuse(path, `it has no "${utterance}.npy" or "${utterance}.npz"`);
      return readNumpyMatrix(file);
    },
    close() {},
  };
}

/** The matrix of a `.npy` file, or of a `.npz` of one array. */
export function readNumpyMatrix(file: string): Matrix {
  const bytes = readFileSync(file);
  try {
    return matrixOf(file.endsWith('.npz') ? onlyEntry(bytes) : bytes);
  } catch (error) {
    if (error instanceof RangeError) throw refuse(file, 'it is cut off or spoilt');
    if (error instanceof SyntaxError) throw refuse(file, error.message);
    throw error;
  }
}

/** Little-endian, as this machine is. */
const elements: Record<string, (bytes: ArrayBuffer) => ArrayLike<number>> = {
  '<f2': (bytes) => fromHalf(new Uint16Array(bytes)),
  '<f4': (bytes) => new Float32Array(bytes),
  '<f8': (bytes) => new Float64Array(bytes),
};

/** @see numpy.lib.format */
function matrixOf(bytes: Buffer): Matrix {
  if (bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw new SyntaxError('it is no numpy array');
  const start = bytes[6] === 1 ? 10 : 12;
  const end = start + (start === 10 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const header = bytes.toString('latin1', start, end);
  const kind = /'descr': *'([^']*)'/.exec(header)?.[1] ?? header;
  const elementsOf = elements[kind];
  if (!elementsOf) throw new SyntaxError(`its values are ${kind}, not ${Object.keys(elements).join(', ')}`);
  const shape = /'shape': *\(([\d, ]*)\)/.exec(header)?.[1]?.match(/\d+/g)?.map(Number) ?? [];
  const [rows, columns] = shape.length === 3 && shape[0] === 1 ? shape.slice(1) : shape;
  if (rows === undefined || columns === undefined || shape.length > 3 || (shape.length === 3 && shape[0] !== 1))
    throw new SyntaxError(`its shape is (${shape}), not (frames, tokens)`);
  const stored = elementsOf(new Uint8Array(bytes.subarray(end)).buffer);
  if (stored.length !== rows * columns) throw new RangeError();
  if (!/'fortran_order': *True/.test(header)) return { rows, columns, values: Float32Array.from(stored) };
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < values.length; i++) values[i] = stored[(i % columns) * rows + Math.floor(i / columns)]!;
  return { rows, columns, values };
}

/** The file in a zip archive of one. */
function onlyEntry(zip: Buffer): Buffer {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new SyntaxError('it is no zip archive, or cut off');
  const count = zip.readUInt16LE(end + 10);
  if (count !== 1) throw new SyntaxError(`it holds ${count} arrays, not one`);
  const directory = zip.readUInt32LE(end + 16);
  const method = zip.readUInt16LE(directory + 10);
  const packed = zip.readUInt32LE(directory + 20);
  const local = zip.readUInt32LE(directory + 42);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const content = zip.subarray(start, start + packed);
  if (method === 0) return content;
  if (method === 8) return inflateRawSync(content);
  throw new SyntaxError(`it is packed with method ${method}, neither stored nor deflated`);
}

const refuse = (where: string, why: string): InputError =>
  new InputError(`Cannot read ${where}: ${why}; write it again with numpy.save, or check the path`);
