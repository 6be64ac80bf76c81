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

/** Threads that do tasks of one kind. */
export interface Workers<Task, Result> {
  count: number;
  /** Each thread does its tasks one after another; task i is thread i mod n's. */
  run(task: Task): Promise<Result>;
  close(): Promise<void>;
}

/**
 * Starts worker threads. With one, or from sources instead of a bundle, the work is done here.
 *
 * @param program the bundle that calls `serve` with the same work
 */
export function openWorkers<Setup, Task, Result>(
  work: Work<Setup, Task, Result>,
  { setup, count, program }: { setup: Setup; count: number; program: string },
): Workers<Task, Result> {
  if (count < 2 || !program.endsWith('.js')) {
    return { count: 1, run: work.prepare(setup), close: async () => {} };
  }
  const workers = Array.from(
    { length: count },
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
  const last = workers.map(() => Promise.resolve() as Promise<unknown>);
  let next = 0;
  return {
    count,
    run(task) {
      const own = next++ % count;
      const result = last[own]!.then(() => ask(workers[own]!, task));
      last[own] = result;
      result.catch(() => {}); // whoever awaits it is told
      return result;
    },
    close: async () => void (await Promise.all(workers.map((worker) => worker.terminate()))),
  };
}

/** Results in the order of the tasks; each thread has one in hand and one waiting, so nothing piles up. */
export async function* mapInOrder<Task, Result>(
  workers: Workers<Task, Result>,
  tasks: Iterable<Task> | AsyncIterable<Task>,
): AsyncGenerator<Result> {
  const pending: Promise<Result>[] = [];
  for await (const task of tasks) {
    pending.push(workers.run(task));
    if (pending.length === 2 * workers.count) yield await pending.shift()!;
  }
  while (pending.length > 0) yield await pending.shift()!;
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
