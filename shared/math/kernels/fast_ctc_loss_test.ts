import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CtcBatch, ctcLoss } from '../ctc_loss.ts';
import { createRandom } from '../random.ts';
import { openCtcLoss } from './fast_ctc_loss.ts';

const fastLoss = openCtcLoss();

interface Shape {
  vocabularySize: number;
  /** Frames and labels of each utterance. */
  utterances: [number, number][];
  /** Of the logits. */
  spread: number;
  blank?: number;
}

function batchOf({ vocabularySize, utterances, spread, blank = 0 }: Shape): CtcBatch {
  const random = createRandom('ctc', vocabularySize, spread, utterances.length);
  const offsets = (which: 0 | 1) =>
    Int32Array.from({ length: utterances.length + 1 }, (_, i) =>
      utterances.slice(0, i).reduce((sum, sizes) => sum + sizes[which], 0),
    );
  const [utteranceOffsets, labelOffsets] = [offsets(0), offsets(1)];
  return {
    ...{ vocabularySize, utteranceOffsets, labelOffsets, blank },
    logits: Float32Array.from({ length: utteranceOffsets.at(-1)! * vocabularySize }, () => spread * random.normal()),
    labels: Int32Array.from({ length: labelOffsets.at(-1)! }, () => {
      const label = random.integer(vocabularySize - 1);
      return label < blank ? label : label + 1;
    }),
  };
}

function assertSame(batch: CtcBatch, what: string): void {
  const expected = ctcLoss(batch);
  const found = fastLoss(batch);
  expected.utteranceNats.forEach((nats, i) => {
    const near =
      Object.is(found.utteranceNats[i], nats) || Math.abs(found.utteranceNats[i]! - nats) <= 3e-6 * (1 + nats);
    assert.ok(near, `${what}, utterance ${i}: ${found.utteranceNats[i]}, not ${nats}`);
  });
  const frames = batch.utteranceOffsets.at(-1)!;
  expected.gradient.forEach((value, i) => {
    const [a, b] = [frames * found.gradient[i]!, frames * value];
    assert.ok(Object.is(a, b) || Math.abs(a - b) <= 2e-5, `${what}, ${i}: ${a}, not ${b}`);
  });
}

const shapes: Shape[] = [
  {
    vocabularySize: 5,
    utterances: [
      [12, 3],
      [9, 0],
      [1, 1],
      [3, 3],
      [2, 4],
    ],
    spread: 1,
  },
  {
    vocabularySize: 4,
    utterances: [
      [50, 20],
      [7, 6],
      [40, 2],
    ],
    spread: 3,
    blank: 2,
  },
  {
    vocabularySize: 41,
    utterances: [
      [300, 30],
      [100, 49],
      [5, 1],
    ],
    spread: 0.1,
  },
  { vocabularySize: 500, utterances: [[600, 60]], spread: 2 },
  {
    vocabularySize: 7,
    utterances: [
      [200, 10],
      [120, 50],
    ],
    spread: 50,
  },
  {
    vocabularySize: 3,
    utterances: [
      [1500, 3],
      [1500, 700],
    ],
    spread: 10,
  },
];
for (const shape of shapes) {
  const { vocabularySize, utterances, spread } = shape;
  test(`the fast CTC loss is ctcLoss(): ${vocabularySize} tokens, ${utterances.length} utterances, logits ± ${spread}`, () => {
    assertSame(batchOf(shape), '');
  });
}

test('the fast CTC loss is ctcLoss() of a certain model, right or wrong', () => {
  for (const offset of [0, 1]) {
    const batch = batchOf({ vocabularySize: 30, utterances: [[400, 40]], spread: 0.5 });
    for (let frame = 0; frame < 400; frame++) {
      const label = frame % 10 === 5 ? batch.labels[(Math.floor(frame / 10) + offset) % 40]! : 0;
      batch.logits[frame * 30 + label] = 25;
    }
    assertSame(batch, `offset ${offset}`);
  }
});

test('the fast CTC loss is ctcLoss() where tokens are ruled out, and of what is no number', () => {
  const ruled = batchOf({
    vocabularySize: 6,
    utterances: [
      [30, 4],
      [30, 4],
    ],
    spread: 2,
  });
  for (let frame = 0; frame < 30; frame++) ruled.logits[frame * 6 + ((frame % 5) + 1)] = -Infinity;
  assertSame(ruled, 'ruled out');
  const broken = batchOf({
    vocabularySize: 6,
    utterances: [
      [30, 4],
      [30, 4],
    ],
    spread: 2,
  });
  broken.logits[17] = NaN;
  const { utteranceNats } = fastLoss(broken);
  assert.ok(Number.isNaN(utteranceNats[0]) && utteranceNats[1]! > 0);
});

test('the fast CTC loss of no utterance is 0, and it refuses what ctcLoss() refuses', () => {
  assert.equal(fastLoss(batchOf({ vocabularySize: 3, utterances: [], spread: 1 })).lossNats, 0);
  const batch = batchOf({ vocabularySize: 3, utterances: [[4, 1]], spread: 1 });
  assert.throws(() => fastLoss({ ...batch, labels: Int32Array.of(3) }), /label 3: it is not one of 3 tokens/);
});
