import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { distillationLoss, type StudentAndTargets } from './distillation_loss.ts';
import { createRandom, type Random } from './random.ts';
import { concatenateTargets, noTargets, type SparseTargets, type Tail } from './sparse_targets.ts';

function near(actual: number, expected: number, tolerance: number, what = 'value'): void {
  const fits = actual === expected || Math.abs(actual - expected) <= tolerance;
  assert.ok(fits, `${what} is ${actual}, not ${expected}`);
}

/** Targets of frames given as posteriors by token, in the order given. */
const targets = (frames: { kept: Record<number, number>; tail?: number; weight?: number }[]): SparseTargets =>
  concatenateTargets(
    frames.map(({ kept, tail = 0, weight = 1 }) => ({
      offsets: Int32Array.of(0, Object.keys(kept).length),
      tokens: Uint16Array.from(Object.keys(kept), Number),
      logPosteriors: Float32Array.from(Object.values(kept), Math.log),
      logTail: Float32Array.of(Math.log(tail)),
      weight: Float32Array.of(weight),
    })),
  );

const plain = {
  tail: 'renormalise',
  temperature: 1,
  softWeight: 1,
  labelSmoothing: 0,
  gated: 'to-hard',
} as const satisfies Partial<StudentAndTargets>;

const logsOf = (posteriors: readonly number[]) => Float32Array.from(posteriors, Math.log);

const values: { name: string; student: number[]; soft: Parameters<typeof targets>[0][0]; tail: Tail; nats: number }[] =
  [
    {
      name: 'student equal to the teacher',
      student: [0.5, 0.5],
      soft: { kept: { 0: 0.5, 1: 0.5 } },
      tail: 'renormalise',
      nats: 0,
    },
    {
      name: 'certain teacher, undecided student',
      student: [0.5, 0.5],
      soft: { kept: { 0: 1 } },
      tail: 'ghost',
      nats: Math.LN2,
    },
    { name: 'a token both rule out', student: [1, 0], soft: { kept: { 0: 1, 1: 0 } }, tail: 'renormalise', nats: 0 },
    {
      name: 'a token only the student rules out',
      student: [1, 0],
      soft: { kept: { 0: 0.5, 1: 0.5 } },
      tail: 'ghost',
      nats: Infinity,
    },
    {
      name: 'mass rescaled to 1 without a tail',
      student: [0.5, 0.25, 0.25],
      soft: { kept: { 0: 0.4, 1: 0.2 }, tail: 0.4 },
      tail: 'renormalise',
      nats: (2 / 3) * Math.log(4 / 3) + (1 / 3) * Math.log(4 / 3),
    },
    {
      name: 'kept mass rescaled to 1 less the tail',
      student: [0.5, 0.25, 0.25],
      soft: { kept: { 0: 0.7 }, tail: 0.5 },
      tail: 'ghost',
      nats: 0,
    },
    {
      name: 'tail in the ghost, wherever the student has it',
      student: [0.5, 0.5, 0],
      soft: { kept: { 0: 0.5 }, tail: 0.5 },
      tail: 'ghost',
      nats: 0,
    },
    {
      name: 'tail spread evenly',
      student: [0.5, 0.3, 0.2],
      soft: { kept: { 0: 0.5 }, tail: 0.5 },
      tail: 'uniform',
      nats: 0.25 * Math.log(0.25 / 0.3) + 0.25 * Math.log(0.25 / 0.2),
    },
    {
      name: 'tail of a student that rules out all others',
      student: [1, 0, 0],
      soft: { kept: { 0: 0.5 }, tail: 0.5 },
      tail: 'ghost',
      nats: Infinity,
    },
  ];
for (const { name, student, soft, tail, nats } of values) {
  test(`distillationLoss() knows: ${name}`, () => {
    const { softNats } = distillationLoss({
      ...plain,
      ...{ logits: logsOf(student), vocabularySize: student.length, hardLabels: Int32Array.of(-1) },
      ...{ soft: targets([soft]), tail },
    });
    near(softNats, nats, 1e-6);
  });
}

test('distillationLoss() agrees with PyTorch in loss and gradient', () => {
  const golden = JSON.parse(readFileSync('shared/math/testdata/distillation.json', 'utf8'));
  const frames: number = golden.hardLabels.length;
  const kept: number = golden.tokens.length / frames;
  const soft: SparseTargets = {
    offsets: Int32Array.from({ length: frames + 1 }, (_, i) => i * kept),
    tokens: Uint16Array.from(golden.tokens),
    logPosteriors: logsOf(golden.posteriors),
    logTail: logsOf(golden.tails),
    weight: Float32Array.from(golden.weights),
  };
  for (const { lossNats, gradient, ...settings } of golden.cases) {
    const result = distillationLoss({
      ...settings,
      ...{ logits: Float32Array.from(golden.logits), vocabularySize: golden.tokensPerFrame },
      ...{ hardLabels: Int32Array.from(golden.hardLabels), soft },
    });
    const what = JSON.stringify(settings);
    near(result.lossNats, lossNats, 1e-6, what); // targets come as float32
    result.gradient.forEach((value, i) => void near(value, gradient[i], 2e-7, `${what}: gradient ${i}`)); // float32 sums
  }
});

