import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createTemperatureSearch, type TemperatureSearch } from './calibration.ts';
import { logSoftmax } from './log_softmax.ts';
import { createRandom, type Random } from './random.ts';

const golden = JSON.parse(readFileSync(new URL('./testdata/calibration.json', import.meta.url), 'utf8'));

/** Searches over frames that come in parts; how many passes it took. */
function search(parts: { logPosteriors: Float32Array; labels: Uint16Array }[], vocabularySize: number) {
  const found: TemperatureSearch = createTemperatureSearch(vocabularySize);
  let passes = 0;
  do {
    for (const { logPosteriors, labels } of parts) found.count(logPosteriors, labels);
    passes++;
  } while (found.advance());
  return { temperature: found.temperature, atEdge: found.atEdge, passes };
}

const draw = (random: Random, frames: number, vocabularySize: number) =>
  logSoftmax(
    Float32Array.from({ length: frames * vocabularySize }, () => 2 * random.normal()),
    vocabularySize,
  );

/** Labels that are drawn from the posteriors themselves. */
function labelsFrom(random: Random, logPosteriors: Float32Array, vocabularySize: number): Uint16Array {
  return Uint16Array.from({ length: logPosteriors.length / vocabularySize }, (_, frame) => {
    let rest = random.uniform();
    let token = 0;
    for (; token < vocabularySize - 1; token++) {
      rest -= Math.exp(logPosteriors[frame * vocabularySize + token]!);
      if (rest < 0) break;
    }
    return token;
  });
}

test('createTemperatureSearch() finds the temperatures that PyTorch finds, in few passes', () => {
  const { vocabularySize, labels, teachers } = golden;
  for (const { logPosteriors, temperature } of teachers) {
    const frames = { logPosteriors: Float32Array.from(logPosteriors), labels: Uint16Array.from(labels) };
    const found = search([frames], vocabularySize);
    assert.ok(Math.abs(found.temperature / temperature - 1) < 1e-6, `${found.temperature}, not ${temperature}`);
    assert.ok(!found.atEdge && found.passes < 12, `${found.passes} passes`);
  }
});

test('createTemperatureSearch() finds about 1 for labels drawn from the teacher, and the T it was sharpened by', () => {
  for (let seed = 0; seed < 5; seed++) {
    const random = createRandom('calibration', seed);
    const logPosteriors = draw(random, 20_000, 6);
    const labels = labelsFrom(random, logPosteriors, 6);
    for (const temperature of [1, 0.3, 4]) {
      const told = logSoftmax(logPosteriors, 6, { temperature: 1 / temperature });
      const found = search([{ logPosteriors: told, labels }], 6).temperature;
      assert.ok(Math.abs(found / temperature - 1) < 0.04, `seed ${seed}: ${found}, not ${temperature}`);
    }
  }
});

test('createTemperatureSearch() does not depend on how frames are parted', () => {
  const random = createRandom('calibration in parts');
  const logPosteriors = draw(random, 30, 4);
  const labels = Uint16Array.from({ length: 30 }, () => random.integer(4));
  const parts = [0, 7, 8, 8].map((from, i, all) => {
    const to = all[i + 1] ?? 30;
    return { logPosteriors: logPosteriors.subarray(4 * from, 4 * to), labels: labels.subarray(from, to) };
  });
  assert.deepEqual(search(parts, 4), search([{ logPosteriors, labels }], 4));
});

const frame = (...posteriors: number[]) => Float32Array.from(posteriors, Math.log);
const cases = [
  { name: 'stays at 1 of no frame', frames: new Float32Array(0), labels: [], temperature: 1, atEdge: false },
  { name: 'stays at 1 where the teacher is even', frames: frame(0.5, 0.5), labels: [1], temperature: 1, atEdge: false },
  {
    name: 'stays at 1 where each label is certain or ruled out',
    frames: frame(1, 0, 1, 0),
    labels: [0, 1],
    temperature: 1,
    atEdge: false,
  },
  {
    name: 'goes as cold as it may for a teacher that is always right',
    frames: frame(0.6, 0.4, 0.3, 0.7),
    labels: [0, 1],
    temperature: 1 / 20,
    atEdge: true,
  },
  {
    name: 'goes as hot as it may for a teacher that is always wrong',
    frames: frame(0.6, 0.4, 1e-6, 1 - 1e-6),
    labels: [1, 0],
    temperature: 20,
    atEdge: true,
  },
  {
    name: 'leaves out frames whose label is ruled out, and tokens of no mass',
    frames: frame(0.8, 0.2, 0, 0.8, 0.2, 0, 0.8, 0.2, 0, 0.8, 0.2, 0),
    labels: [0, 0, 1, 2],
    temperature: 2,
    atEdge: false,
  },
];
for (const { name, frames, labels, temperature, atEdge } of cases) {
  test(`createTemperatureSearch() ${name}`, () => {
    const vocabularySize = labels.length > 0 ? frames.length / labels.length : 2;
    const found = search([{ logPosteriors: frames, labels: Uint16Array.from(labels) }], vocabularySize);
    assert.ok(Math.abs(found.temperature / temperature - 1) < 1e-6, `${found.temperature}, not ${temperature}`);
    assert.equal(found.atEdge, atEdge);
  });
}
