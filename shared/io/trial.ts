import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOutputFolder, type OutputFolder } from './output_folder.ts';
import { followPace } from './pace.ts';
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
  const { pace, progress } = followPace(out, quiet);
  const watch = (): void => {
    if (pace.total > 0 && pace.done > 0 && performance.now() - pace.since > trialMilliseconds) throw new Enough();
  };
  let tried = 1;
  try {
    await run({ out, progress, watch });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    tried = pace.done / pace.total;
  } finally {
    out.discard();
    rmSync(folder, { recursive: true, force: true });
  }
  const { since, bytesBefore } = pace;
  const inProportion = (before: number, now: number): number => before + (now - before) / tried;
  return {
    estimatedSeconds: inProportion(since - started, performance.now() - started) / 1000,
    estimatedBytes: Math.round(tried === 1 ? out.bytesWritten() : inProportion(bytesBefore, out.bytesWritten())),
    tried,
  };
}
