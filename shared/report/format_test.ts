import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, count, duration, fixed, interval, percent, plural, points, pValue } from './format.ts';

const cases: [name: string, found: string, expected: string][] = [
  ['fixed() uses a true minus sign', fixed(-1.25, 1), '−1.3'],
  ['fixed() has no minus zero', fixed(-0.001, 2), '0.00'],
  ['fixed() is a dash for what is unknown', fixed(undefined, 2), '–'],
  ['fixed() is a dash for NaN', fixed(Number.NaN, 2), '–'],
  ['percent() scales fractions', percent(0.0123), '1.23'],
  ['points() carries the sign of a gain', points(-0.0123), '−1.23'],
  ['points() carries the sign of a loss', points(0.0123), '+1.23'],
  ['points() has no sign at zero', points(0.000001), '0.00'],
  ['interval() spells both ends', interval({ low: -0.01, high: 0.02 }, points), '[−1.00, +2.00]'],
  ['pValue() does not show more than resampling can tell', pValue(0.0001), '< 0.001'],
  ['pValue() shows three decimals', pValue(0.0214), '0.021'],
  ['count() groups thousands', count(1234567), '1,234,567'],
  ['bytes() below a thousand', bytes(18), '18 B'],
  ['bytes() in decimal units', bytes(92448), '92.4 kB'],
  ['bytes() of megabytes', bytes(4_848_000), '4.8 MB'],
  ['duration() of seconds', duration(3.21), '3.2 s'],
  ['duration() of minutes', duration(75), '1 min 15 s'],
  ['duration() carries into the next unit', duration(3599.9), '1 h 0 min'],
  ['plural() of one', plural(1, 'seed'), '1 seed'],
  ['plural() of many', plural(5, 'seed'), '5 seeds'],
];
for (const [name, found, expected] of cases) test(name, () => assert.equal(found, expected));
