import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CtcBatch, ctcLoss } from './ctc_loss.ts';
import { createRandom } from './random.ts';

interface Golden {
  vocabularySize: number;
  labels: number[];
  logits: number[];
  /** Null where there are too few frames. */
  nats: number | null;
  gradient: number[] | null;
}
const goldens: Golden[] = JSON.parse(readFileSync('shared/math/testdata/ctc.json', 'utf8'));

const one = ({ logits, labels, vocabularySize }: Pick<Golden, 'logits' | 'labels' | 'vocabularySize'>): CtcBatch => ({
  logits: Float32Array.from(logits),
  vocabularySize,
  utteranceOffsets: Int32Array.of(0, logits.length / vocabularySize),
  labels: Int32Array.from(labels),
  labelOffsets: Int32Array.of(0, labels.length),
});

test('ctcLoss() and its gradient are those of PyTorch', () => {
  for (const golden of goldens) {
    const frames = golden.logits.length / golden.vocabularySize;
    const { utteranceNats, lossNats, gradient } = ctcLoss(one(golden));
    const what = `${frames} frames, labels ${golden.labels}`;
    if (golden.nats === null) {
      assert.deepEqual([utteranceNats[0], lossNats], [Infinity, 0], what);
      assert.ok(gradient.every((value) => value === 0));
      continue;
    }
    assert.ok(Math.abs(utteranceNats[0]! - golden.nats) < 1e-9 * (1 + golden.nats), `${what}: ${utteranceNats[0]}`);
    assert.ok(Math.abs(lossNats - golden.nats / frames) < 1e-9 * (1 + golden.nats), what);
    gradient.forEach((value, i) => {
      assert.ok(Math.abs(frames * value - golden.gradient![i]!) < 1e-6, `${what}, ${i}: ${value}`);
    });
  }
});

test('ctcLoss() of several utterances is the sum of each, by frame', () => {
  const chosen = goldens.filter(({ vocabularySize }) => vocabularySize === 4);
  const lengths = chosen.map(({ logits }) => logits.length / 4);
  const offsets = (sizes: readonly number[]) =>
    Int32Array.from({ length: sizes.length + 1 }, (_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  const { utteranceNats, lossNats, gradient } = ctcLoss({
    ...one({ logits: chosen.flatMap(({ logits }) => logits), labels: [], vocabularySize: 4 }),
    labels: Int32Array.from(chosen.flatMap(({ labels }) => labels)),
    utteranceOffsets: offsets(lengths),
    labelOffsets: offsets(chosen.map(({ labels }) => labels.length)),
  });
  const frames = lengths.reduce((sum, length) => sum + length, 0);
  assert.ok(utteranceNats.includes(Infinity), 'one of them cannot be aligned');
  const sum = chosen.reduce((total, { nats }) => total + (nats ?? 0), 0);
  assert.ok(Math.abs(lossNats - sum / frames) < 1e-9);
  const alone = chosen.flatMap((golden, i) => [...ctcLoss(one(golden)).gradient].map((value) => value * lengths[i]!));
  gradient.forEach((value, i) => void assert.ok(Math.abs(frames * value - alone[i]!) < 1e-6));
});

/** What a path says: repeats once, blanks not at all. */
const collapse = (path: readonly number[]): number[] =>
  path.filter((token, i) => token !== path[i - 1]).filter((token) => token !== 0);

test('ctcLoss() sums over all paths of a transcript', () => {
  const [frames, vocabularySize] = [5, 3];
  const random = createRandom('paths');
  for (const labels of [[], [1], [1, 2], [1, 1], [2, 1, 2], [1, 1, 1]]) {
    const logits = Array.from({ length: frames * vocabularySize }, random.normal);
    let probability = 0;
    for (let code = 0; code < vocabularySize ** frames; code++) {
      const path = Array.from({ length: frames }, (_, t) => Math.floor(code / vocabularySize ** t) % vocabularySize);
      if (collapse(path).join() !== labels.join()) continue;
      probability += path.reduce((product, token, t) => {
        const row = logits.slice(t * vocabularySize, (t + 1) * vocabularySize).map((z) => Math.exp(Math.fround(z)));
        return (product * row[token]!) / row.reduce((a, b) => a + b);
      }, 1);
    }
    const { utteranceNats } = ctcLoss(one({ logits, labels, vocabularySize }));
    assert.ok(Math.abs(utteranceNats[0]! + Math.log(probability)) < 1e-9, `labels ${labels}: ${utteranceNats[0]}`);
  }
});

test("each frame of ctcLoss()'s gradient sums to 0, and the batch is left alone", () => {
  const given = one(goldens.at(-1)!);
  const before = given.logits.slice();
  const { gradient } = ctcLoss(given);
  assert.deepEqual(given.logits, before);
  for (let start = 0; start < gradient.length; start += given.vocabularySize) {
    const sum = gradient.subarray(start, start + given.vocabularySize).reduce((a, b) => a + b);
    assert.ok(Math.abs(sum) < 1e-7, `${sum}`);
  }
});

test('ctcLoss() refuses what does not fit, in one line', () => {
  const given = one({ logits: [0, 0, 0, 0, 0, 0], labels: [1], vocabularySize: 3 });
  const refused: [Partial<CtcBatch>, RegExp][] = [
    [{ labels: Int32Array.of(0) }, /label 0: it is the blank/],
    [{ labels: Int32Array.of(3) }, /label 3: it is not one of 3 tokens/],
    [{ vocabularySize: 4 }, /6 logits: 2 frames of 4 tokens make 8/],
    [{ labelOffsets: Int32Array.of(0, 2) }, /1 utterances with 1 transcripts of 1 labels/],
  ];
  for (const [changes, message] of refused) assert.throws(() => ctcLoss({ ...given, ...changes }), message);
});
