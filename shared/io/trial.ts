import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOutputFolder, type OutputFolder } from './output_folder.ts';
import { type Progress, quiet } from './progress.ts';

/** What a run is expected to take. */
export interface Estimate {
  estimatedSeconds: number;
  estimatedBytes: number;
  /** Share of the work that the estimate has tried out, in a folder that is gone. */
  tried: number;
}

export interface Trial {
  out: OutputFolder;
  progress: Progress;
  /** To be called now and then; throws when enough was seen. */
  watch: () => void;
}

class Enough extends Error {}

/** Steps of a piece of work are timed for so long. */
const trialMilliseconds = 2000;

/**
 * Tries a run out, for a few seconds and in a temporary folder, and goes on in proportion.
 *
 * @param run does the work, and may be left in the middle by what `watch` throws
 */
export async function estimateRun(run: (trial: Trial) => Promise<unknown>): Promise<Estimate> {
  const folder = mkdtempSync(join(tmpdir(), 'dry-run-'));
  const out = createOutputFolder(folder);
  const started = performance.now();
  const work = { since: started, bytes: 0, done: 0, total: 0 };
  const progress: Progress = {
    ...quiet,
    start: (_, total = 0) =>
      Object.assign(work, { since: performance.now(), bytes: out.bytesWritten(), done: 0, total }),
    advance: (steps = 1) => {
      work.done += steps;
    },
  };
  const watch = (): void => {
    if (work.total > 0 && work.done > 0 && performance.now() - work.since > trialMilliseconds) throw new Enough();
  };
  let tried = 1;
  try {
    await run({ out, progress, watch });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    tried = work.done / work.total;
  } finally {
    out.discard();
    rmSync(folder, { recursive: true, force: true });
  }
  const { since, bytes } = work;
  const inProportion = (before: number, now: number): number => before + (now - before) / tried;
  return {
    estimatedSeconds: inProportion(since - started, performance.now() - started) / 1000,
    estimatedBytes: Math.round(tried === 1 ? out.bytesWritten() : inProportion(bytes, out.bytesWritten())),
    tried,
  };
}
