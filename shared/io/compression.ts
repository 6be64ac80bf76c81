import type * as Zstd from '@bokuweb/zstd-wasm';

/** How the columns of an Arrow file may be compressed. */
export const compressions = ['zstd'] as const;
export type Compression = (typeof compressions)[number];

/** Higher ones gain 1 or 2 %, at a third of the speed. */
const level = 1;
const prefixBytes = 8;
/** In place of a length: what follows is not compressed. */
const plain = -1n;

let zstd: typeof Zstd | undefined;

/** Loads the compressor, which takes a moment: once, before any buffer. */
export async function openCompression(): Promise<void> {
  if (zstd) return;
  const loaded = await import('@bokuweb/zstd-wasm');
  await loaded.init();
  zstd = loaded;
}

/**
 * A buffer as a compressed Arrow file has it.
 *
 * @returns its length as int64, or −1 where it stays as it is; and the bytes. Both are empty where it is
 * @see Arrow columnar format, Message.fbs, BodyCompression
 */
export function compressBuffer(bytes: Uint8Array): [prefix: Uint8Array, content: Uint8Array] {
  if (bytes.length === 0) return [bytes, bytes];
  const compressed = loaded().compress(bytes, level);
  const pays = compressed.length < bytes.length;
  const prefix = new Uint8Array(prefixBytes);
  new DataView(prefix.buffer).setBigInt64(0, pays ? BigInt(bytes.length) : plain, true);
  return [prefix, pays ? compressed : bytes];
}

/**
 * A buffer as it was before.
 *
 * @throws {Error} when it is spoilt
 */
export function expandBuffer(stored: ArrayBuffer): ArrayBuffer {
  if (stored.byteLength === 0) return stored;
  if (stored.byteLength < prefixBytes) throw new Error('a compressed column is cut off');
  const length = new DataView(stored).getBigInt64(0, true);
  if (length === plain) return stored.slice(prefixBytes);
  let bytes: Uint8Array;
  try {
    bytes = loaded().decompress(new Uint8Array(stored, prefixBytes));
  } catch {
    throw new Error('a compressed column is spoilt');
  }
  if (BigInt(bytes.length) !== length) throw new Error('a compressed column is spoilt');
  return bytes.buffer as ArrayBuffer;
}

function loaded(): typeof Zstd {
  if (!zstd) throw new Error('Cannot compress or expand before openCompression()');
  return zstd;
}
