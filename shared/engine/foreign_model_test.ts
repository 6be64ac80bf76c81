import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from '../io/errors.ts';
import { readNumpyMatrix } from '../io/numpy_arrays.ts';
import { temporaryFolder } from '../io/testdata/temporary_folder.ts';
import { type ForeignModelSource, foreignModel } from './foreign_model.ts';
import { openEngine } from './open_engine.ts';

const made = 'shared/engine/testdata/foreign';
const { features, ...golden } = JSON.parse(readFileSync(`${made}/golden.json`, 'utf8'));
const bins = 5;
const input = Float32Array.from(features as number[]);
const engines = ['native', 'wasm', 'cpu'].filter((name) => name !== 'native' || existsSync('.engine/status.json'));

const sources: [golden: string, source: ForeignModelSource][] = [
  ['onnx', { format: 'onnx', path: `${made}/model.onnx` }],
  ['onnx', { format: 'onnx', path: `${made}/model.onnx`, input: 'features', output: 'logits' }],
  ['tensorflow', { format: 'saved-model', path: `${made}/saved_model` }],
  ['tensorflow', { format: 'tfjs', path: `${made}/tfjs_graph/model.json` }],
  ['tensorflow', { format: 'tfjs', path: `${made}/tfjs_graph/model.json`, output: 'logits' }],
  ['tensorflowLayers', { format: 'tfjs', path: `${made}/tfjs_layers/model.json` }],
];
for (const name of engines) {
  for (const [key, source] of sources) {
    if (source.format === 'saved-model' && name !== 'native') continue;
    test(`a ${source.format} model answers with the ${name} engine as the framework that made it: ${source.path}`, async () => {
      const engine = await openEngine({ engine: name, threads: 1 });
      const model = await engine.openForeignModel(source);
      const before = engine.tensorCount();
      for (let time = 0; time < 2; time++) {
        const { values, columns } = await model.forward({ values: input, columns: bins });
        const { shape, values: expected } = golden[key] as { shape: number[]; values: number[] };
        assert.deepEqual([values.length / columns, columns], shape);
        for (const [i, value] of values.entries())
          assert.ok(Math.abs(value - expected[i]!) < 1e-5, `${i}: ${value}, ${expected[i]}`);
      }
      assert.equal(engine.tensorCount(), before);
      await model.dispose();
    });
  }
}

test('a model answers whatever the order of its axes', async () => {
  const square = {
    run: async (given: { values: Float32Array; shape: readonly number[] }) => given,
    dispose: async () => {},
  };
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);
  for (const axes of ['BTF', 'BFT', 'TF', 'FT'] as const) {
    const shapes: (readonly number[])[] = [];
    const runtime = {
      ...square,
      run(given: Parameters<typeof square.run>[0]) {
        shapes.push(given.shape);
        return square.run(given);
      },
    };
    const model = foreignModel({ format: 'onnx', path: 'x', inputAxes: axes, outputAxes: axes }, runtime);
    assert.deepEqual(await model.forward({ values, columns: 3 }), { values, columns: 3 });
    const sides = axes.endsWith('TF') ? [2, 3] : [3, 2];
    assert.deepEqual(shapes, [axes.startsWith('B') ? [1, ...sides] : sides]);
  }
});

const folder = temporaryFolder();
writeFileSync(join(folder, 'noise.onnx'), 'no model');
copyFileSync(`${made}/tfjs_graph/model.json`, join(folder, 'model.json'));
const onnx = sources[0]![1];
const bad: [name: string, engine: string, source: ForeignModelSource, message: RegExp][] = [
  [
    'what is no ONNX',
    'cpu',
    { format: 'onnx', path: join(folder, 'noise.onnx') },
    /Cannot read .*noise\.onnx: .*export it again/,
  ],
  ['an input it does not have', 'cpu', { ...onnx, input: 'x' }, /its inputs are features, and its description names x/],
  [
    'an output it does not have',
    'cpu',
    { ...onnx, output: 'y' },
    /its outputs are logits, and its description names y/,
  ],
  ['features of other axes', 'cpu', { ...onnx, inputAxes: 'TF' }, /Cannot run .* on features of shape \[20,5\]/],
  ['an answer of other axes', 'cpu', { ...onnx, outputAxes: 'TF' }, /its shape is \[1,7,4\], not that of TF/],
  [
    'a SavedModel without TensorFlow',
    'cpu',
    sources[2]![1],
    /only TensorFlow's native library does; take --engine native, or convert/,
  ],
  ['lengths to TF.js', 'cpu', { ...sources[3]![1], lengths: 'n' }, /model\.lengths is for ONNX models alone/],
];
for (const [name, engine, source, message] of bad) {
  test(`a model refuses ${name}`, async () => {
    await assert.rejects(
      async () => {
        const model = await (await openEngine({ engine, threads: 1 })).openForeignModel(source);
        await model.forward({ values: input, columns: bins });
      },
      (error: Error) => error instanceof InputError && message.test(error.message),
    );
  });
}

test('weights that are missing are named', async () => {
  const engine = await openEngine({ engine: 'cpu', threads: 1 });
  await assert.rejects(
    engine.openForeignModel({ format: 'tfjs', path: join(folder, 'model.json') }),
    /group1-shard1of1\.bin/,
  );
});

// made elsewhere with PyTorch; the files lie beside the repository, where they are there at all
const others = '../shared/teachers';
for (const name of ['phones30ms', 'phones40ms']) {
  for (const utterance of ['000240010', '000240031', '000240060']) {
    test(
      `${name} answers to ${utterance} as PyTorch does, to 1e-5`,
      { skip: !existsSync(others) && `${others} is not there` },
      async () => {
        const engine = await openEngine({ engine: 'cpu', threads: 1 });
        const model = await engine.openForeignModel({ format: 'onnx', path: join(others, name, 'model.onnx') });
        const part = (what: string) => readNumpyMatrix(join(others, name, `golden-${utterance}-${what}.npy`));
        const answer = await model.forward(part('features'));
        const expected = part('output');
        assert.deepEqual([answer.values.length, answer.columns], [expected.values.length, expected.columns]);
        for (const [i, value] of answer.values.entries())
          assert.ok(Math.abs(value - expected.values[i]!) < 1e-5, `${i}`);
        await model.dispose();
      },
    );
  }
}
