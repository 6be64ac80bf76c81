import { createRequire } from 'node:module';
import { InputError } from '../io/errors.ts';
import { chooseName, type ForeignModel, type ForeignModelSource, foreignModel } from './foreign_model.ts';

const packageName = 'onnxruntime-node';
const require = createRequire(import.meta.url);

/** Its version decides last digits; "absent" where it is not installed. Nothing of it is loaded. */
export function onnxRuntimeVersion(): string {
  try {
    return require(`${packageName}/package.json`).version;
  } catch {
    return 'absent';
  }
}

/**
 * Opens an ONNX model with ONNX Runtime, on the processor.
 *
 * @throws {InputError} when the runtime is not installed, or does not read the model
 */
export async function openOnnxModel(
  source: ForeignModelSource,
  { threads }: { threads: number },
): Promise<ForeignModel> {
  const { path, lengths } = source;
  const { InferenceSession, Tensor } = loadRuntime(path);
  const options = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  } as const;
  const session = await InferenceSession.create(path, options).catch((error: Error) => {
    throw new InputError(`Cannot read ${path}: ${error.message.split('\n')[0]}; export it again as ONNX`);
  });
  const inputs = session.inputNames.filter((name) => name !== lengths);
  const input = chooseName(path, 'input', inputs, source.input);
  const output = chooseName(path, 'output', session.outputNames, source.output);
  return foreignModel(source, {
    async run({ values, shape }, frames) {
      const feeds = {
        [input]: new Tensor('float32', values, shape),
        ...(lengths && { [lengths]: new Tensor('int64', BigInt64Array.of(BigInt(frames)), [1]) }),
      };
      const answer = (await session.run(feeds, [output]))[output]!;
      return { values: Float32Array.from(answer.data as Float32Array), shape: answer.dims };
    },
    dispose: () => session.release(),
  });
}

/** Loaded where an ONNX teacher needs it, and nowhere else. */
function loadRuntime(path: string): typeof import('onnxruntime-node') {
  try {
    return require(packageName);
  } catch (error) {
    throw new InputError(
      `Cannot run ${path}: ${packageName} does not load (${String((error as Error).message).split('\n')[0]}); install it with "npm ci --ignore-scripts", on a platform it has`,
    );
  }
}
