import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../math/random.ts';
import { axisAround, linearTicks, logTicks, tickDecimals } from './ticks.ts';

const cases = [
  { name: 'takes multiples of 2', ticks: linearTicks(0, 10, 5), expected: [0, 2, 4, 6, 8, 10] },
  { name: 'encloses both ends', ticks: linearTicks(0.3, 9.1, 5), expected: [0, 2, 4, 6, 8, 10] },
  { name: 'has no rounding dust', ticks: linearTicks(0, 0.3, 3), expected: [0, 0.1, 0.2, 0.3] },
  { name: 'makes an axis of a single value', ticks: linearTicks(0, 0, 1), expected: [0, 1] },
  { name: 'works below zero', ticks: linearTicks(-3, 3, 3), expected: [-4, -2, 0, 2, 4] },
];
for (const { name, ticks, expected } of cases) test(`linearTicks() ${name}`, () => assert.deepEqual(ticks, expected));

const logCases = [
  { name: 'takes easy steps', ticks: logTicks(10, 90, 6), expected: [10, 20, 30, 50, 100] },
  { name: 'thins out over decades', ticks: logTicks(1, 1000, 4), expected: [1, 10, 100, 1000] },
  { name: 'skips decades where there are too many', ticks: logTicks(1, 1e8, 5), expected: [1, 100, 1e4, 1e6, 1e8] },
  { name: 'encloses a single value', ticks: logTicks(18, 18), expected: [15, 20] },
  { name: 'goes below one', ticks: logTicks(0.2, 0.5, 8), expected: [0.2, 0.3, 0.4, 0.5] },
];
for (const { name, ticks, expected } of logCases) test(`logTicks() ${name}`, () => assert.deepEqual(ticks, expected));

test('ticks ascend and enclose the values, whatever they are', () => {
  const random = createRandom('ticks');
  for (let trial = 0; trial < 500; trial++) {
    const low = 10 ** (4 * random.normal());
    const high = low * (1 + 10 ** (2 * random.normal()));
    for (const ticks of [linearTicks(low, high, 5), logTicks(low, high)]) {
      assert.ok(
        ticks[0]! <= low * (1 + 1e-6) && ticks.at(-1)! >= high * (1 - 1e-6),
        `trial ${trial}: ${low}–${high}: ${ticks}`,
      );
      assert.ok(
        ticks.every((tick, i) => i === 0 || tick > ticks[i - 1]!),
        `trial ${trial}: ${ticks}`,
      );
      assert.ok(ticks.length <= 12, `trial ${trial}: ${ticks}`);
    }
    for (const log of [false, true]) {
      const { domain, ticks } = axisAround([high, low], { count: 5, log });
      assert.ok(domain[0] <= low && domain[1] >= high && ticks.length >= 2, `trial ${trial}: ${domain}: ${ticks}`);
      assert.ok(
        ticks.every((tick) => tick >= domain[0] && tick <= domain[1]),
        `trial ${trial}: ${domain}: ${ticks}`,
      );
    }
  }
});

test('axes refuse what has no place on them', () => {
  assert.throws(() => linearTicks(2, 1), /from 2 to 1/);
  assert.throws(() => linearTicks(Number.NaN, 1), RangeError);
  assert.throws(() => logTicks(0, 1), /0 on a logarithmic axis/);
  assert.throws(() => axisAround([], { count: 3 }), RangeError);
});

test('tickDecimals() tells ticks apart', () => {
  assert.equal(tickDecimals([0, 5, 10]), 0);
  assert.equal(tickDecimals([0, 0.25, 0.5]), 2);
});
