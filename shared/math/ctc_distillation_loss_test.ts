import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ctcDistillationLoss, type TranscriptsAndTargets } from './ctc_distillation_loss.ts';
import { ctcLoss } from './ctc_loss.ts';
import { openCtcLoss } from './kernels/fast_ctc_loss.ts';
import { openDistillationLoss } from './kernels/fast_distillation_loss.ts';
import { logSoftmax } from './log_softmax.ts';
import { createRandom, type Random } from './random.ts';
import { concatenateTargets, noTargets, type SparseTargets } from './sparse_targets.ts';

function near(actual: number, expected: number, tolerance: number, what = 'value'): void {
  const fits = actual === expected || Math.abs(actual - expected) <= tolerance;
  assert.ok(fits, `${what} is ${actual}, not ${expected}`);
}

const normals = (random: Random, length: number) => Float32Array.from({ length }, () => 2 * random.normal());

/** A frame whose two best tokens are kept; now and then the gate is shut on it, half or wholly. */
function frameOfTargets(random: Random, vocabularySize: number): SparseTargets {
  const logs = logSoftmax(normals(random, vocabularySize), vocabularySize);
  const order = [...logs.keys()].sort((a, b) => logs[b]! - logs[a]!).slice(0, 2);
  const kept = order.reduce((sum, token) => sum + Math.exp(logs[token]!), 0);
  const gate = random.integer(3) / 2;
  if (gate === 0) return { ...noTargets(1), weight: new Float32Array(1) };
  return {
    offsets: Int32Array.of(0, 2),
    tokens: Uint16Array.from(order),
    logPosteriors: Float32Array.from(order, (token) => logs[token]!),
    logTail: Float32Array.of(Math.log(Math.max(0, 1 - kept))),
    weight: Float32Array.of(gate),
  };
}

/** Some labels that fit into so many frames, unless there are repeated ones. */
function randomLabels(random: Random, frames: number, vocabularySize: number): Int32Array {
  const labels = Array.from({ length: random.integer(1 + Math.ceil(frames / 2)) });
  return Int32Array.from(labels, () => 1 + random.integer(vocabularySize - 1));
}

/** Utterances of 1 to 6 frames, some without transcript, some with hypotheses. */
function randomBatch(random: Random, { withSoft = true, withHypotheses = false } = {}): TranscriptsAndTargets {
  const vocabularySize = 3 + random.integer(3);
  const lengths = Array.from({ length: 1 + random.integer(3) }, () => 1 + random.integer(6));
  const frames = lengths.reduce((sum, length) => sum + length, 0);
  return {
    logits: normals(random, frames * vocabularySize),
    vocabularySize,
    utteranceOffsets: Int32Array.from([0, ...lengths], (_, i) => lengths.slice(0, i).reduce((a, b) => a + b, 0)),
    transcripts: lengths.map((length) => {
      if (withSoft && random.uniform() < 0.3) return undefined;
      return randomLabels(random, length, vocabularySize);
    }),
    ...(withHypotheses && {
      hypotheses: lengths.map((length) => {
        if (random.uniform() < 0.3) return undefined;
        return [0.7, 0.3].map((weight) => ({ labels: randomLabels(random, length, vocabularySize), weight }));
      }),
    }),
    ...(withSoft && {
      soft: concatenateTargets(Array.from({ length: frames }, () => frameOfTargets(random, vocabularySize))),
    }),
    tail: 'ghost',
    temperature: random.uniform() < 0.5 ? 1 : 2,
    softWeight: 0.1 + 0.8 * random.uniform(),
  };
}

test('the gradient of ctcDistillationLoss() is that of finite differences', () => {
  let untranscribed = 0;
  for (let seed = 0; seed < 60; seed++) {
    const kinds = { withSoft: seed % 4 > 0, withHypotheses: seed % 3 > 0 };
    const batch = randomBatch(createRandom('gradient', seed), kinds);
    untranscribed += batch.transcripts.filter((transcript) => !transcript).length;
    const { gradient, lossNats, hardNats, softNats } = ctcDistillationLoss(batch);
    near(lossNats, hardNats + softNats, 1e-12);
    const at = (i: number, value: number) => {
      const logits = batch.logits.slice();
      logits[i] = value;
      return { z: logits[i]!, loss: ctcDistillationLoss({ ...batch, logits }).lossNats };
    };
    gradient.forEach((value, i) => {
      const [above, below] = [at(i, batch.logits[i]! + 1 / 512), at(i, batch.logits[i]! - 1 / 512)];
      near(value, (above.loss - below.loss) / (above.z - below.z), 1e-5, `seed ${seed}, gradient ${i}`);
    });
  }
  assert.ok(untranscribed > 10);
});

test('ctcDistillationLoss() divides both parts by all frames, and weighs them by 1 − w and w', () => {
  for (let seed = 0; seed < 20; seed++) {
    const batch = randomBatch(createRandom('parts', seed));
    const { vocabularySize, utteranceOffsets, transcripts, softWeight } = batch;
    const { hardNats, softNats } = ctcDistillationLoss(batch);
    let nats = 0;
    transcripts.forEach((labels, i) => {
      if (!labels) return;
      const [start, end] = [utteranceOffsets[i]!, utteranceOffsets[i + 1]!];
      const one = ctcLoss({
        logits: batch.logits.slice(start * vocabularySize, end * vocabularySize),
        vocabularySize,
        utteranceOffsets: Int32Array.of(0, end - start),
        labels,
        labelOffsets: Int32Array.of(0, labels.length),
      });
      nats += one.utteranceNats[0]!;
    });
    const frames = utteranceOffsets.at(-1)!;
    near(hardNats, ((1 - softWeight) * nats) / frames, 1e-9 * (1 + nats), `seed ${seed}`);
    const half = ctcDistillationLoss({ ...batch, softWeight: softWeight / 2 });
    near(half.softNats, softNats / 2, 1e-9 * (1 + softNats), `seed ${seed}`);
  }
});

