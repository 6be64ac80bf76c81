import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { InputError } from './errors.ts';

/**
 * The bytes of a text, if they are UTF-8.
 *
 * @throws {InputError} naming the first line that is not
 */
export function checkUtf8(bytes: Buffer, file: string): Buffer {
  if (isUtf8(bytes) && !bytes.includes(0)) return bytes;
  let line = 1;
  for (let start = 0; ; line++) {
    const end = bytes.indexOf(10, start);
    const part = bytes.subarray(start, end < 0 ? bytes.length : end);
    if (end < 0 || !isUtf8(part) || part.includes(0)) break;
    start = end + 1;
  }
  throw new InputError(
    `Cannot read ${file}, line ${line}: it is no text in UTF-8; convert it, as with iconv -f latin1 -t utf-8`,
  );
}

/** The text of a file. @throws {InputError} as `checkUtf8` */
export const readUtf8 = (file: string): string => checkUtf8(readFileSync(file), file).toString('utf8');
