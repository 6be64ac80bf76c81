import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ctcLoss, type LogitsAndTranscripts } from './ctc_loss.ts';
import { logSoftmax } from './log_softmax.ts';
import { createRandom, type Random } from './random.ts';

function near(actual: number, expected: number, tolerance: number, what = 'value'): void {
  const fits = actual === expected || Math.abs(actual - expected) <= tolerance;
  assert.ok(fits, `${what} is ${actual}, not ${expected}`);
}

/** A batch of utterances, each given as its logits and its labels. */
function batchOf(
  utterances: readonly { logits: ArrayLike<number>; labels: readonly number[] }[],
  vocabularySize: number,
): LogitsAndTranscripts {
  const offsets = (lengths: number[]) =>
    [0, ...lengths].map((_, i) => lengths.slice(0, i).reduce((sum, length) => sum + length, 0));
  return {
    logits: Float32Array.from(utterances.flatMap(({ logits }) => Array.from(logits))),
    vocabularySize,
    utteranceOffsets: Int32Array.from(offsets(utterances.map(({ logits }) => logits.length / vocabularySize))),
    labels: Int32Array.from(utterances.flatMap(({ labels }) => labels)),
    labelOffsets: Int32Array.from(offsets(utterances.map(({ labels }) => labels.length))),
  };
}

/** Nats and gradient of one utterance, not divided by its frames. */
function lossOf(logits: ArrayLike<number>, labels: readonly number[], vocabularySize: number) {
  const frames = Math.max(1, logits.length / vocabularySize);
  const { utteranceNats, lossNats, gradient } = ctcLoss(batchOf([{ logits, labels }], vocabularySize));
  near(lossNats, utteranceNats[0]! / frames, 1e-12 * Math.abs(lossNats));
  return { nats: utteranceNats[0]!, gradient: Array.from(gradient, (value) => value * frames) };
}

const normals = (random: Random, length: number, scale = 1) =>
  Float32Array.from({ length }, () => scale * random.normal());

const golden: {
  vocabularySize: number;
  cases: { name: string; labels: number[]; logits: number[]; nats: number | 'Infinity'; gradient: number[] }[];
} = JSON.parse(readFileSync('shared/math/testdata/ctc.json', 'utf8'));
for (const { name, labels, logits, nats, gradient } of golden.cases) {
  test(`ctcLoss() agrees with PyTorch in loss and gradient: ${name}`, () => {
    const found = lossOf(logits, labels, golden.vocabularySize);
    near(found.nats, Number(nats), 1e-8 * (1 + Number(nats))); // goldens have 9 digits
    gradient.forEach((value, i) => void near(found.gradient[i]!, value, 1e-7, `gradient ${i}`)); // float32
  });
}

test('ctcLoss() of a batch is the sum over its utterances, divided by all frames', () => {
  const { vocabularySize, cases } = golden;
  const { lossNats, utteranceNats, gradient } = ctcLoss(batchOf(cases, vocabularySize));
  const frames = gradient.length / vocabularySize;
  assert.equal(lossNats, Infinity);
  cases.forEach(({ nats }, i) => void near(utteranceNats[i]!, Number(nats), 1e-8 * (1 + Number(nats))));
  cases
    .flatMap((one) => one.gradient)
    .forEach((value, i) => void near(gradient[i]! * frames, value, 1e-7, `gradient ${i}`));

  const possible = cases.filter(({ nats }) => nats !== 'Infinity');
  const sum = possible.reduce((total, { nats }) => total + Number(nats), 0);
  const rest = ctcLoss(batchOf(possible, vocabularySize));
  near(rest.lossNats, sum / (rest.gradient.length / vocabularySize), 1e-8);
});

/** What a path spells: repeated tokens merged, then blanks (token 0) removed. */
const spelt = (path: readonly number[]) => path.filter((token, i) => token !== path[i - 1] && token !== 0).join(' ');

/** All sequences of so many tokens. */
const sequences = (length: number, tokens: readonly number[]): number[][] =>
  length === 0 ? [[]] : sequences(length - 1, tokens).flatMap((rest) => tokens.map((token) => [...rest, token]));

