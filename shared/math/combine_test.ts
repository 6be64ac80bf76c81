import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Combination, combinations, combine } from './combine.ts';
import { logSoftmax } from './log_softmax.ts';
import { createRandom } from './random.ts';

const logs = (...posteriors: number[]) => Float32Array.from(posteriors, Math.log);
const cases: {
  rule: Combination;
  teachers: number[][];
  weights?: number[];
  temperature?: number;
  posteriors: number[];
}[] = [
  {
    rule: 'linear',
    teachers: [
      [0.8, 0.2],
      [0.4, 0.6],
    ],
    posteriors: [0.6, 0.4],
  },
  {
    rule: 'linear',
    teachers: [
      [0.8, 0.2],
      [0.4, 0.6],
    ],
    weights: [3, 1],
    posteriors: [0.7, 0.3],
  },
  {
    rule: 'linear',
    teachers: [
      [1, 0],
      [0, 1],
    ],
    posteriors: [0.5, 0.5],
  },
  {
    rule: 'linear',
    teachers: [
      [0.8, 0.2],
      [0.5, 0.5],
    ],
    temperature: 2,
    posteriors: [(2 / 3 + 1 / 2) / 2, (1 / 3 + 1 / 2) / 2],
  },
  {
    rule: 'geometric',
    teachers: [
      [0.8, 0.2],
      [0.5, 0.5],
    ],
    posteriors: [2 / 3, 1 / 3],
  },
  {
    rule: 'geometric',
    teachers: [
      [0.5, 0.5, 0],
      [1 / 3, 1 / 3, 1 / 3],
    ],
    posteriors: [0.5, 0.5, 0],
  },
  {
    rule: 'geometric',
    teachers: [
      [0.8, 0.2],
      [1, 0],
    ],
    weights: [1, 0],
    posteriors: [0.8, 0.2],
  },
  {
    rule: 'best',
    teachers: [
      [0.6, 0.4],
      [0.1, 0.9],
      [0.9, 0.1],
    ],
    posteriors: [0.1, 0.9],
  },
];
for (const [i, { rule, teachers, weights, temperature, posteriors }] of cases.entries()) {
  test(`combine() ${rule} gives what was worked out by hand (${i})`, () => {
    const given = teachers.map((teacher) => logs(...teacher));
    const result = combine(given, { vocabularySize: posteriors.length, rule, weights, temperature });
    result.forEach(
      (value, j) => void assert.ok(Math.abs(Math.exp(value) - posteriors[j]!) < 1e-6, `${result.map(Math.exp)}`),
    );
  });
}

test('combine() takes each teacher to its own temperature times that of all', () => {
  const [a, b] = [logs(0.8, 0.1, 0.1, 0.3, 0.3, 0.4), logs(0.5, 0.3, 0.2, 0.1, 0.6, 0.3)];
  const given = { vocabularySize: 3, weights: [2, 1] };
  for (const rule of ['linear', 'geometric'] as const) {
    const found = combine([a, b], { ...given, rule, teacherTemperatures: [1.5, 0.5], temperature: 2 });
    const softened = [logSoftmax(a, 3, { temperature: 3 }), logSoftmax(b, 3, { temperature: 1 })];
    const expected = combine(softened, { ...given, rule });
    found.forEach((value, i) => void assert.ok(Math.abs(value - expected[i]!) < 1e-6, rule));
  }
});

test('combine() of teachers at temperature 1 is that of teachers without one, to the last bit', () => {
  const random = createRandom('temperature 1');
  const teachers = [0, 1, 2].map(() => logSoftmax(Float32Array.from({ length: 40 }, random.normal), 8));
  for (const rule of combinations) {
    const given = { vocabularySize: 8, rule, temperature: 1.7 };
    assert.deepEqual(combine(teachers, { ...given, teacherTemperatures: [1, 1, 1] }), combine(teachers, given));
  }
});

test('combine() best goes by how sure teachers are once calibrated, not by how sure they say they are', () => {
  const [boaster, modest] = [logs(0.98, 0.01, 0.01), logs(0.2, 0.6, 0.2)];
  const given = { vocabularySize: 3, rule: 'best' } as const;
  assert.equal(combine([boaster, modest], given)[0], logSoftmax(boaster, 3)[0]);
  const calibrated = combine([boaster, modest], { ...given, teacherTemperatures: [8, 0.5], temperature: 2 });
  assert.deepEqual(calibrated, logSoftmax(modest, 3, { temperature: 1 }));
});

test('combine() best takes whole utterances: one teacher, not its best frames', () => {
  const [a, b] = [logs(0.9, 0.1, 0.6, 0.4), logs(0.5, 0.5, 0.2, 0.8)];
  assert.deepEqual(combine([b, a], { vocabularySize: 2, rule: 'best' }), logSoftmax(a, 2));
});

test('every rule of equal teachers is the teacher, sums to 1, and is even at a high temperature', () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = createRandom('combine', seed);
    const vocabularySize = 2 + random.integer(10);
    const draw = () =>
      logSoftmax(
        Float32Array.from({ length: 3 * vocabularySize }, () => 4 * random.normal()),
        vocabularySize,
      );
    const [one, other] = [draw(), draw()];
    for (const rule of combinations) {
      const same = combine([one, one, one], { vocabularySize, rule });
      same.forEach((value, i) => void assert.ok(Math.abs(value - one[i]!) < 2e-5, `seed ${seed} ${rule}`));
      const mixed = combine([one, other], { vocabularySize, rule });
      const sum = mixed.reduce((total, value) => total + Math.exp(value), 0);
      assert.ok(Math.abs(sum - 3) < 1e-5, `seed ${seed} ${rule}: ${sum}`);
      const hot = combine([one, other], { vocabularySize, rule, temperature: 1e9 });
      assert.ok(
        hot.every((value) => Math.abs(value + Math.log(vocabularySize)) < 1e-6),
        `seed ${seed} ${rule}`,
      );
    }
  }
});

test('combine() answers NaN where geometric teachers have no token in common, and refuses what does not fit', () => {
  assert.ok(combine([logs(1, 0), logs(0, 1)], { vocabularySize: 2, rule: 'geometric' }).every(Number.isNaN));
  assert.throws(() => combine([], { vocabularySize: 2, rule: 'linear' }), RangeError);
  assert.throws(() => combine([logs(1, 0), logs(1)], { vocabularySize: 1, rule: 'linear' }), /teachers of 2,1 values/);
  for (const weights of [[1], [0, 0], [-1, 2], [Number.NaN, 1]]) {
    assert.throws(
      () => combine([logs(1), logs(1)], { vocabularySize: 1, rule: 'linear', weights }),
      /Cannot weight 2 teachers/,
    );
  }
  const two = [logs(0.5, 0.5), logs(0.5, 0.5)];
  for (const [teacherTemperatures, message] of [
    [[1], /Cannot take 2 teachers to temperatures 1;/],
    [[1, 0], /Cannot use temperature 0/],
    [[Number.NaN, 1], /Cannot use temperature NaN/],
  ] as const) {
    assert.throws(() => combine(two, { vocabularySize: 2, rule: 'linear', teacherTemperatures }), message);
  }
});
