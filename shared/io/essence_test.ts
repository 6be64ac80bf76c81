import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SparseTargets } from '../math/sparse_targets.ts';
import { InputError } from './errors.ts';
import { denseLogPosteriorsOfRow, rowOfSparseTargets, sparseTargetsOfRow } from './essence.ts';
import type { Row } from './utterance_table.ts';

const targets: SparseTargets = {
  offsets: Int32Array.of(0, 2, 4),
  tokens: Uint16Array.of(1, 0, 0, 1),
  logPosteriors: Float32Array.of(-0.25, -1.5, -0.5, -1),
  logTail: Float32Array.of(-Infinity, -Infinity),
  weight: Float32Array.of(1, 1),
};
const row = rowOfSparseTargets('u1', targets);
const { offsets: _, ...even } = row;

test('sparseTargetsOfRow() gives what was written, with offsets or a number of tokens', () => {
  assert.deepEqual(sparseTargetsOfRow(row, {}), targets);
  assert.deepEqual(sparseTargetsOfRow(even as Row, { 'kd.k': '2' }), targets);
});

test('sparseTargetsOfRow() refuses columns that do not fit each other, naming the utterance', () => {
  const faults: [Partial<Row>, Record<string, string>][] = [
    [{ offsets: Int32Array.of(0, 2) }, {}],
    [{ offsets: Int32Array.of(0, 3, 2, 4) }, {}],
    [{ offsets: Int32Array.of(0, 5, 4) }, {}],
    [{ offsets: Int32Array.of(0, 2, 3) }, {}],
    [{ weight: new Float32Array(3) }, {}],
    [{ logTail: new Float32Array(1) }, {}],
    [{ logPosteriors: new Float32Array(3) }, {}],
    [{ tokens: undefined }, {}],
    [{ offsets: undefined }, {}],
    [{ offsets: undefined }, { 'kd.k': '3' }],
  ];
  for (const [change, metadata] of faults) {
    assert.throws(
      () => sparseTargetsOfRow({ ...row, ...change } as Row, metadata),
      (error: Error) => error instanceof InputError && error.message.includes('"u1"'),
      JSON.stringify(change),
    );
  }
});

test('denseLogPosteriorsOfRow() puts tokens in the order of their ids, and refuses rows that lack some', () => {
  assert.deepEqual([...denseLogPosteriorsOfRow(row, 2)], [-1.5, -0.25, -0.5, -1]);
  assert.throws(() => denseLogPosteriorsOfRow(row, 3), /does not keep all 3 tokens in each of 2 frames/);
  const twice = { ...row, tokens: Uint16Array.of(1, 1, 0, 1) } as Row;
  assert.throws(() => denseLogPosteriorsOfRow(twice, 2), InputError);
});