test('ctcLoss() is the sum over all paths that spell the transcript, and all transcripts together have probability 1', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom('paths', seed);
    const frames = random.integer(6);
    const logits = normals(random, 3 * frames, 2);
    const logs = logSoftmax(logits, 3);
    const probabilities = new Map<string, number>();
    for (const path of sequences(frames, [0, 1, 2])) {
      const log = path.reduce((sum, token, frame) => sum + logs[3 * frame + token]!, 0);
      probabilities.set(spelt(path), (probabilities.get(spelt(path)) ?? 0) + Math.exp(log));
    }
    let total = 0;
    for (let length = 0; length <= frames + 1; length++) {
      for (const labels of sequences(length, [1, 2])) {
        const probability = Math.exp(-lossOf(logits, labels, 3).nats);
        near(probability, probabilities.get(labels.join(' ')) ?? 0, 1e-6, `seed ${seed}, p(${labels})`); // float32 logs
        total += probability;
      }
    }
    near(total, 1, 1e-12, `seed ${seed}, total`);
  }
});

/** Some utterances of random logits and labels, some of them without labels, some too short for them. */
function randomBatch(random: Random, blank: number): LogitsAndTranscripts {
  const vocabularySize = 2 + random.integer(4);
  const utterances = Array.from({ length: 1 + random.integer(3) }, () => ({
    logits: normals(random, vocabularySize * random.integer(7), 3),
    labels: Array.from(
      { length: random.integer(4) },
      () => (blank + 1 + random.integer(vocabularySize - 1)) % vocabularySize,
    ),
  }));
  return { ...batchOf(utterances, vocabularySize), blank };
}

test('the gradient of ctcLoss() is that of finite differences, and sums to 0 in each frame', () => {
  let impossible = 0;
  for (let seed = 0; seed < 80; seed++) {
    const random = createRandom('gradient', seed);
    const batch = randomBatch(random, random.integer(2));
    const { gradient, utteranceNats } = ctcLoss(batch);
    const frames = batch.logits.length / batch.vocabularySize;
    impossible += utteranceNats.filter((nats) => nats === Infinity).length;
    const at = (i: number, value: number) => {
      const logits = batch.logits.slice();
      logits[i] = value;
      const finite = ctcLoss({ ...batch, logits }).utteranceNats.filter((nats) => nats < Infinity);
      return { z: logits[i]!, loss: finite.reduce((sum, nats) => sum + nats, 0) / frames };
    };
    gradient.forEach((value, i) => {
      const [above, below] = [at(i, batch.logits[i]! + 1 / 1024), at(i, batch.logits[i]! - 1 / 1024)];
      near(value, (above.loss - below.loss) / (above.z - below.z), 1e-6, `seed ${seed}, gradient ${i}`);
    });
    for (let start = 0; start < gradient.length; start += batch.vocabularySize) {
      const row = gradient.subarray(start, start + batch.vocabularySize);
      near(
        row.reduce((sum, value) => sum + value, 0),
        0,
        1e-7,
        `seed ${seed}, sum`,
      ); // float32
    }
  }
  assert.ok(impossible > 10, `only ${impossible} impossible utterances`);
});

test('ctcLoss() has gradient 0 where an utterance is too short for its transcript, and names it by an infinite loss', () => {
  const random = createRandom('impossible');
  const good = { logits: normals(random, 12), labels: [1, 2] };
  const bad = { logits: normals(random, 6), labels: [1, 1] };
  const { lossNats, utteranceNats, gradient } = ctcLoss(batchOf([good, bad, { logits: [], labels: [1] }], 3));
  assert.equal(lossNats, Infinity);
  assert.deepEqual([...utteranceNats.subarray(1)], [Infinity, Infinity]);
  assert.deepEqual([...gradient.subarray(12)], [0, 0, 0, 0, 0, 0]);
  const alone = lossOf(good.logits, good.labels, 3);
  assert.equal(utteranceNats[0], alone.nats);
  gradient.subarray(0, 12).forEach((value, i) => void near(value * 6, alone.gradient[i]!, 1e-7));
});

test('ctcLoss() of no frames and no labels is 0, of no utterances too', () => {
  assert.ok(Object.is(lossOf([], [], 3).nats, 0));
  assert.ok(Object.is(ctcLoss(batchOf([], 3)).lossNats, 0));
});

