import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ctcLoss, type LogitsAndTranscripts } from '../ctc_loss.ts';
import { createRandom } from '../random.ts';
import { openCtcLoss } from './fast_ctc_loss.ts';

const fastLoss = openCtcLoss();

/** Frames and labels of each utterance. */
type Lengths = readonly (readonly [frames: number, labels: number])[];

interface Batch {
  vocabularySize: number;
  lengths: Lengths;
  logit: (token: number) => number;
  blank?: number;
}

/** Random labels, half of them equal to the one before. */
function batchOf({ vocabularySize, lengths, logit, blank = 0 }: Batch, seed: number): LogitsAndTranscripts {
  const random = createRandom('labels', seed);
  const offsets = (of: 0 | 1) =>
    Int32Array.from([0, ...lengths], (_, i) => lengths.slice(0, i).reduce((sum, pair) => sum + pair[of], 0));
  const [utteranceOffsets, labelOffsets] = [offsets(0), offsets(1)];
  const labels = new Int32Array(labelOffsets.at(-1)!);
  labels.forEach((_, i) => {
    const fresh = (blank + 1 + random.integer(vocabularySize - 1)) % vocabularySize;
    labels[i] = i > 0 && random.uniform() < 0.5 ? labels[i - 1]! : fresh;
  });
  const logits = Float32Array.from({ length: utteranceOffsets.at(-1)! * vocabularySize }, (_, i) =>
    logit(i % vocabularySize),
  );
  return { logits, vocabularySize, utteranceOffsets, labels, labelOffsets, blank };
}

const normals = (seed: number, scale: number): (() => number) => {
  const random = createRandom('logits', seed);
  return () => scale * random.normal();
};

/** float32 exponentials: six digits of the loss, and of the largest gradient there can be. */
function assertSame(given: LogitsAndTranscripts, what: string): void {
  const expected = ctcLoss(given);
  const found = fastLoss(given);
  const same = (a: number, b: number, tolerance: number, name: string) =>
    assert.ok(Object.is(a, b) || Math.abs(a - b) <= tolerance, `${what}, ${name}: ${a}, not ${b}`);
  same(found.lossNats, expected.lossNats, 1e-6 * (1 + expected.lossNats), 'loss');
  expected.utteranceNats.forEach((nats, i) => {
    same(found.utteranceNats[i]!, nats, 1e-6 * (1 + nats), `utterance ${i}`);
  });
  const frames = given.logits.length / given.vocabularySize;
  expected.gradient.forEach((value, i) => void same(found.gradient[i]!, value, 1e-6 / frames, `gradient ${i}`));
}

test('the fast loss equals ctcLoss(), whatever the lengths', () => {
  const lengths: Lengths[] = [
    [[1, 0]],
    [[1, 1]],
    [[2, 1]],
    [
      [7, 2],
      [1, 0],
      [0, 0],
      [5, 5],
      [13, 3],
      [3, 4],
      [0, 1],
      [50, 20],
    ],
    [
      [101, 33],
      [64, 0],
      [30, 30],
    ],
  ];
  for (const vocabularySize of [2, 3, 8, 41, 502]) {
    for (let seed = 0; seed < 5; seed++) {
      for (const some of lengths) {
        const blank = [0, 1, vocabularySize - 1][seed % 3]!;
        const batch = batchOf({ vocabularySize, lengths: some, logit: normals(seed, 3), blank }, seed);
        assertSame(batch, `${vocabularySize} tokens, lengths ${some.join(' ')}, seed ${seed}`);
      }
    }
  }
});

test('the fast loss equals ctcLoss() where probabilities are far below what float64 holds', () => {
  const lengths: Lengths = [
    [403, 60],
    [250, 1],
    [300, 0],
    [200, 120],
  ];
  for (let seed = 0; seed < 6; seed++) {
    const random = createRandom('sign', seed);
    const logits: Record<string, Batch['logit']> = {
      'of 50 and -50': () => (random.uniform() < 0.5 ? 50 : -50),
      'spread by 50': normals(seed, 50),
      'spread by 1000': normals(seed, 1000),
      'of a student that knows only the blank': (token) => (token === 0 ? 50 : -50),
      'of a student that never knows the blank': (token) => (token === 0 ? -50 : random.uniform()),
    };
    for (const [name, logit] of Object.entries(logits)) {
      assertSame(batchOf({ vocabularySize: 6, lengths, logit }, seed), `logits ${name}, seed ${seed}`);
    }
  }
});

test('the fast loss keeps a path that is worst up to some frame, and best from there on', () => {
  // first both labels cost 90 nats each, then 100: a single scale for all states of a frame would lose the better path
  const [vocabularySize, count] = [3, 40];
  const lengths: Lengths = [[4 * count, count]];
  for (const [early, late] of [
    [90, 100],
    [100, 90],
  ] as const) {
    let place = 0;
    const logit = (token: number) => {
      const frame = Math.floor(place++ / vocabularySize);
      return token === 0 ? 0 : frame < 2 * count ? -early : -late;
    };
    const batch = batchOf({ vocabularySize, lengths, logit }, 1);
    const { utteranceNats } = fastLoss(batch);
    assert.ok(Math.abs(utteranceNats[0]! - 90 * count) < 60, `${utteranceNats[0]}`); // less the log of how many paths
    assertSame(batch, `${early} nats, then ${late}`);
  }
});

test('the fast loss equals ctcLoss() where logits are infinite, no numbers, or too far apart', () => {
  const lengths: Lengths = [
    [9, 2],
    [6, 3],
    [5, 0],
  ];
  for (let seed = 0; seed < 30; seed++) {
    const batch = batchOf({ vocabularySize: 5, lengths, logit: normals(seed, 3) }, seed);
    const random = createRandom('broken', seed);
    for (const broken of [NaN, -Infinity, Infinity, -3e38, 3e38, -2e5]) {
      const logits = batch.logits.slice();
      for (let i = 0; i < 3; i++) logits[random.integer(logits.length)] = broken;
      assertSame({ ...batch, logits }, `logit ${broken}, seed ${seed}`);
    }
    const logits = batch.logits.slice().fill(-Infinity, 10, 15);
    assertSame({ ...batch, logits }, `a frame of -Infinity, seed ${seed}`);
    assertSame(
      { ...batch, logits: batch.logits.map((value, i) => (i % 5 === 4 ? -Infinity : value)) },
      'a token ruled out',
    );
  }
});

test('the fast loss of no utterances is 0; it leaves what it reads alone, and refuses what ctcLoss() refuses', () => {
  const none = batchOf({ vocabularySize: 5, lengths: [], logit: () => 0 }, 0);
  assert.ok(Object.is(fastLoss(none).lossNats, 0));
  const batch = batchOf({ vocabularySize: 5, lengths: [[4, 2]], logit: normals(1, 3) }, 1);
  const before = structuredClone(batch);
  fastLoss(batch);
  assert.deepEqual(batch, before);
  for (const change of [
    { vocabularySize: 3 },
    { labels: Int32Array.of(1, 5) },
    { labels: Int32Array.of(0, 1) },
    { labelOffsets: Int32Array.of(0, 1) },
    { blank: -1 },
  ]) {
    const message = (use: (given: LogitsAndTranscripts) => unknown) => {
      try {
        use({ ...batch, ...change });
      } catch (error) {
        return `${error}`;
      }
      return 'nothing';
    };
    assert.match(message(ctcLoss), /RangeError/);
    assert.equal(message(fastLoss), message(ctcLoss));
  }
});
