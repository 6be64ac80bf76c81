import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPowerSpectrum } from './fft.ts';
import { babble, colouredNoise, mixAt, power } from './noise.ts';
import { createRandom } from './random.ts';

/** Mean power of the lines from..to of 512-point spectra. */
function bandPower(noise: Float32Array, from: number, to: number): number {
  const spectrum = createPowerSpectrum(512);
  const lines = new Float64Array(257);
  let sum = 0;
  for (let place = 0; place + 512 <= noise.length; place += 512) {
    const frame = Float64Array.from(
      noise.subarray(place, place + 512),
      (x, i) => x * Math.sin((Math.PI * i) / 512) ** 2,
    );
    spectrum.into(lines, frame);
    for (let k = from; k < to; k++) sum += lines[k]!;
  }
  return sum / (to - from);
}

for (const [colour, slopeDb] of [
  ['white', 0],
  ['pink', -3],
  ['brown', -6],
] as const) {
  test(`colouredNoise() ${colour} changes by ${slopeDb} dB an octave`, () => {
    const noise = colouredNoise(colour, 1 << 18, createRandom('noise', colour));
    // two octaves well below Nyquist, where the filters are what they stand for
    const change = 10 * Math.log10(bandPower(noise, 32, 64) / bandPower(noise, 8, 16));
    assert.ok(Math.abs(change / 2 - slopeDb) < 0.3, `${change / 2} dB an octave`);
  });

  test(`colouredNoise() ${colour} is as loud at its start as later`, () => {
    let [start, later] = [0, 0];
    for (let seed = 0; seed < 200; seed++) {
      const noise = colouredNoise(colour, 1600, createRandom('start', seed));
      start += power(noise.subarray(0, 200));
      later += power(noise.subarray(1400));
    }
    assert.ok(Math.abs(10 * Math.log10(start / later)) < 1.5, `${10 * Math.log10(start / later)} dB`);
  });
}

test('babble() fills all of its length, and gives loud and soft voices the same say', () => {
  const soft = new Float32Array(300).fill(1);
  const loud = new Float32Array(500).fill(-1000);
  const sum = babble([soft, loud], { voices: 4, length: 5000, random: createRandom('babble') });
  assert.ok(sum.every((sample) => [-4, -2, 0, 2, 4].includes(sample)));
  assert.ok(new Set(sum).size >= 4);
});

const random = createRandom('mix');
const speech = Float32Array.from({ length: 8000 }, (_, i) => (i < 4000 ? 3000 * Math.sin(i / 5) : 0));
const noise = colouredNoise('pink', 8000, random);
const speechPower = power(speech.subarray(0, 4000));

for (const snrDb of [0, 5, 20]) {
  test(`mixAt() leaves ${snrDb} dB between speech and noise`, () => {
    const mixed = mixAt({ speech, noise, speechPower, snrDb, loudest: 32000 });
    const added = Float32Array.from(mixed, (sample, i) => sample - speech[i]!);
    assert.ok(Math.abs(10 * Math.log10(speechPower / power(added)) - snrDb) < 0.01);
  });
}

test('mixAt() turns a mixture that would clip down as a whole', () => {
  const usual = { speech, noise, speechPower, snrDb: 0 };
  const [low, high] = [mixAt({ ...usual, loudest: 1000 }), mixAt({ ...usual, loudest: 32000 })];
  assert.equal(Math.max(...low.map(Math.abs)), 1000);
  const factor = 1000 / Math.max(...high.map(Math.abs));
  assert.ok(low.every((sample, i) => Math.abs(sample - high[i]! * factor) < 1));
});
