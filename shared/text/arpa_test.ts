import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scoresOf } from '../math/bigram.ts';
import { bigramArpaOf, parseArpa } from './arpa.ts';

const words = ['a', 'b', 'c'];
const sentences = [['a', 'b', 'a'], ['b'], [], ['c', 'a', 'b', 'b']];

// by hand: log10 P and backoff; "d" is not a word of ours
const small = `made by hand
\\data\\
ngram 1=6
ngram 2=3

\\1-grams:
-99\t<s>\t-0.25
-0.5\t</s>
-0.6\ta\t-0.1
-0.7\tb\t-0.2
-0.8\tc
-0.9\td\t-0.3

\\2-grams:
-0.15\t<s> a
-0.35\ta b
-0.45\tb </s>

\\end\\
`;

test('parseArpa() gives the logarithms that the format means: the pair, or backoff and word', () => {
  const { logs } = scoresOf(parseArpa(small, words, 'small.arpa'));
  const log10 = [
    [-0.7, -0.35, -0.9, -0.6], // after a: backoff −0.1, but for b
    [-0.8, -0.9, -1.0, -0.45],
    [-0.6, -0.7, -0.8, -0.5], // no backoff is given: 0
    [-0.15, -0.95, -1.05, -0.75], // at the start
  ];
  log10.flat().forEach((value, i) => {
    assert.ok(Math.abs(logs[i]! - Math.LN10 * value) < 1e-12, `${i}: ${logs[i]! / Math.LN10}, not ${value}`);
  });
});

test('bigramArpaOf() writes what parseArpa() reads', () => {
  const text = bigramArpaOf(sentences, words);
  const model = parseArpa(text, words, 'text');
  for (let previous = 0; previous <= words.length; previous++) {
    const row = scoresOf(model).logs.subarray(previous * 4, previous * 4 + 4);
    const mass = row.reduce((sum, log) => sum + Math.exp(log), 0);
    assert.ok(Math.abs(mass - 1) < 1e-6, `after ${previous}: ${mass}`);
  }
  // "a" is followed by b, twice, and by the end: c(a) = 3, 2 kinds; c(b) = 4 of 12, 4 kinds in 4 places
  const unigram = (4 + 4 / 4) / 16;
  assert.ok(Math.abs(model.seen[0 * 4 + 1]! - (2 + 2 * unigram) / 5) < 1e-6);
});

test('parseArpa() gives words that are missing the probability of <unk>, where there is one', () => {
  const withUnknown = small.replace('-0.9\td\t-0.3', '-0.9\t<unk>');
  const { unigrams } = parseArpa(withUnknown, ['a', 'b', 'z'], 'x');
  assert.ok(Math.abs(unigrams[2]! - 10 ** -0.9) < 1e-12);
});

const refused: [string, string, RegExp][] = [
  ['a word without a probability', small.replace('-0.7\tb\t-0.2\n', '').replace('1=6', '1=5'), /no probability of "b"/],
  ['three words', small.replace('\\end\\', '\\3-grams:\n-0.1 a b c\n\\end\\'), /line 19: n-grams of more than two/],
  ['no end', small.replace('\\end\\', ''), /cut off: it has no line \\end/],
  ['fewer n-grams than it says', small.replace('-0.35\ta b\n', ''), /2 of 3 2-grams/],
  [
    'a probability above 1',
    small.replace('-0.35', '0.35'),
    /line 16: "0.35\ta b" is not "log10 probability, two words/,
  ],
  ['a section of its own', small.replace('\\2-grams:', '\\pairs:'), /line 14: "\\pairs:" is no section/],
];
for (const [what, text, why] of refused) {
  test(`parseArpa() refuses ${what}`, () => {
    assert.throws(
      () => parseArpa(text, words, 'x.arpa'),
      (error: Error) => error instanceof SyntaxError && why.test(error.message),
    );
  });
}
