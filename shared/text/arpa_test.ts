import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { logProbability, stateAfter } from '../math/ngram_model.ts';
import { bigramArpaOf, type LanguageModel, parseArpa } from './arpa.ts';

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
const parse = (text: string, wanted?: readonly string[]) => parseArpa(text.split('\n'), 'x.arpa', wanted);

/** log10 P of every word and the end after a context, the start of a sentence first. */
function rowAfter({ model }: LanguageModel, context: readonly number[]): number[] {
  const state = context.reduce((state, word) => stateAfter(model, state, word), model.start);
  return Array.from({ length: model.wordCount + 1 }, (_, word) => logProbability(model, state, word) / Math.LN10);
}

test('parseArpa() gives the logarithms that the format means: the pair, or backoff and word', () => {
  const language = parse(small, words);
  const log10 = [
    [-0.7, -0.35, -0.9, -0.6], // after a: backoff −0.1, but for b
    [-0.8, -0.9, -1.0, -0.45],
    [-0.6, -0.7, -0.8, -0.5], // no backoff is given: 0
  ];
  assert.deepEqual(
    log10.map((_, word) => rowAfter(language, [word]).map((value) => value.toFixed(9))),
    log10.map((row) => row.map((value) => value.toFixed(9))),
  );
  const atStart = [-0.15, -0.95, -1.05, -0.75].map((value) => value.toFixed(9));
  assert.deepEqual(
    rowAfter(language, []).map((value) => value.toFixed(9)),
    atStart,
  );
});

// see testdata/make_ngram_golden.py: an implementation of its own, in agreement with kenlm; values have six digits
const golden: { arpa: string; sentences: { words: string[]; log10: number[] }[] } = JSON.parse(
  readFileSync(new URL('testdata/ngram.json', import.meta.url), 'utf8'),
);
for (const wanted of [['a', 'b', 'c', 'd', 'z'], undefined]) {
  test(`a model of four words has the values of another implementation, ${wanted ? 'for given words' : 'for all of its own'}`, () => {
    const { model, words } = parse(golden.arpa, wanted);
    let checked = 0;
    for (const sentence of golden.sentences) {
      let state = model.start;
      sentence.log10.forEach((expected, i) => {
        const said = sentence.words[i];
        // words that the file does not know have numbers beyond its own
        const word =
          said === undefined ? words.length : words.indexOf(said) < 0 ? words.length + 7 : words.indexOf(said);
        const found = logProbability(model, state, word) / Math.LN10;
        assert.ok(Math.abs(found - expected) < 1e-6, `${sentence.words.join(' ')}, ${i}: ${found}, not ${expected}`);
        state = stateAfter(model, state, word);
        checked++;
      });
    }
    assert.ok(checked > 100);
  });
}

test('bigramArpaOf() writes what parseArpa() reads', () => {
  const language = parse(bigramArpaOf(sentences, words), words);
  for (const context of [[], [0], [1], [2]]) {
    const mass = rowAfter(language, context).reduce((sum, log10) => sum + 10 ** log10, 0);
    assert.ok(Math.abs(mass - 1) < 1e-6, `after ${context}: ${mass}`);
  }
  // "a" is followed by b, twice, and by the end: c(a) = 3, 2 kinds; c(b) = 4 of 12, 4 kinds in 4 places
  const unigram = (4 + 4 / 4) / 16;
  assert.ok(Math.abs(10 ** rowAfter(language, [0])[1]! - (2 + 2 * unigram) / 5) < 1e-6);
});

test('parseArpa() gives words that are missing the probability of <unk>, where there is one', () => {
  const withUnknown = small.replace('-0.9\td\t-0.3', '-0.9\t<unk>');
  assert.ok(Math.abs(rowAfter(parse(withUnknown, ['a', 'b', 'z']), [2])[2]! + 0.9) < 1e-12);
});

const refused: [string, string, RegExp][] = [
  ['a word without a probability', small.replace('-0.7\tb\t-0.2\n', '').replace('1=6', '1=5'), /no probability of "b"/],
  [
    'three words, not announced',
    small.replace('\\end\\', '\\3-grams:\n-0.1 a b c\n\\end\\'),
    /line 19: "\\3-grams:" comes out of order, or was not announced/,
  ],
  ['a section that is missing', small.replace('ngram 2=3', 'ngram 2=3\nngram 3=1'), /line 20: the 3-grams .* missing/],
  ['no end', small.replace('\\end\\', ''), /cut off after line \d+: it has no line \\end/],
  ['fewer n-grams than it says', small.replace('-0.35\ta b\n', ''), /line 4: has 2 of 3 2-grams/],
  ['a probability above 1', small.replace('-0.35', '0.35'), /line 16: "0.35\ta b" is not "log10 probability, 2 words/],
  ['an n-gram that comes twice', small.replace('-0.35\ta b', '-0.35\t<s> a'), /line 16: "<s> a" is there twice/],
  ['a count that is none', small.replace('ngram 2=3', 'ngram two'), /line 4: "ngram two" is not "ngram N=COUNT"/],
  ['a section of its own', small.replace('\\2-grams:', '\\pairs:'), /line 14: "\\pairs:" is no section/],
];
for (const [what, text, why] of refused) {
  test(`parseArpa() refuses ${what}`, () => {
    assert.throws(
      () => parse(text, words),
      (error: Error) => error instanceof SyntaxError && error.message.includes('x.arpa') && why.test(error.message),
    );
  });
}
