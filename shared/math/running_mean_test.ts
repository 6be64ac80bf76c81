import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './random.ts';
import { addToMeanInto } from './running_mean.ts';

test('addToMeanInto() is the mean of all that came, whatever was there before the first', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom('mean', seed);
    const size = random.integer(6);
    const rows = Array.from({ length: 1 + random.integer(50) }, () =>
      Float32Array.from({ length: size }, () => 1000 + random.normal()),
    );
    const mean = new Float64Array(size).fill(7);
    rows.forEach((row, i) => {
      addToMeanInto(mean, row, i + 1);
    });
    mean.forEach((value, k) => {
      const expected = rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length;
      assert.ok(Math.abs(value - expected) < 1e-9, `seed ${seed}: ${value}, not ${expected}`);
    });
  }
});

test('addToMeanInto() refuses another length', () => {
  assert.throws(
    () => addToMeanInto(new Float64Array(2), new Float32Array(3), 1),
    /Cannot take 3 values into a mean of 2/,
  );
});
