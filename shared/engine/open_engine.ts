import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../io/errors.ts';
import { openKernels } from '../math/kernels/open_kernels.ts';
import type { Engine } from './engine.ts';
import { createNetwork } from './network.ts';
import { openOnnxModel } from './onnx_model.ts';
import { nativeProducts, portableProducts, type TensorFlow } from './products.ts';
import { openTensorFlowModel } from './tensorflow_model.ts';

/** The native package, where `make` put it. */
const nativePackage = '.engine/node_modules/@tensorflow/tfjs-node-gpu';

interface Loaded {
  tf: TensorFlow;
  version: string;
  gpu: boolean;
}

const loaders = { native: loadNative, wasm: loadWasm, cpu: loadCpu } as const;
type EngineName = keyof typeof loaders;

/**
 * The best engine there is, or the one asked for.
 *
 * @param threads of the engine; counts only for the first engine a process opens
 * @param root folder that holds `.engine`
 * @throws {UsageError} when the engine asked for is not there
 */
export async function openEngine({
  engine,
  threads,
  root = rootFolder(),
}: {
  engine: string;
  threads: number;
  root?: string;
}): Promise<Engine> {
  const names = engine === 'auto' ? (Object.keys(loaders) as EngineName[]) : [engine as EngineName];
  let reason = 'it is not installed';
  for (const name of names) {
    try {
      const loaded = await loaders[name](threads, root);
      if (loaded) return engineOf(name, loaded, threads);
    } catch (error) {
      reason = `it does not load (${String(error).split('\n')[0]})`;
    }
  }
  const remedy = 'run "bash pipelines/setup/install_engine.sh" in the repository, or take --engine wasm';
  throw new UsageError(`Cannot use the ${engine} engine: ${reason}; ${remedy}`);
}

function engineOf(name: EngineName, { tf, version, gpu }: Loaded, threads: number): Engine {
  const products = name === 'native' ? nativeProducts(tf) : portableProducts(tf);
  const kernels = openKernels().name;
  const processor = cpus()[0]?.model ?? process.arch;
  return {
    name,
    // threads, processor and kernels decide the order of sums
    identity: JSON.stringify([name, version, gpu, threads, process.arch, kernels]),
    describe: () => ({ name, version, gpu, threads, processor, kernels }),
    tensorCount: () => tf.memory().numTensors,
    createNetwork: (architecture, weights) => createNetwork(products, architecture, weights),
    openForeignModel: (source) =>
      source.format === 'onnx' ? openOnnxModel(source, { threads }) : openTensorFlowModel(tf, source, { engine: name }),
  };
}

/** The folder of the repository or package this file runs from. */
function rootFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

async function loadNative(threads: number, root: string): Promise<Loaded | undefined> {
  const folder = join(root, nativePackage);
  if (!existsSync(join(root, '.engine/status.json')) || !existsSync(folder)) return undefined;
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  process.env.TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL ??= '0'; // the other way to oneDNN's kernel: see products.ts
  for (const name of ['TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS', 'OMP_NUM_THREADS']) {
    process.env[name] = String(threads);
  }
  const require = createRequire(import.meta.url);
  const util = require('node:util');
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined; // gone from Node 23
  const tf = require(folder);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  await tf.setBackend('tensorflow'); // an engine opened before may have taken its place
  const { binding, isUsingGpuDevice } = tf.backend();
  return { tf, version: `tfjs-node-gpu ${version}, TensorFlow ${binding.TF_Version}`, gpu: isUsingGpuDevice };
}

async function loadWasm(threads: number): Promise<Loaded | undefined> {
  const tf = await import('@tensorflow/tfjs-core');
  const { setThreadsCount, version_wasm } = await import('@tensorflow/tfjs-backend-wasm');
  setThreadsCount(threads);
  if (!(await tf.setBackend('wasm'))) return undefined;
  return { tf: tf as unknown as TensorFlow, version: `tfjs-backend-wasm ${version_wasm}`, gpu: false };
}

async function loadCpu(): Promise<Loaded | undefined> {
  const tf = await import('@tensorflow/tfjs-core');
  const { version_cpu } = await import('@tensorflow/tfjs-backend-cpu');
  tf.env().set('PROD', true); // no advertisement on stderr
  await tf.setBackend('cpu');
  return { tf: tf as unknown as TensorFlow, version: `tfjs-backend-cpu ${version_cpu}`, gpu: false };
}
