import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createLabelTally } from './label_tally.ts';

const golden = JSON.parse(readFileSync(new URL('./testdata/calibration.json', import.meta.url), 'utf8'));

test('createLabelTally() gives the figures that PyTorch gives, of frames in parts', () => {
  const { vocabularySize, labels, teachers } = golden;
  for (const { logPosteriors, crossEntropyNats, frameError, calibrationError } of teachers) {
    const tally = createLabelTally(vocabularySize);
    for (const [from, to] of [
      [0, 11],
      [11, labels.length],
    ]) {
      const part = logPosteriors.slice(from! * vocabularySize, to! * vocabularySize);
      tally.count(Float32Array.from(part), Uint16Array.from(labels.slice(from, to)));
    }
    const found = tally.summary();
    assert.ok(Math.abs(found.crossEntropyNats - crossEntropyNats) < 1e-6, `${found.crossEntropyNats}`);
    assert.ok(Math.abs(found.frameError - frameError) < 1e-12, `${found.frameError}`);
    assert.ok(Math.abs(found.calibrationError - calibrationError) < 1e-6, `${found.calibrationError}`);
  }
});

test('createLabelTally() of no frame, of certain frames, of an even one, and of a label that is ruled out', () => {
  const figures = (posteriors: number[], labels: number[]) => {
    const tally = createLabelTally(2);
    tally.count(Float32Array.from(posteriors, Math.log), Uint16Array.from(labels));
    return tally.summary();
  };
  assert.deepEqual(figures([], []), { crossEntropyNats: 0, frameError: 0, calibrationError: 0 });
  assert.deepEqual(figures([1, 0], [0]), { crossEntropyNats: 0, frameError: 0, calibrationError: 0 });
  assert.deepEqual(figures([1, 0, 0, 1], [1, 1]), {
    crossEntropyNats: Infinity,
    frameError: 0.5,
    calibrationError: 0.5,
  });
  const even = figures([0.5, 0.5, 0.5, 0.5], [0, 1]);
  assert.ok(Math.abs(even.crossEntropyNats - Math.LN2) < 1e-6 && even.frameError === 0.5);
  assert.ok(even.calibrationError < 1e-6, 'right half of the time, and says so');
});