test('ctcLoss() knows logits of −∞: ruled out elsewhere they are exact, in the transcript it is impossible', () => {
  const logits = [0, 0, -Infinity, 0, 0, -Infinity];
  const { nats, gradient } = lossOf(logits, [1], 3);
  near(nats, -Math.log(3 / 4), 1e-12); // 01, 10 and 11 of four
  [1 / 6, -1 / 6, 0, 1 / 6, -1 / 6, 0].forEach((value, i) => void near(gradient[i]!, value, 1e-7));
  assert.deepEqual(lossOf(logits, [2], 3), { nats: Infinity, gradient: [0, 0, 0, 0, 0, 0] });
});

test('ctcLoss() of an utterance with a logit that is NaN is NaN, and leaves the others alone', () => {
  const others = { logits: [1, 2, 3, 3, 2, 1], labels: [1] };
  for (const broken of [
    [NaN, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, NaN],
    [0, 0, 0, -Infinity, -Infinity, -Infinity],
    [0, 0, Infinity, 0, 0, 0],
  ]) {
    const { lossNats, utteranceNats, gradient } = ctcLoss(batchOf([{ logits: broken, labels: [1] }, others], 3));
    const alone = ctcLoss(batchOf([others], 3));
    assert.deepEqual([lossNats, ...utteranceNats], [NaN, NaN, alone.lossNats * 2]);
    assert.deepEqual([...gradient.subarray(0, 6)], Array(6).fill(NaN));
    assert.deepEqual([...gradient.subarray(6)], [...alone.gradient.map((value) => value / 2)]);
  }
});

test('ctcLoss() is exact where probabilities are far below what float64 holds', () => {
  const frames = 400;
  const logits = Array.from({ length: frames }, () => [50, -50]).flat();
  const labels = Array(100).fill(1); // each costs 100 nats; in how many ways: 100 labels, 99 blanks and 201 blanks between
  const { nats, gradient } = lossOf(logits, labels, 2);
  const ways = Array.from({ length: 100 }, (_, i) => Math.log((frames - 99 - i) / (100 - i))).reduce((a, b) => a + b);
  near(nats, 100 * 100 - ways, 1e-9 * nats); // longer labels are e^-100 of it
  near(
    gradient.reduce((sum, value, i) => sum + (i % 2 ? value : 0), 0),
    -100,
    1e-3,
  );
});

test('ctcLoss() leaves what it reads alone and refuses what does not fit', () => {
  const batch = randomBatch(createRandom('input', 7), 0);
  const before = structuredClone(batch);
  ctcLoss(batch);
  assert.deepEqual(batch, before);
  const common = batchOf(
    [
      { logits: new Float32Array(8), labels: [1] },
      { logits: new Float32Array(4), labels: [3] },
    ],
    4,
  );
  const faults: [Partial<LogitsAndTranscripts>, RegExp][] = [
    [{ vocabularySize: 5 }, /frames of 5 tokens from 12 logits/],
    [{ utteranceOffsets: Int32Array.of(0, 2, 4) }, /split 3 frames at 0, 2, 4; let offsets rise from 0 to 3/],
    [{ utteranceOffsets: Int32Array.of(0, 4, 3) }, /split 3 frames at 0, 4, 3/],
    [{ utteranceOffsets: new Int32Array(0) }, /split 3 frames at /],
    [{ labelOffsets: Int32Array.of(1, 2, 2) }, /split 2 labels at 1, 2, 2/],
    [{ labelOffsets: Int32Array.of(0, 2) }, /2 utterances with 1 transcripts/],
    [{ labels: Int32Array.of(1, 4) }, /label 4 of utterance 1: there are 4 tokens/],
    [{ labels: Int32Array.of(-1, 1) }, /label -1 of utterance 0: there are 4 tokens/],
    [{ labels: Int32Array.of(1, 0) }, /label 0 of utterance 1: it is the blank/],
    [{ blank: 3 }, /label 3 of utterance 1: it is the blank/],
    [{ blank: 4 }, /blank 4: there are 4 tokens/],
  ];
  for (const [change, message] of faults) {
    assert.throws(
      () => ctcLoss({ ...common, ...change }),
      (error) => error instanceof RangeError && message.test(error.message),
    );
  }
});
