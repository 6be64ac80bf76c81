import type { OutputFolder } from './output_folder.ts';
import type { Progress } from './progress.ts';

/** How far the piece of work is that a run has in hand. */
export interface Pace {
  /** When it began, as `performance.now()` has it. */
  since: number;
  /** Bytes that were written before it. */
  bytesBefore: number;
  done: number;
  /** Steps of it, 0 where nobody knows. */
  total: number;
}

/** Follows the progress of a run, which is handed on. */
export function followPace(
  out: Pick<OutputFolder, 'bytesWritten'>,
  progress: Progress,
): { pace: Pace; progress: Progress } {
  const pace: Pace = { since: performance.now(), bytesBefore: 0, done: 0, total: 0 };
  return {
    pace,
    progress: {
      ...progress,
      start(text, total = 0) {
        Object.assign(pace, { since: performance.now(), bytesBefore: out.bytesWritten(), done: 0, total });
        progress.start(text, total || undefined);
      },
      advance(steps = 1) {
        pace.done += steps;
        progress.advance(steps);
      },
    },
  };
}
