import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bandPass, companded, type Degradation, degrade, roomResponse, withNoise } from './degrade.ts';
import { power } from './noise.ts';
import { createRandom } from './random.ts';

const sampleRateHz = 16000;
const near = (value: number, expected: number, tolerance: number, what = ''): void =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${what}: ${value}, not ${expected}`);
const difference = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value - b[i]!);
const db = (ratio: number): number => 10 * Math.log10(ratio);
const tone = (hertz: number): Float32Array =>
  Float32Array.from({ length: 8000 }, (_, n) => 1000 * Math.sin((2 * Math.PI * hertz * n) / sampleRateHz));
/** Noise whose loudness rises and falls, as speech does. */
const speech = (seed: number): Float32Array => {
  const random = createRandom(seed, 'speech');
  return Float32Array.from({ length: 16000 }, (_, n) => 2000 * random.normal() * Math.sin(n / 1500) ** 2);
};
const degradations: Degradation[] = [
  { kind: 'noise', snrDb: [0, 20] },
  { kind: 'reverberation', rt60Seconds: [0.2, 0.8] },
  { kind: 'telephone' },
];

test('withNoise() reaches the signal-to-noise ratio', () => {
  const samples = speech(1);
  for (const snrDb of [-5, 0, 12]) {
    const noise = difference(withNoise(samples, speech(2), snrDb), samples);
    near(db(power(samples) / power(noise)), snrDb, 1e-3, `${snrDb} dB`);
  }
});

test('degrade() draws the noise between its bounds', () => {
  const samples = speech(3);
  const ratios = Array.from({ length: 40 }, (_, i) => {
    const random = createRandom(i, 'draw');
    const noisy = degrade(samples, { kind: 'noise', snrDb: [5, 15] }, { sampleRateHz, random });
    return db(power(samples) / power(difference(noisy, samples)));
  });
  assert.ok(Math.min(...ratios) > 4.99 && Math.min(...ratios) < 7, `${Math.min(...ratios)}`);
  assert.ok(Math.max(...ratios) < 15.01 && Math.max(...ratios) > 13, `${Math.max(...ratios)}`);
});

for (const degradation of degradations) {
  test(`degrade() by ${degradation.kind} moves nothing, and is the same for the same random stream`, () => {
    const samples = speech(4);
    const run = (seed: number) => degrade(samples, degradation, { sampleRateHz, random: createRandom(seed, 'x') });
    const out = run(1);
    assert.equal(out.length, samples.length);
    assert.deepEqual(run(1), out);
    if (degradation.kind !== 'telephone') assert.notDeepEqual(run(2), out);
    const correlation = (lag: number): number => {
      let sum = 0;
      for (let n = 300; n < samples.length - 300; n++) sum += samples[n]! * out[n + lag]!;
      return sum;
    };
    const lags = Array.from({ length: 401 }, (_, i) => i - 200);
    const best = lags.reduce((best, lag) => (correlation(lag) > correlation(best) ? lag : best));
    assert.equal(best, 0);
  });
}

test('roomResponse() decays by 60 dB in RT60, by Schroeder’s backward integration', () => {
  for (const rt60Seconds of [0.3, 0.6]) {
    const { places, gains } = roomResponse({ rt60Seconds, sampleRateHz, random: createRandom(1, 'room') });
    const energy = (from: number): number =>
      gains.reduce((sum, gain, i) => sum + (i > 0 && places[i]! >= from * sampleRateHz ? gain ** 2 : 0), 0);
    // between −5 and −25 dB, extrapolated: T20
    const all = energy(0);
    const timeOf = (level: number): number => {
      let seconds = 0;
      while (db(energy(seconds) / all) > level) seconds += 0.001;
      return seconds;
    };
    near(3 * (timeOf(-25) - timeOf(-5)), rt60Seconds, 0.06 * rt60Seconds, `RT60 ${rt60Seconds}`);
    near(db(gains[0]! ** 2 / all), 3, 1e-9, 'direct to tail');
    assert.equal(places[0], 0);
  }
});

test('degrade() by reverberation keeps the power', () => {
  const samples = speech(5);
  const out = degrade(
    samples,
    { kind: 'reverberation', rt60Seconds: [0.4, 0.4] },
    { sampleRateHz, random: createRandom(2, 'y') },
  );
  near(db(power(out) / power(samples)), 0, 1e-3);
});

test('bandPass() passes its band and stops the rest', () => {
  const inside = (hertz: number): number => {
    const out = bandPass(tone(hertz), { fromHz: 300, toHz: 3400, sampleRateHz });
    return db(power(out.subarray(1000, 7000)) / power(tone(hertz).subarray(1000, 7000)));
  };
  for (const hertz of [500, 1000, 3000]) near(inside(hertz), 0, 0.1, `${hertz} Hz`);
  for (const hertz of [300, 3400]) near(inside(hertz), -6, 0.5, `${hertz} Hz`);
  for (const hertz of [50, 120, 3700, 6000]) assert.ok(inside(hertz) < -30, `${hertz} Hz: ${inside(hertz)} dB`);
});

test('companded() has 255 levels, keeps signs, and is about 38 dB from what it is made of', () => {
  const samples = speech(6);
  const out = companded(samples);
  assert.ok(new Set(out).size <= 255);
  out.forEach((value, i) => {
    assert.ok(value * samples[i]! >= 0);
  });
  assert.deepEqual(companded(Float32Array.of(0, 32768, -32768)), Float32Array.of(0, 32768, -32768));
  near(db(power(samples) / power(difference(out, samples))), 37.5, 1.5);
});