test('ctcDistillationLoss() of hypotheses is the mean CTC by their probabilities, beside transcripts and without them', () => {
  for (let seed = 0; seed < 20; seed++) {
    const batch = randomBatch(createRandom('hypotheses', seed), { withSoft: false, withHypotheses: true });
    const { transcripts, hypotheses, softWeight } = batch;
    const plain = (labels: TranscriptsAndTargets['transcripts']) =>
      ctcDistillationLoss({ ...batch, transcripts: labels, hypotheses: undefined }).lossNats;
    const of = (rank: number) => plain(hypotheses!.map((several) => several && several[rank]!.labels));
    const { hardNats, softNats } = ctcDistillationLoss(batch);
    near(hardNats, (1 - softWeight) * plain(transcripts), 1e-9 * (1 + hardNats), `seed ${seed}`);
    near(softNats, softWeight * (0.7 * of(0) + 0.3 * of(1)), 1e-9 * (1 + softNats), `seed ${seed}`);
    const certain = transcripts.map((labels) => [{ labels: labels!, weight: 1 }]);
    const learnt = ctcDistillationLoss({ ...batch, hypotheses: certain });
    near(
      learnt.lossNats,
      plain(transcripts),
      1e-9 * (1 + learnt.lossNats),
      `seed ${seed}: teachers that hear the truth`,
    );
  }
});

test('ctcDistillationLoss() without soft targets is ctcLoss(), whatever their weight would be', () => {
  const batch = randomBatch(createRandom('hard'), { withSoft: false });
  const labels = Int32Array.from(batch.transcripts.flatMap((transcript) => [...transcript!]));
  const labelOffsets = [0, ...batch.transcripts].map((_, i) =>
    batch.transcripts.slice(0, i).reduce((sum, transcript) => sum + transcript!.length, 0),
  );
  const { lossNats, gradient } = ctcLoss({ ...batch, labels, labelOffsets: Int32Array.from(labelOffsets) });
  const found = ctcDistillationLoss(batch);
  assert.equal(found.lossNats, lossNats);
  assert.deepEqual(found.gradient, gradient);
});

test('ctcDistillationLoss() has a gradient of 0 in untranscribed frames that are gated', () => {
  const batch = randomBatch(createRandom('gated'));
  const frames = batch.utteranceOffsets.at(-1)!;
  const shut = { ...noTargets(frames), weight: new Float32Array(frames) };
  const { gradient, lossNats } = ctcDistillationLoss({
    ...batch,
    soft: shut,
    transcripts: batch.transcripts.map(() => undefined),
  });
  assert.equal(lossNats, 0);
  assert.ok(gradient.every((value) => value === 0));
});

test('ctcDistillationLoss() by kernels is what it is by definition', () => {
  const kernels = { ctcLoss: openCtcLoss(), distillationLoss: openDistillationLoss() };
  for (let seed = 0; seed < 30; seed++) {
    const kinds = { withSoft: seed % 3 > 0, withHypotheses: seed % 2 > 0 };
    const batch = randomBatch(createRandom('kernels', seed), kinds);
    const [expected, found] = [ctcDistillationLoss(batch), ctcDistillationLoss(batch, kernels)];
    near(found.lossNats, expected.lossNats, 1e-5 * (1 + expected.lossNats), `seed ${seed}`); // float32
    expected.gradient.forEach((value, i) => void near(found.gradient[i]!, value, 1e-5, `seed ${seed}, gradient ${i}`));
  }
});

test('ctcDistillationLoss() is infinite where a transcript does not fit, leaves what it reads alone, refuses wrong shapes', () => {
  const batch = randomBatch(createRandom('input', 1));
  const before = structuredClone(batch);
  ctcDistillationLoss(batch);
  assert.deepEqual(batch, before);
  const long = batch.transcripts.map(() => new Int32Array(99).fill(1));
  assert.equal(ctcDistillationLoss({ ...batch, transcripts: long }).lossNats, Infinity);
  const faults: [Partial<TranscriptsAndTargets>, RegExp][] = [
    [{ transcripts: [] }, /utterances with 0 transcripts; give one each, undefined where there is none/],
    [{ hypotheses: [] }, /utterances with the hypotheses of 0; give those of each, undefined where there are none/],
    [{ logits: batch.logits.slice(batch.vocabularySize) }, /Cannot split .* logits of .* tokens into/],
    [{ transcripts: batch.transcripts.map(() => Int32Array.of(0)) }, /label 0 of utterance 0: it is the blank/],
    [{ soft: noTargets(99) }, /with soft targets of 99/],
  ];
  for (const [change, message] of faults) {
    assert.throws(
      () => ctcDistillationLoss({ ...batch, ...change }),
      (error) => error instanceof RangeError && message.test(error.message),
    );
  }
});
