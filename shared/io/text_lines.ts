import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const lineFeed = 10;

/** The lines of a text file without their ends, one after another; one that was packed by gzip is unpacked. */
export function* textLines(path: string): Generator<string> {
  const file = readFileSync(path);
  const bytes = file[0] === 0x1f && file[1] === 0x8b ? gunzipSync(file) : file;
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(lineFeed, start);
    const end = found < 0 ? bytes.length : found;
    yield bytes.toString('utf8', start, end);
    start = end + 1;
  }
}