/** Frames of random logits, labels and targets, some of them masked, gated, certain or with logits of −∞. */
function randomBatch(random: Random, tail: Tail): StudentAndTargets {
  const vocabularySize = 2 + random.integer(9);
  const frames = 1 + random.integer(5);
  const parts = Array.from({ length: frames }, () => {
    if (random.uniform() < 0.15) return noTargets(1);
    if (random.uniform() < 0.15) return { ...noTargets(1), weight: new Float32Array(1) };
    const order = random.shuffle(Array.from({ length: vocabularySize }, (_, i) => i));
    const scores = order.map(() => random.uniform() ** 4);
    if (random.uniform() < 0.1) scores.fill(0, 1);
    const total = scores.reduce((sum, score) => sum + score, 0);
    const count = 1 + random.integer(vocabularySize - (tail === 'to-label' ? 0 : 1));
    const all = tail === 'to-label' ? vocabularySize : count;
    const kept = Object.fromEntries(order.slice(0, all).map((token, i) => [token, scores[i]! / total]));
    const mass = Object.values(kept).reduce((sum, posterior) => sum + posterior, 0);
    return targets([{ kept, tail: all < vocabularySize ? Math.max(0, 1 - mass) : 0, weight: random.uniform() }]);
  });
  return {
    logits: Float32Array.from({ length: frames * vocabularySize }, () => 3 * random.normal()),
    vocabularySize,
    hardLabels: Int32Array.from({ length: frames }, () => random.integer(vocabularySize + 1) - 1),
    soft: concatenateTargets(parts),
    tail,
    temperature: [0.5, 1, 4][random.integer(3)]!,
    softWeight: [0.02, 0.9, 1][random.integer(3)]!,
    labelSmoothing: [0, 0.1][random.integer(2)]!,
    gated: random.uniform() < 0.5 ? 'to-hard' : 'drop',
  };
}

for (const tail of ['renormalise', 'ghost', 'to-label', 'uniform'] as const) {
  test(`the gradient of distillationLoss() with tail ${tail} is that of finite differences`, () => {
    for (let seed = 0; seed < 60; seed++) {
      const batch = randomBatch(createRandom('gradient', tail, seed), tail);
      const { gradient, lossNats, hardNats, softNats } = distillationLoss(batch);
      near(lossNats, hardNats + softNats, 1e-12);
      const at = (i: number, value: number) => {
        const logits = batch.logits.slice();
        logits[i] = value;
        return { z: logits[i]!, loss: distillationLoss({ ...batch, logits }).lossNats };
      };
      gradient.forEach((value, i) => {
        const [above, below] = [at(i, batch.logits[i]! + 1 / 128), at(i, batch.logits[i]! - 1 / 128)];
        const slope = (above.loss - below.loss) / (above.z - below.z);
        near(value, slope, 3e-4 * Math.max(1, batch.temperature), `seed ${seed}, gradient ${i}`);
      });
    }
  });
}

test('with one-hot soft targets, or none and hard labels alone, distillationLoss() is the same cross-entropy', () => {
  const random = createRandom('one-hot');
  const logits = Float32Array.from({ length: 15 }, random.normal);
  const labels = [4, 0, 2];
  const common = { ...plain, logits, vocabularySize: 5 };
  const hard = distillationLoss({ ...common, hardLabels: Int32Array.from(labels), softWeight: 0.7 });
  const oneHot = targets(labels.map((label) => ({ kept: { [label]: 1 } })));
  const soft = distillationLoss({ ...common, hardLabels: Int32Array.of(-1, -1, -1), soft: oneHot });
  near(soft.lossNats, hard.lossNats, 1e-7);
  hard.gradient.forEach((value, i) => void near(soft.gradient[i]!, value, 1e-7));
});

test('keeping all tokens, in any order, distillationLoss() is the dense KL whatever the tail', () => {
  const random = createRandom('all tokens');
  const logits = Float32Array.from({ length: 8 }, random.normal);
  const posteriors = [0.4, 0.3, 0.1, 0.1, 0.05, 0.03, 0.015, 0.005];
  const sum = logits.reduce((total, z) => total + Math.exp(z), 0);
  const dense = posteriors.reduce((nats, p, i) => nats + p * Math.log(p / (Math.exp(logits[i]!) / sum)), 0);
  const soft = targets([{ kept: Object.fromEntries(posteriors.map((p, i) => [i, p])) }]);
  for (const tail of ['renormalise', 'ghost', 'to-label', 'uniform'] as const) {
    const { lossNats, gradient } = distillationLoss({
      ...plain,
      ...{ logits, vocabularySize: 8, hardLabels: Int32Array.of(-1), soft, tail },
    });
    near(lossNats, dense, 1e-6);
    gradient.forEach((value, i) => void near(value, Math.exp(logits[i]!) / sum - posteriors[i]!, 1e-6));
  }
});

