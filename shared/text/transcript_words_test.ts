import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transcriptWords } from './transcript_words.ts';

const keep = { case: 'keep', punctuation: 'keep' } as const;
for (const [name, text, options, words] of [
  ['parts words at white space of any kind', ' Mr\u00a0Smith\tcame  ', keep, ['Mr', 'Smith', 'came']],
  ['composes letters and marks', 'cafe\u0301', keep, ['caf\u00e9']],
  ['has another case', 'Straße IN', { ...keep, case: 'upper' }, ['STRASSE', 'IN']],
  [
    'takes punctuation off, but not apostrophes within words',
    "“Don’t!” he said; it's 'all' right…",
    { case: 'lower', punctuation: 'remove' },
    ["don't", 'he', 'said', "it's", 'all', 'right'],
  ],
  [
    'parts words at dashes and slashes',
    'twenty-one — and/or',
    { ...keep, punctuation: 'remove' },
    ['twenty', 'one', 'and', 'or'],
  ],
  ['keeps marks of other scripts', 'नमस्ते।', { ...keep, punctuation: 'remove' }, ['नमस्ते']],
  ['may leave nothing', '… !', { ...keep, punctuation: 'remove' }, []],
] as const) {
  test(`transcriptWords() ${name}`, () => assert.deepEqual(transcriptWords(text, options), words));
}
