import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from './errors.ts';
import { openNumpyFolder, readNumpyMatrix } from './numpy_arrays.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';

const made = 'shared/io/testdata/numpy';
const golden: Record<'float32' | 'float16', number[]> = JSON.parse(readFileSync(`${made}/golden.json`, 'utf8'));
const folder = temporaryFolder();

for (const name of [
  'plain.npy',
  'double.npy',
  'fortran.npy',
  'batch.npy',
  'version2.npy',
  'stored.npz',
  'deflated.npz',
  'half.npy',
]) {
  test(`readNumpyMatrix() reads ${name} as numpy does`, () => {
    const expected = name === 'half.npy' ? golden.float16 : golden.float32;
    assert.deepEqual(readNumpyMatrix(join(made, name)), { rows: 5, columns: 3, values: Float32Array.from(expected) });
  });
}

const cut = (name: string) => {
  writeFileSync(join(folder, name), readFileSync(join(made, name)).subarray(0, -20));
  return join(folder, name);
};
const bad: [name: string, file: () => string, message: RegExp][] = [
  ['another byte order', () => join(made, 'big_endian.npy'), /its values are >f4, not <f2, <f4, <f8/],
  ['integers', () => join(made, 'integers.npy'), /its values are <i8/],
  ['several arrays', () => join(made, 'two.npz'), /two\.npz: it holds 2 arrays, not one/],
  ['an array that is cut off', () => cut('plain.npy'), /plain\.npy: it is cut off/],
  ['an archive that is cut off', () => cut('stored.npz'), /no zip archive, or cut off/],
  ['something else', () => join(made, 'make_arrays.py'), /it is no numpy array/],
];
for (const [name, file, message] of bad) {
  test(`readNumpyMatrix() refuses ${name}`, () => {
    assert.throws(
      () => readNumpyMatrix(file()),
      (error: Error) => error instanceof InputError && message.test(error.message),
    );
  });
}

test('openNumpyFolder() finds an array an utterance, and refuses two of one, or none', () => {
  const both = join(folder, 'both');
  mkdirSync(both);
  assert.throws(() => openNumpyFolder(both), /both: it holds no \.npy or \.npz/);
  copyFileSync(`${made}/plain.npy`, join(both, 'u-2.npy'));
  copyFileSync(`${made}/deflated.npz`, join(both, 'u-1.npz'));
  writeFileSync(join(both, 'notes.txt'), '');
  const table = openNumpyFolder(both);
  assert.deepEqual(table.utterances, ['u-1', 'u-2']);
  assert.deepEqual(table.read('u-1'), table.read('u-2'));
  assert.throws(() => table.read('u-3'), /no "u-3\.npy"/);
  copyFileSync(`${made}/plain.npy`, join(both, 'u-1.npy'));
  assert.throws(() => openNumpyFolder(both), /it has "u-1" as \.npy and as \.npz/);
});
