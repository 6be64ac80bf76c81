import type { Ora } from 'ora';

/** What a person watching stderr gets to know. */
export interface Progress {
  /** A new piece of work, with the number of steps it takes where that is known. */
  start(text: string, total?: number): void;
  advance(steps?: number): void;
  /** A line that stays. */
  note(text: string): void;
  /** The end of the last piece of work. */
  stop(): void;
}

export const quiet: Progress = {
  start() {},
  advance() {},
  note() {},
  stop() {},
};

const secondsBetweenLines = 5;

/** A spinner on a terminal, otherwise a plain line every few seconds. */
export async function createProgress(
  name: string,
  stream: NodeJS.WritableStream & { isTTY?: boolean },
): Promise<Progress> {
  let label = '';
  let done = 0;
  let total: number | undefined;
  let since = Date.now();
  const state = () => `${name}: ${label}${total ? ` ${Math.floor((100 * done) / total)} %` : done ? ` ${done}` : ''}`;
  let spinner: Ora | undefined;
  if (stream.isTTY) spinner = (await import('ora')).default({ stream, discardStdin: false });
  const note = (text: string): void => {
    spinner?.clear();
    stream.write(`${name}: ${text}\n`);
  };
  return {
    note,
    start(text, steps) {
      label = text;
      done = 0;
      total = steps;
      since = Date.now();
      spinner?.start(state());
    },
    advance(steps = 1) {
      done += steps;
      if (spinner) spinner.text = state();
      else if (Date.now() - since > secondsBetweenLines * 1000) {
        since = Date.now();
        stream.write(`${state()}\n`);
      }
    },
    stop: () => void spinner?.stop(),
  };
}
