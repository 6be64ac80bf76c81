import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Kept, keepTokens } from './keep_tokens.ts';
import { logSoftmax } from './log_softmax.ts';
import { createRandom } from './random.ts';
import { type Selection, sampleTokens, selectTokens, threshold, topK, topP } from './select.ts';

const logs = (...posteriors: number[]) => Float32Array.from(posteriors, Math.log);
const mass = ({ logPosteriors }: Pick<Kept, 'logPosteriors'>) =>
  logPosteriors.reduce((sum, value) => sum + Math.exp(value), 0);
const lost = ({ logTail }: Kept) => Math.exp(logTail[0]!);
const open = Float32Array.of(1);
/** What stays of a single frame. */
const select = (row: Float32Array, selection: Selection): Kept =>
  keepTokens(row, row.length, selectTokens(row, row.length, open, selection));

const row = logs(0.1, 0.5, 0.1, 0.3);
const cases: { name: string; kept: Kept; tokens: number[]; tail: number }[] = [
  { name: 'topK() keeps the best, ties by lower id', kept: select(row, topK(3)), tokens: [1, 3, 0], tail: 0.1 },
  { name: 'topK() of all tokens loses nothing', kept: select(row, topK(4)), tokens: [1, 3, 0, 2], tail: 0 },
  { name: 'topP() keeps no more than it must', kept: select(row, topP(0.79)), tokens: [1, 3], tail: 0.2 },
  { name: 'topP() of all mass keeps all', kept: select(row, topP(1)), tokens: [1, 3, 0, 2], tail: 0 },
  { name: 'topP() of a certain teacher keeps one token', kept: select(logs(0, 1, 0), topP(1)), tokens: [1], tail: 0 },
  { name: 'threshold() keeps what reaches it', kept: select(row, threshold(0.3 - 1e-6)), tokens: [1, 3], tail: 0.2 },
  { name: 'threshold() keeps the best token always', kept: select(row, threshold(0.9)), tokens: [1], tail: 0.5 },
  { name: 'topK() of a certain teacher loses nothing', kept: select(logs(0, 1, 0), topK(2)), tokens: [1, 0], tail: 0 },
];
for (const { name, kept, tokens, tail } of cases) {
  test(name, () => {
    assert.deepEqual([...kept.tokens], tokens);
    assert.ok(Math.abs(lost(kept) - tail) < 1e-6, `${lost(kept)}`);
  });
}

test('a tail far below rounding of the kept mass is there', () => {
  const { logTail } = select(Float32Array.of(0, -60), topK(1));
  assert.ok(Math.abs(logTail[0]! + 60) < 1e-5);
});

test('whatever is kept is ranked, and kept and lost make 1', () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = createRandom('select', seed);
    const size = 1 + random.integer(60);
    const row = logSoftmax(
      Float32Array.from({ length: size }, () => 3 * random.normal()),
      size,
    );
    const p = 1 - random.uniform();
    const selections = {
      topK: select(row, topK(1 + random.integer(size))),
      topP: select(row, topP(p)),
      threshold: select(row, threshold(p / 10)),
      all: select(row, topK(size)),
    };
    for (const [name, kept] of Object.entries(selections)) {
      const what = `seed ${seed}, ${name}`;
      const { tokens, logPosteriors } = kept;
      assert.ok(Math.abs(mass(kept) + lost(kept) - 1) < 1e-5, what);
      assert.equal(new Set(tokens).size, tokens.length, what);
      for (let i = 1; i < tokens.length; i++) {
        const inOrder =
          logPosteriors[i - 1]! > logPosteriors[i]! ||
          (logPosteriors[i - 1] === logPosteriors[i] && tokens[i - 1]! < tokens[i]!);
        assert.ok(inOrder, what);
      }
    }
    assert.ok(mass(selections.topP) >= p - 1e-6, `seed ${seed}`);
    assert.deepEqual(select(row, topP(1)), selections.all);
    assert.deepEqual(
      select(row, topK(selections.topP.tokens.length)),
      selections.topP,
      `seed ${seed}: both keep the first by rank`,
    );
  }
});

test('selecting again from what was kept, renormalised, keeps it', () => {
  const random = createRandom('again');
  const row = logSoftmax(Float32Array.from({ length: 30 }, random.normal), 30);
  const { tokens } = select(row, topK(5));
  const again = new Float32Array(30).fill(-Infinity);
  for (const token of tokens) again[token] = row[token]!;
  const second = select(logSoftmax(again, 30), topK(5));
  assert.deepEqual([...second.tokens], [...tokens]);
  assert.equal(second.logTail[0], -Infinity);
});

test('sampleTokens() has the posteriors as its mean, and draws nothing that is ruled out', () => {
  const row = logs(0.5, 0, 0.3, 0.15, 0.05);
  const random = createRandom('unbiased');
  const sums = new Float64Array(5);
  const rounds = 4000;
  for (let round = 0; round < rounds; round++) {
    const { tokens, logPosteriors } = sampleTokens(row, 5, open, { draws: 5, random });
    assert.ok(Math.abs(mass({ logPosteriors }) - 1) < 1e-6);
    for (let i = 1; i < tokens.length; i++) assert.ok(logPosteriors[i - 1]! >= logPosteriors[i]!);
    for (const [i, token] of tokens.entries()) sums[token]! += Math.exp(logPosteriors[i]!) / rounds;
  }
  assert.equal(sums[1], 0);
  sums.forEach((mean, token) => {
    const p = Math.exp(row[token]!);
    assert.ok(Math.abs(mean - p) <= 4 * Math.sqrt((p * (1 - p)) / (5 * rounds)), `token ${token}: ${mean}`); // 4 deviations
  });
});

test('selectTokens() and sampleTokens() keep nothing of frames without weight, and each frame its own tokens', () => {
  const random = createRandom('frames');
  const size = 40;
  const frames = Array.from({ length: 9 }, () =>
    logSoftmax(
      Float32Array.from({ length: size }, () => 2 * random.normal()),
      size,
    ),
  );
  const weight = Float32Array.from(frames, (_, i) => (i % 3 === 1 ? 0 : 0.5));
  const all = Float32Array.from(frames.flatMap((row) => [...row]));
  for (const selection of [topK(3), topK(size), topP(0.5), topP(0.999), threshold(0.2), threshold(1e-4)]) {
    const { offsets, tokens } = selectTokens(all, size, weight, selection);
    frames.forEach((row, frame) => {
      const expected = weight[frame] ? select(row, selection).tokens : new Uint16Array(0);
      assert.deepEqual(tokens.slice(offsets[frame], offsets[frame + 1]), expected);
    });
  }
  const { offsets, tokens, logPosteriors } = sampleTokens(all, size, weight, { draws: 20, random });
  assert.equal(tokens.length, logPosteriors.length);
  weight.forEach((value, frame) => void assert.equal(offsets[frame + 1]! > offsets[frame]!, value > 0));
});
