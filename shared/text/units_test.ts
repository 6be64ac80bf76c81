import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLexicon } from './lexicon.ts';
import { parseTokens } from './tokens.ts';
import { languageOf, units } from './units.ts';

test('languageOf() has silence and states, or the blank and words', () => {
  assert.deepEqual(languageOf(['one', 'two'], { units: 'states', states: 2 }), {
    tokens: ['sil', 'one_1', 'one_2', 'two_1', 'two_2'],
    lexicon: [
      ['one', 'one_1', 'one_2'],
      ['two', 'two_1', 'two_2'],
    ],
  });
  assert.deepEqual(languageOf(['AH'], { units: 'states', states: 1 }), {
    tokens: ['sil', 'AH'],
    lexicon: [['AH', 'AH']],
  });
  assert.deepEqual(languageOf(['one', 'two'], { units: 'words', states: 2 }), {
    tokens: ['<blk>', 'one', 'two'],
    lexicon: [
      ['one', 'one'],
      ['two', 'two'],
    ],
  });
});

test('languageOf() makes a lexicon that can be read again', () => {
  for (const kind of units) {
    const { tokens, lexicon } = languageOf(['one', 'two', 'three'], { units: kind, states: 3 });
    const read = parseTokens(tokens.map((symbol, id) => `${symbol} ${id}\n`).join(''), 'tokens.txt');
    const { words, pronunciations } = parseLexicon(
      lexicon.map((line) => line.join(' ')).join('\n'),
      read,
      'lexicon.txt',
    );
    assert.deepEqual(words, ['one', 'two', 'three']);
    const used = pronunciations.flatMap(({ tokens }) => [...tokens]);
    assert.deepEqual(used, read.symbols.map((_, id) => id).slice(1), 'every token but the first, each once');
  }
});
