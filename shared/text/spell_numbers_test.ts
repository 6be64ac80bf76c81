import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spelledNumber } from './spell_numbers.ts';

// cardinals and ordinals as num2words 0.5.14 (Python) says them without its "and", commas and hyphens: no difference on
// 3,000 random ones of up to 15 digits
const cases: Record<string, string> = {
  0: 'zero',
  7: 'seven',
  13: 'thirteen',
  20: 'twenty',
  42: 'forty two',
  100: 'one hundred',
  101: 'one hundred one',
  999: 'nine hundred ninety nine',
  1000: 'one thousand',
  '1,250': 'one thousand two hundred fifty',
  1000001: 'one million one',
  '12,345,678': 'twelve million three hundred forty five thousand six hundred seventy eight',
  123456789012345:
    'one hundred twenty three trillion four hundred fifty six billion seven hundred eighty nine million twelve thousand three hundred forty five',
  1234567890123456: 'one two three four five six seven eight nine zero one two three four five six',
  '007': 'zero zero seven',
  '3.50': 'three point five zero',
  '0.5': 'zero point five',
  '-4': 'minus four',
  '21st': 'twenty first',
  '2nd': 'second',
  '3RD': 'third',
  '12th': 'twelfth',
  '30th': 'thirtieth',
  '100th': 'one hundredth',
  '5%': 'five percent',
  '21,': 'twenty one,',
  '(21)': '(twenty one)',
  $5: '$5',
  '1,25': '1,25',
  '4x4': '4x4',
  B2B: 'B2B',
  word: 'word',
  '1:30': '1:30',
  '': '',
};
for (const [word, spelled] of Object.entries(cases)) {
  test(`spelledNumber() says "${spelled}" for "${word}"`, () => {
    assert.equal(spelledNumber(word).join(' '), spelled);
  });
}
