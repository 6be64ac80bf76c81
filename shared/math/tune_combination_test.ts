import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logSoftmax } from './log_softmax.ts';
import { createRandom } from './random.ts';
import { type LabelledFrames, tuneCombination } from './tune_combination.ts';

const vocabularySize = 5;

/** Utterances of teachers that know the label, each as sharp as said. */
function utterancesOf(sharpness: readonly number[], random = createRandom('tune')): LabelledFrames[] {
  return Array.from({ length: 20 }, () => {
    const labels = Uint16Array.from({ length: 30 }, () => random.integer(vocabularySize));
    const members = sharpness.map((sharp) => {
      const scores = Float32Array.from({ length: labels.length * vocabularySize }, random.normal);
      labels.forEach((label, frame) => {
        scores[frame * vocabularySize + label]! += 1.5;
      });
      return logSoftmax(scores, vocabularySize, { temperature: 1 / sharp });
    });
    return { members, labels };
  });
}

const tune = (utterances: LabelledFrames[], teachers: number) =>
  tuneCombination(
    async function* () {
      yield* utterances;
    },
    { vocabularySize, teachers },
  );

test('tuneCombination() calibrates each teacher, and says what that does to each way to combine them', async () => {
  const { teacherTemperatures, atEdge, weights, table } = await tune(utterancesOf([4, 1, 0.5]), 3);
  assert.ok(teacherTemperatures[0]! > 3 * teacherTemperatures[1]! && teacherTemperatures[1]! > teacherTemperatures[2]!);
  assert.deepEqual(atEdge, []);
  assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-9);
  assert.deepEqual(
    table.map(({ rule, teacher, calibrated }) => `${rule} ${teacher ?? ''} ${calibrated}`),
    [false, true].flatMap((calibrated) =>
      ['alone 0', 'alone 1', 'alone 2', 'linear ', 'geometric ', 'best ', 'weighted '].map(
        (row) => `${row} ${calibrated}`,
      ),
    ),
  );
  const half = table.length / 2;
  for (const [i, row] of table.slice(0, 3).entries()) {
    const after = table[half + i]!;
    assert.ok(after.crossEntropyNats < row.crossEntropyNats, 'the optimum is no worse than T = 1');
    assert.equal(after.frameError, row.frameError, 'a temperature does not change which token is best');
  }
  assert.ok(table[half]!.calibrationError < table[0]!.calibrationError / 2);
  for (const calibrated of [false, true]) {
    const nats = (rule: string) =>
      table.find((row) => row.rule === rule && row.calibrated === calibrated)!.crossEntropyNats;
    assert.ok(nats('weighted') <= nats('linear') + 1e-6, 'equal weights are weights too');
    const alone = table.filter((row) => row.rule === 'alone' && row.calibrated === calibrated);
    assert.ok(
      alone.every((row) => nats('weighted') <= row.crossEntropyNats + 1e-6),
      'so is one teacher',
    );
  }
});

test('tuneCombination() of one teacher gives the same by every rule', async () => {
  const { weights, table } = await tune(utterancesOf([2]), 1);
  assert.deepEqual(weights, [1]);
  for (const calibrated of [false, true]) {
    const [first, ...others] = table.filter((row) => row.calibrated === calibrated);
    for (const { crossEntropyNats, frameError } of others) {
      assert.ok(Math.abs(crossEntropyNats - first!.crossEntropyNats) < 1e-6);
      assert.equal(frameError, first!.frameError);
    }
  }
});

test('tuneCombination() names a teacher that no temperature makes sharp enough', async () => {
  const labels = Uint16Array.of(0, 1);
  const right = logSoftmax(Float32Array.of(1, 0, 0, 0, 0, 0, 1, 0, 0, 0), vocabularySize);
  const { atEdge, teacherTemperatures } = await tune([{ members: [right, new Float32Array(10)], labels }], 2);
  assert.deepEqual([atEdge, teacherTemperatures], [[0], [1 / 20, 1]]);
});
