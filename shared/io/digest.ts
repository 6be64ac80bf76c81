import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Hexadecimal SHA-256 of text or bytes. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A file from front to back; what is handed on is overwritten afterwards. */
export function readPieces(path: string, take: (bytes: Uint8Array) => void): void {
  const buffer = Buffer.allocUnsafe(1 << 20);
  const file = openSync(path, 'r');
  try {
    for (let count = readSync(file, buffer); count > 0; count = readSync(file, buffer)) take(buffer.subarray(0, count));
  } finally {
    closeSync(file);
  }
}

/** SHA-256 of a file, read in pieces. */
export function fileSha256(path: string): string {
  const hash = createHash('sha256');
  readPieces(path, (bytes) => hash.update(bytes));
  return hash.digest('hex');
}

/** What a file, or everything below a folder, holds: a digest of relative names and contents. */
export function contentDigest(path: string): string {
  if (statSync(path).isFile()) return fileSha256(path);
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  return sha256(
    JSON.stringify(
      names.filter((name) => statSync(join(path, name)).isFile()).map((name) => [name, fileSha256(join(path, name))]),
    ),
  );
}

/** Files that are known by their size where nobody listens: audio, and Kaldi's archives. */
const bulk = /\.(wav|flac|opus|ogg|oga|mp3|ark)$/i;

/**
 * What a folder holds below it, as far as it can be told without listening: names of all files, sizes of audio, contents of
 * the others. Hundreds of hours take seconds.
 */
export function textsId(path: string): string {
  if (statSync(path).isFile()) return fileSha256(path);
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => ({ name, file: join(path, name), stat: statSync(join(path, name), { throwIfNoEntry: false }) }))
    .filter(({ stat }) => stat?.isFile());
  return keyOf(files.map(({ name, file, stat }) => [name, bulk.test(name) ? stat!.size : fileSha256(file)]));
}

/** The key of a piece of work: a hash of everything that its result depends on, whatever the order of the keys. */
export function keyOf(parts: unknown): string {
  return sha256(JSON.stringify(sortKeys(parts))).slice(0, 32);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, part]) => [name, sortKeys(part)]));
}

/** Digest of a token list, as the files carry it in `kd.tokens`. */
export const tokensDigest = (text: string): string => sha256(text).slice(0, 16);
