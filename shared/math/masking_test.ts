import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskFeatures } from './masking.ts';
import { createRandom } from './random.ts';

const bins = 8;
const features = new Float32Array(250 * bins).fill(1);

test('maskFeatures() masks whole bands of at most the widest, and leaves its input alone', () => {
  for (let seed = 0; seed < 50; seed++) {
    const masking = { frequencyMasks: 1, frequencyMaskBins: 3, timeMasks: 0, timeMaskFrames: 0 };
    const masked = maskFeatures(features, bins, masking, createRandom(seed));
    const band = [...masked.subarray(0, bins)];
    assert.ok(band.filter((value) => value === 0).length <= 3);
    for (let frame = 1; frame < 250; frame++) {
      assert.deepEqual([...masked.subarray(frame * bins, (frame + 1) * bins)], band, `seed ${seed}`);
    }
  }
  assert.ok(features.every((value) => value === 1));
});

test('maskFeatures() masks stretches in proportion to the length', () => {
  const masking = { frequencyMasks: 0, frequencyMaskBins: 0, timeMasks: 1, timeMaskFrames: 10 };
  let masked = 0;
  const runs = 2000;
  for (let seed = 0; seed < runs; seed++) {
    const result = maskFeatures(features, bins, masking, createRandom('time', seed));
    for (let frame = 0; frame < 250; frame++) if (result[frame * bins] === 0) masked++;
  }
  const mean = masked / runs;
  assert.ok(mean > 14 && mean < 15.2, `3 masks of 5 frames on average, hardly overlapping: ${mean}`);
});
