import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { stage } from './measure_model.ts';
import { featureMetadata, writeTinyFeatures, writeTinyModel } from './testdata/tiny_corpus.ts';

const folder = temporaryFolder();
const features = writeTinyFeatures(join(folder, 'features')); // 29 output frames of three frames, 10 ms each
const [one, other] = ['one', 'other'].map((name) => writeTinyModel(join(folder, name))) as [string, string];
const measure = (name: string, more: Record<string, unknown>) =>
  runStage(stage, { features, engine: 'cpu', rounds: 1, out: join(folder, name), ...more });

test('measure_model counts what one model takes for a second of audio', async () => {
  const report = await measure('single', { model: [one] });
  const { models, kinds, parameters, modelBytes, audioSeconds, multiplyAddsPerSecond, lookAheadMs } = report;
  assert.deepEqual(
    { models, kinds, parameters, modelBytes },
    { models: 1, kinds: ['tdnn'], parameters: 70, modelBytes: 280 },
  );
  assert.equal(audioSeconds, 0.87);
  assert.equal(multiplyAddsPerSecond, (29 * 50) / 0.87);
  assert.equal(lookAheadMs, 0);
  const { realTimeFactor, peakMemoryBytes } = report.timing as unknown as Record<string, number>;
  assert.ok(realTimeFactor! > 0 && peakMemoryBytes! > 1e7, JSON.stringify(report.timing));
});

test('measure_model takes several models for an ensemble, and as much audio as it may', async () => {
  const report = await measure('ensemble', { model: [one, other], seconds: 0.65 });
  const { models, parameters, audioSeconds, multiplyAddsPerSecond } = report;
  assert.deepEqual([models, parameters, audioSeconds], [2, 140, 0.63]); // the first two utterances: 13 and 8 output frames
  assert.equal(multiplyAddsPerSecond, (2 * 21 * 50) / 0.63);
});

test('measure_model exits 3 for features of another kind', async () => {
  const alien = writeTinyFeatures(join(folder, 'alien'), {
    metadata: { ...featureMetadata, 'kd.sampleRateHz': '16000' },
  });
  await assert.rejects(measure('alien-out', { model: [one], features: alien }), {
    exitCode: 3,
    message: /kd\.sampleRateHz/,
  });
});
