import { statfsSync } from 'node:fs';
import { InputError } from './errors.ts';
import type { OutputFolder } from './output_folder.ts';
import type { Pace } from './pace.ts';

/** Bytes that may still be written below a folder. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** Steps, and their share of all, from which on the rest is taken to be like them. */
const enough = { steps: 100, share: 0.02 };

/** Bytes that a piece of work has still to write, in proportion; undefined while too little of it is done. */
export function bytesToCome({ done, total, bytesBefore }: Pace, bytesWritten: number): number | undefined {
  if (done < enough.steps || done < enough.share * total) return undefined;
  return ((bytesWritten - bytesBefore) / done) * (total - done);
}

/**
 * Stops a run, early, whose output the disk will not hold.
 *
 * @param partsToCome parts after this one, taken to be as large
 * @throws {InputError} saying how much is missing
 */
export function checkDiskHolds(out: OutputFolder, pace: Pace, { partsToCome = 0, free = freeBytes } = {}): void {
  const ofThis = bytesToCome(pace, out.bytesWritten());
  if (ofThis === undefined) return;
  const toCome = ofThis + partsToCome * (ofThis + out.bytesWritten());
  const left = free(out.path);
  if (toCome <= left) return;
  throw new InputError(
    `Cannot write ${out.path}: about ${megabytes(toCome)} MB are still to come, and the disk has ${megabytes(left)} MB left; free some space and run the same command again, or choose another folder`,
  );
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
