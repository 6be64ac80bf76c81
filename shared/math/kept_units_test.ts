import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepUnitsInto } from './kept_units.ts';
import { randomState } from './random.ts';

function keptUnits(size: number, dropout: number, seed: number): Float32Array {
  const kept = new Float32Array(size);
  keepUnitsInto({ kept, dropout, state: randomState(seed) });
  return kept;
}

test('keepUnitsInto() keeps the mean, and is the same for the same seed', () => {
  const kept = keptUnits(100_001, 0.2, 1);
  const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  assert.ok(Math.abs(mean - 1) < 4 * Math.sqrt(0.25 / kept.length), `mean ${mean}`);
  assert.deepEqual(keptUnits(1000, 0.2, 1), kept.subarray(0, 1000));
  assert.notDeepEqual(keptUnits(1000, 0.2, 2), kept.subarray(0, 1000));
  assert.ok(keptUnits(1000, 0, 1).every((factor) => factor === 1));
});