test('at a high temperature the gradient matches logits: (z − v) / tokens of centred logits (Hinton et al., eq. 4)', () => {
  const student = [1, -2, 0.5, 0.5];
  const teacher = [2, -1, -3, 2];
  const temperature = 1e4;
  const total = teacher.reduce((sum, v) => sum + Math.exp(v / temperature), 0);
  const soft = targets([{ kept: Object.fromEntries(teacher.map((v, i) => [i, Math.exp(v / temperature) / total])) }]);
  soft.logPosteriors = Float32Array.from(teacher, (v) => v / temperature - Math.log(total));
  const { gradient } = distillationLoss({
    ...plain,
    ...{ logits: Float32Array.from(student), vocabularySize: 4, hardLabels: Int32Array.of(-1), soft, temperature },
  });
  gradient.forEach((value, i) => void near(value, (student[i]! - teacher[i]!) / 4, 2e-3)); // float32 log-posteriors × T
});

test('where the gate is shut the hard label takes over, or nothing does; where no teacher was asked, it always does', () => {
  const logits = new Float32Array(4);
  const losses = (gated: 'to-hard' | 'drop', soft?: SparseTargets, label = 0) =>
    distillationLoss({
      ...{ ...plain, logits: logits.subarray(0, 2), vocabularySize: 2, hardLabels: Int32Array.of(label), soft, gated },
      softWeight: 0.75,
    }).lossNats / Math.LN2;
  const shut = { ...noTargets(1), weight: new Float32Array(1) };
  const open = targets([{ kept: { 1: 1 } }]);
  assert.deepEqual([losses('to-hard', shut), losses('drop', shut)], [1, 0.25]);
  assert.deepEqual([losses('to-hard', noTargets(1)), losses('drop', noTargets(1))], [1, 1]);
  assert.deepEqual([losses('to-hard'), losses('drop')], [1, 1]);
  assert.deepEqual([losses('to-hard', open), losses('drop', open)], [1, 1]);
  assert.deepEqual(
    [losses('to-hard', open, -1), losses('drop', shut, -1), losses('drop', undefined, -1)],
    [0.75, 0, 0],
  );
});

test('a frame with nothing to learn has no gradient and counts among the frames', () => {
  const logits = Float32Array.of(1, 2, 3, 3, 2, 1);
  const one = distillationLoss({
    ...plain,
    logits: logits.subarray(0, 3),
    vocabularySize: 3,
    hardLabels: Int32Array.of(1),
  });
  const two = distillationLoss({ ...plain, logits, vocabularySize: 3, hardLabels: Int32Array.of(1, -1) });
  near(two.lossNats, one.lossNats / 2, 1e-12);
  assert.deepEqual([...two.gradient.subarray(3)], [0, 0, 0]);
  assert.equal(
    distillationLoss({ ...plain, logits: logits.subarray(0, 0), vocabularySize: 3, hardLabels: new Int32Array(0) })
      .lossNats,
    0,
  );
});

test('a student nearly certain of the kept token has an exact, finite loss for the ghost', () => {
  const soft = targets([{ kept: { 0: 0.5 }, tail: 0.5 }]);
  for (const gap of [50, 1000]) {
    const logits = Float32Array.of(gap, 0, 0);
    const { softNats, gradient } = distillationLoss({
      ...plain,
      ...{ logits, vocabularySize: 3, hardLabels: Int32Array.of(-1), soft, tail: 'ghost' },
    });
    near(softNats, 0.5 * Math.log(0.5) + 0.5 * Math.log(0.5 / 2) + 0.5 * gap, 1e-6 * gap);
    assert.deepEqual([...gradient], [0.5, -0.25, -0.25]);
  }
});

test('distillationLoss() leaves what it reads alone and refuses what does not fit', () => {
  const batch = randomBatch(createRandom('input'), 'ghost');
  const before = structuredClone(batch);
  distillationLoss(batch);
  assert.deepEqual(batch, before);
  const common = { ...plain, logits: new Float32Array(4), vocabularySize: 4, hardLabels: Int32Array.of(-1) };
  const faults: [Partial<StudentAndTargets>, RegExp][] = [
    [{ hardLabels: Int32Array.of(0, 0) }, /4 logits with 2 hard labels: 4 tokens make 8/],
    [{ hardLabels: Int32Array.of(4) }, /hard label 4: there are 4/],
    [{ soft: noTargets(2) }, /1 frames with soft targets of 2/],
    [{ soft: targets([{ kept: { 4: 1 } }]) }, /token 4 in frame 0: the student has 4/],
    [
      { soft: targets([{ kept: { 0: 0.5 }, tail: 0.5 }]), tail: 'to-label' },
      /a mass of 0\.500 is left over, and it belongs to the hard label/,
    ],
    [
      { soft: targets([{ kept: { 0: 0.2, 1: 0.2, 2: 0.2, 3: 0.2 }, tail: 0.2 }]), tail: 'ghost' },
      /all tokens are kept/,
    ],
    [{ temperature: 0 }, /temperature 0/],
  ];
  for (const [change, message] of faults) assert.throws(() => distillationLoss({ ...common, ...change }), message);
});
