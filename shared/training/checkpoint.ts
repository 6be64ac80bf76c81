import { createHash } from 'node:crypto';
import type { OutputFolder } from '../io/output_folder.ts';

/** A training that can be left and taken up again. */
export interface Training {
  /** Of the run; another one's checkpoint is not taken up. */
  id: string;
  /** Where it stands: what JSON can hold. */
  standing: object;
  arrays: readonly (Float32Array | Float64Array)[];
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function digestOf(standing: object, arrays: readonly Uint8Array[]): string {
  const hash = createHash('sha256').update(JSON.stringify(standing));
  for (const bytes of arrays) hash.update(bytes);
  return hash.digest('hex');
}

function headOf(line: string): { id: string; digest: string; standing: object } | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Keeps where a training stands: a line of JSON, then the arrays as they lie in memory. */
export function writeCheckpoint(out: Pick<OutputFolder, 'writeCheckpoint'>, { id, standing, arrays }: Training): void {
  const bytes = arrays.map(bytesOf);
  const digest = digestOf(standing, bytes);
  out.writeCheckpoint([Buffer.from(`${JSON.stringify({ id, digest, standing })}\n`), ...bytes]);
}

/** Takes up the checkpoint of the same run, where there is one that is whole: fills what stands and the arrays, and returns true. */
export function readCheckpoint(out: Pick<OutputFolder, 'readCheckpoint'>, { id, standing, arrays }: Training): boolean {
  const bytes = out.readCheckpoint();
  const end = bytes?.indexOf('\n') ?? -1;
  if (!bytes || end < 0) return false;
  const found = headOf(bytes.toString('utf8', 0, end));
  if (found?.id !== id || found.digest !== digestOf(found.standing, [bytes.subarray(end + 1)])) return false;
  Object.assign(standing, found.standing);
  let place = end + 1;
  for (const array of arrays) {
    bytesOf(array).set(bytes.subarray(place, place + array.byteLength));
    place += array.byteLength;
  }
  return true;
}
