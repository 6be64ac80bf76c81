import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { mixtureWeights } from './mixture_weights.ts';
import { createRandom } from './random.ts';

const golden = JSON.parse(readFileSync(new URL('./testdata/calibration.json', import.meta.url), 'utf8'));

function nats(teachers: readonly Float32Array[], weights: readonly number[]): number {
  let sum = 0;
  for (let frame = 0; frame < teachers[0]!.length; frame++) {
    sum -= Math.log(teachers.reduce((mass, values, i) => mass + weights[i]! * Math.exp(values[frame]!), 0));
  }
  return sum / teachers[0]!.length;
}

test('mixtureWeights() finds the weights that PyTorch finds, to what they are worth', () => {
  const { vocabularySize, labels, teachers, mixture } = golden;
  const ofLabels: Float32Array[] = teachers.map(({ logPosteriors }: { logPosteriors: number[] }) =>
    Float32Array.from(labels, (label: number, frame) => logPosteriors[frame * vocabularySize + label]!),
  );
  const weights = mixtureWeights(ofLabels);
  const worth = nats(ofLabels, weights) - mixture.crossEntropyNats;
  assert.ok(worth > -1e-9 && worth < 1e-6, `${worth} nats`);
  weights.forEach((weight, i) => void assert.ok(Math.abs(weight - mixture.weights[i]) < 1e-3, `${weights}`));
});

test('mixtureWeights() are a distribution that no other one beats', () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = createRandom('mixture', seed);
    const frames = 1 + random.integer(50);
    const teachers = Array.from({ length: 1 + random.integer(4) }, () =>
      Float32Array.from({ length: frames }, () => Math.log(random.uniform())),
    );
    const weights = mixtureWeights(teachers);
    assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-9, `seed ${seed}`);
    for (let i = 0; i < 100; i++) {
      const other = weights.map(() => -Math.log(1 - random.uniform()));
      const total = other.reduce((sum, weight) => sum + weight, 0);
      const gain =
        nats(teachers, weights) -
        nats(
          teachers,
          other.map((weight) => weight / total),
        );
      assert.ok(gain < 1e-6, `seed ${seed}: ${gain}`);
    }
  }
});

const logs = (...posteriors: number[]) => Float32Array.from(posteriors, Math.log);
const cases = [
  { name: 'one teacher', teachers: [logs(0.2, 0.3)], weights: [1] },
  { name: 'teachers alike', teachers: [logs(0.2, 0.3), logs(0.2, 0.3)], weights: [0.5, 0.5] },
  { name: 'no frame', teachers: [logs(), logs()], weights: [0.5, 0.5] },
  { name: 'frames that all rule out', teachers: [logs(0, 0), logs(0, 0)], weights: [0.5, 0.5] },
  // each label is known to one teacher only: weights are the shares of the frames
  {
    name: 'teachers that each know some frames',
    teachers: [logs(0.3, 0, 0, 0, 0), logs(0, 0.9, 1, 1e-3, 0)],
    weights: [0.25, 0.75],
  },
  {
    name: 'posteriors too small for float64',
    teachers: [Float32Array.of(-3000, -4000), Float32Array.of(-3001, -4001)],
    weights: [1, 0],
  },
];
for (const { name, teachers, weights } of cases) {
  test(`mixtureWeights() of ${name}`, () => {
    mixtureWeights(teachers).forEach((weight, i) => void assert.ok(Math.abs(weight - weights[i]!) < 1e-5));
  });
}

test('mixtureWeights() refuses no teacher, and teachers of other frames', () => {
  assert.throws(() => mixtureWeights([]), RangeError);
  assert.throws(() => mixtureWeights([logs(1), logs(1, 1)]), /teachers of 1,2 frames/);
});
