import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { InputError, UsageError } from './errors.ts';

/** What a worker of some program does with one task; arrays in results are handed over, not copied. */
export interface Work<Setup, Task, Result> {
  /** Name of the work, among those of its program. */
  name: string;
  /** Called once in each worker. */
  prepare(setup: Setup): (task: Task) => Promise<Result>;
}

interface Message {
  result?: unknown;
  /** Own fields, such as the code of a system call, included. */
  error?: { name: string; message: string };
}

const kinds: Record<string, new (message: string) => Error> = { InputError, UsageError };

/**
 * Does tasks in worker threads, and yields the results in the order of the tasks: they do not depend on how many there
 * are. With one, or from sources instead of a bundle, the work is done here.
 *
 * @param program the bundle that calls `serve` with the same work
 */
export async function* mapInWorkers<Setup, Task, Result>(
  work: Work<Setup, Task, Result>,
  { setup, tasks, count, program }: { setup: Setup; tasks: readonly Task[]; count: number; program: string },
): AsyncGenerator<Result> {
  const threads = Math.min(count, tasks.length);
  if (threads < 2 || !program.endsWith('.js')) {
    const run = work.prepare(setup);
    for (const task of tasks) yield await run(task);
    return;
  }
  const workers = Array.from(
    { length: threads },
    () => new Worker(program, { workerData: { work: work.name, setup }, argv: [] }),
  );
  const ask = (worker: Worker, task: Task): Promise<Result> =>
    new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', ({ result, error }: Message) => {
        worker.off('error', reject);
        if (!error) return resolve(result as Result);
        const Kind = kinds[error.name];
        reject(Kind ? new Kind(error.message) : Object.assign(new Error(error.message), error));
      });
      worker.postMessage(task);
    });
  try {
    // task i is worker i mod n's: each has one in hand and one waiting, so nothing piles up
    const last = workers.map(() => Promise.resolve() as Promise<unknown>);
    const pending: Promise<Result>[] = [];
    const start = (i: number): void => {
      const own = i % threads;
      const result = last[own]!.then(() => ask(workers[own]!, tasks[i]!));
      last[own] = result;
      result.catch(() => {}); // reported when its turn comes
      pending.push(result);
    };
    let next = 0;
    while (next < Math.min(tasks.length, 2 * threads)) start(next++);
    for (let i = 0; i < tasks.length; i++) {
      yield await pending.shift()!;
      if (next < tasks.length) start(next++);
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** In a worker thread started for this work: does tasks until the main thread has no more. */
export function serve<Setup, Task, Result>(work: Work<Setup, Task, Result>): void {
  if (isMainThread || workerData?.work !== work.name) return;
  const run = work.prepare(workerData.setup as Setup);
  parentPort!.on('message', async (task: Task) => {
    try {
      const result = await run(task);
      parentPort!.postMessage({ result }, buffersOf(result));
    } catch (error) {
      const { name, message, stack } = error as Error;
      parentPort!.postMessage({ error: { ...(error as object), name, message, stack } });
    }
  });
}

/** Memory of all arrays in a value, to be handed over. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
  if (value && typeof value === 'object') return [...new Set(Object.values(value).flatMap(buffersOf))];
  return [];
}
