import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A stage of a chain: its program and its options without `--out`. */
export interface Step {
  name: string;
  argv: string[];
}

/** Every stage that writes, on real recordings, each in a few seconds; inputs lie in a folder, under the names of steps. */
export function smallChain(folder: string): Step[] {
  const at = (name: string): string => join(folder, name);
  const data = ['--data', at('data/dev')];
  const features = ['--features', at('features')];
  const alignment = ['--alignment', at('alignment')];
  const native = ['--engine', 'auto'];
  const parts = ['--shards', '4'];
  const training = ['--width', '24', '--dilations', '1', '--updates', '150', '--checkpoint-seconds', '0.2'];
  const dev = ['--dev-features', at('features'), '--dev-alignment', at('alignment')];
  const steps: Record<string, string[]> = {
    data: ['prepare_corpus', '--source', 'data/fsdd'],
    features: ['extract_features', ...data, '--jobs', '1', ...parts],
    alignment: ['align_labels', ...data, ...features],
    model: ['train_student', ...features, ...alignment, ...dev, ...training, ...native],
    logits: ['cache_logits', ...features, '--teacher', at('model'), ...native, ...parts],
    essence: ['filter_targets', '--logits', at('logits'), ...alignment, '--select', 'all', ...parts],
    weights: ['decode', ...data, '--posteriors', at('essence'), '--tune', '--acoustic-scales', '0.4', '--jobs', '1'],
    words: ['decode', ...data, '--posteriors', at('essence'), '--decoding', at('weights'), '--jobs', '1', ...parts],
    score: ['score', ...data, '--hypotheses', at('words'), '--arm', 'hard', '--size', 'small', '--seed', '0'],
  };
  return Object.entries(steps).map(([name, argv]) => ({ name, argv }));
}

/** How a call ended. */
export interface Ended {
  code: number | null;
  signal: string | null;
  stderr: string;
  milliseconds: number;
}

/** Calls the program of a step, killed after some time where that is given. */
export async function callStep({ argv: [program, ...argv] }: Step, out: string, killAfter?: number): Promise<Ended> {
  const started = performance.now();
  const child = spawn(process.execPath, [`dist/${program}.js`, ...argv, '--out', out], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  return await new Promise((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stderr, milliseconds: performance.now() - started });
    }),
  );
}

export const filesBelow = (path: string): string[] =>
  (readdirSync(path, { recursive: true, encoding: 'utf8' }) as string[])
    .filter((name) => statSync(join(path, name)).isFile())
    .sort();

/** What a stage wrote, by file: bytes, and of reports all but how long it took. */
export function writtenIn(path: string): [string, string][] {
  return filesBelow(path).map((name) => {
    const text = readFileSync(join(path, name), 'latin1');
    return [name, name.endsWith('.json') ? text.replace(/"[a-zA-Z]*[sS]econds": [\d.e-]+/g, '') : text];
  });
}
