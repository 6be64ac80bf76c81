import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { InferenceModel, io, Tensor } from '@tensorflow/tfjs-core';
import { InputError } from '../io/errors.ts';
import { chooseName, type ForeignModel, type ForeignModelSource, foreignModel, type Runtime } from './foreign_model.ts';
import type { TensorFlow } from './products.ts';

/** What the native package has beside. */
type NativeTensorFlow = TensorFlow & {
  node?: { loadSavedModel(path: string, tags: string[], signature: string): Promise<unknown> };
};

/**
 * Opens a SavedModel (TensorFlow's native library alone reads it) or a TF.js model, of a graph or of layers.
 *
 * @throws {InputError} when it cannot be read, or not by this engine
 */
export async function openTensorFlowModel(
  tf: TensorFlow,
  source: ForeignModelSource,
  { engine }: { engine: string },
): Promise<ForeignModel> {
  const { path, lengths } = source;
  if (lengths) throw new InputError(`Cannot use ${path}: model.lengths is for ONNX models alone; leave it out`);
  try {
    return foreignModel(
      source,
      await (source.format === 'tfjs' ? openTfjs(tf, source) : openSavedModel(tf, source, engine)),
    );
  } catch (error) {
    if (error instanceof InputError || (error as NodeJS.ErrnoException).syscall) throw error;
    throw new InputError(
      `Cannot read ${path} with the ${engine} engine: ${String((error as Error).message).split('\n')[0]}; save it again, or convert it to ONNX`,
    );
  }
}

async function openSavedModel(tf: NativeTensorFlow, source: ForeignModelSource, engine: string): Promise<Runtime> {
  const { path, tags = ['serve'], signature = 'serving_default' } = source;
  if (!tf.node) {
    throw new InputError(
      `Cannot read the SavedModel ${path} with the ${engine} engine: only TensorFlow's native library does; take --engine native, or convert it to TF.js (tensorflowjs_converter) or ONNX (tf2onnx)`,
    );
  }
  const model = (await tf.node.loadSavedModel(path, [...tags], signature)) as SavedModel;
  const input = chooseName(path, 'input', Object.keys(model.signature.inputs), source.input);
  const output = chooseName(path, 'output', Object.keys(model.signature.outputs), source.output);
  return {
    run: (features) =>
      running(tf, features, async (tensor) => {
        const { [output]: answer, ...others } = model.predict({ [input]: tensor }, {}) as Record<string, Tensor>;
        for (const other of Object.values(others)) other.dispose();
        return answer!;
      }),
    dispose: async () => model.dispose(),
  };
}

/** The names by which it is called; the package's types keep them to themselves. */
interface SavedModel extends InferenceModel {
  signature: { inputs: Record<string, unknown>; outputs: Record<string, unknown> };
  dispose(): void;
}

async function openTfjs(tf: TensorFlow, source: ForeignModelSource): Promise<Runtime> {
  const { path } = source;
  const handler: io.IOHandler = { load: async () => readTfjs(path) };
  if (JSON.parse(readFileSync(path, 'utf8')).format === 'layers-model') {
    const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
    const model = await loadLayersModel(handler);
    const [inputs, outputs] = [model.inputs, model.outputs].map((tensors) => tensors.map(({ name }) => name));
    chooseName(path, 'input', inputs!, source.input);
    const place = outputs!.indexOf(chooseName(path, 'output', outputs!, source.output));
    return {
      run: (features) =>
        running(tf, features, async (tensor) => {
          const answers = [model.predict(tensor) as Tensor | Tensor[]].flat();
          for (const [i, other] of answers.entries()) if (i !== place) other.dispose();
          return answers[place]!;
        }),
      dispose: async () => void model.dispose(),
    };
  }
  const { loadGraphModel } = await import('@tensorflow/tfjs-converter');
  const model = await loadGraphModel(handler);
  const named = (signature: unknown, nodes: readonly string[]): Record<string, string> => {
    const entries = Object.entries((signature ?? {}) as Record<string, { name: string }>);
    return entries.length > 0
      ? Object.fromEntries(entries.map(([key, { name }]) => [key, name]))
      : Object.fromEntries(nodes.map((node) => [node, node]));
  };
  const signature = model.modelSignature as { inputs?: unknown; outputs?: unknown } | undefined;
  const [inputs, outputs] = [named(signature?.inputs, model.inputNodes), named(signature?.outputs, model.outputNodes)];
  const input = inputs[chooseName(path, 'input', Object.keys(inputs), source.input)]!;
  const output = outputs[chooseName(path, 'output', Object.keys(outputs), source.output)]!;
  let isDynamic = false;
  const answer = async (tensor: Tensor): Promise<Tensor> => {
    if (isDynamic) return (await model.executeAsync({ [input]: tensor }, output)) as Tensor;
    try {
      return model.execute({ [input]: tensor }, output) as Tensor;
    } catch (error) {
      if (!/executeAsync/.test((error as Error).message)) throw error;
      isDynamic = true; // it has loops or branches
      return answer(tensor);
    }
  };
  return {
    run: (features) => running(tf, features, answer),
    dispose: async () => model.dispose(),
  };
}

/** `model.json` and the weights beside it. */
function readTfjs(path: string): io.ModelArtifacts {
  const { modelTopology, weightsManifest, format, signature, userDefinedMetadata } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  const groups: { paths: string[]; weights: io.WeightsManifestEntry[] }[] = weightsManifest ?? [];
  const pieces = groups.flatMap(({ paths }) => paths.map((name) => readFileSync(join(dirname(path), name))));
  return {
    ...{ modelTopology, format, signature, userDefinedMetadata },
    weightSpecs: groups.flatMap(({ weights }) => weights),
    weightData: new Uint8Array(Buffer.concat(pieces)).buffer,
  };
}

/** A model run on a tensor of features; both tensors are gone afterwards. */
async function running(
  tf: TensorFlow,
  { values, shape }: { values: Float32Array; shape: readonly number[] },
  answer: (features: Tensor) => Promise<Tensor>,
) {
  const features = tf.tensor(values, [...shape], 'float32');
  try {
    const tensor = await answer(features);
    const result = { values: Float32Array.from(await tensor.data()), shape: tensor.shape };
    tensor.dispose();
    return result;
  } finally {
    features.dispose();
  }
}
