import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Chain, type ReportJson, runOf } from './runs.ts';
import { alignedUtterance } from './testdata/aligned_utterance.ts';

const report = (stage: string, fields: Record<string, unknown> = {}): ReportJson => ({
  stage,
  id: `${stage}-id`,
  options: {},
  ...fields,
});
const utterances = [alignedUtterance({ utterance: 'u1', words: 3, insertions: 0, deletions: 1, substitutions: 0 })];
const score = report('score', { options: { arm: 'top3', size: 'small', seed: 4, protocol: 'seen' } });
const teachers = [
  { parameters: 10, modelBytes: 40 },
  { parameters: 20, modelBytes: 80 },
  { parameters: 30, modelBytes: 120 },
];

test('runOf() collects the figures along the chain', () => {
  const chain: Chain = {
    score,
    utterances,
    decode: report('decode', { frameAccuracy: 0.9, atEdge: ['priorScale'] }),
    model: report('train_student', {
      parameters: 7,
      modelBytes: 28,
      timing: { seconds: 12 },
      curves: [{ update: 50, trainLoss: 1, devCrossEntropy: 2, devFrameAccuracy: 0.5 }],
    }),
    essences: [report('filter_targets', { options: { k: 3 }, keptMass: { mean: 0.98 }, bytesPerFrame: 18 })],
    logits: report('cache_logits', { teachers }),
  };
  const { utterances: found, ids, ...figures } = runOf(chain);
  assert.deepEqual(figures, {
    protocol: 'seen',
    size: 'small',
    arm: 'top3',
    seed: '4',
    rate: 'wer',
    normalised: '',
    parameters: 7,
    modelBytes: 28,
    frameAccuracy: 0.9,
    keptMass: 0.98,
    bytesPerFrame: 18,
    trainingSeconds: 12,
    curve: [{ update: 50, devCrossEntropy: 2, devFrameAccuracy: 0.5 }],
    atEdge: ['priorScale'],
    filter: { k: 3 },
  });
  assert.equal(found, utterances);
  assert.deepEqual(Object.keys(ids), ['score', 'decode', 'train_student', 'filter_targets', 'cache_logits']);
});

test('runOf() tells what is kept of all audio that a student learns from, frame by frame', () => {
  const essenceOf = (frames: number, mean: number, bytesPerFrame: number) =>
    report('filter_targets', { frames, keptMass: { mean }, bytesPerFrame });
  const chain = { score, utterances, essences: [essenceOf(100, 1, 20), essenceOf(300, 0.8, 16)] };
  const { keptMass, bytesPerFrame } = runOf(chain);
  assert.ok(Math.abs(keptMass! - 0.85) < 1e-12);
  assert.equal(bytesPerFrame, 17);
  const gated = report('filter_targets', { frames: 500, gatedFrames: 400, keptMass: { mean: 0.6 }, bytesPerFrame: 4 });
  const withGate = runOf({ ...chain, essences: [essenceOf(100, 1, 20), gated] });
  assert.ok(Math.abs(withGate.keptMass! - 0.8) < 1e-12);
  const unknown = report('filter_targets', { keptMass: { mean: 1 } });
  assert.equal(runOf({ ...chain, essences: [...chain.essences, unknown] }).keptMass, undefined);
});

test('runOf() leaves what no report says undefined', () => {
  const run = runOf({ score: report('score'), utterances });
  assert.equal(run.parameters, undefined);
  assert.equal(run.keptMass, undefined);
  assert.deepEqual(
    [run.protocol, run.size, run.arm, run.seed, run.curve, run.atEdge],
    ['test', 'model', 'unnamed', '', [], []],
  );
});

test('runOf() leaves the protocol as it is, and knows what is counted', () => {
  const rotation = report('score', { options: { protocol: 'eval-92' }, rate: 'cer' });
  const { protocol, rate } = runOf({ score: rotation, utterances });
  assert.deepEqual([protocol, rate], ['eval-92', 'cer']);
});

test('runOf() adds up the teachers of an ensemble, those chosen only', () => {
  const ensemble = (options: Record<string, unknown>) =>
    runOf({
      score,
      utterances,
      decode: report('decode'),
      essences: [report('filter_targets', { options })],
      logits: report('cache_logits', { teachers }),
    });
  assert.deepEqual([ensemble({}).parameters, ensemble({}).modelBytes], [60, 240]);
  assert.equal(ensemble({ teachers: [0, 2] }).parameters, 40);
});
