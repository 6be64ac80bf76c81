import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { InputError } from './errors.ts';
import { checkUtf8 } from './utf8_file.ts';

const lineFeed = 10;

function unpacked(file: Buffer, path: string): Buffer {
  try {
    return gunzipSync(file);
  } catch (error) {
    throw new InputError(`Cannot unpack ${path}: ${(error as Error).message}; get it again`);
  }
}

/**
 * The lines of a text file without their ends, one after another; one that was packed by gzip is unpacked.
 *
 * @throws {InputError} where it is damaged or not UTF-8
 */
export function* textLines(path: string): Generator<string> {
  const file = readFileSync(path);
  const bytes = checkUtf8(file[0] === 0x1f && file[1] === 0x8b ? unpacked(file, path) : file, path);
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(lineFeed, start);
    const end = found < 0 ? bytes.length : found;
    yield bytes.toString('utf8', start, end);
    start = end + 1;
  }
}
