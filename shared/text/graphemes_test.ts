import assert from 'node:assert/strict';
import { test } from 'node:test';
import { graphemes } from './graphemes.ts';

const cases: Record<string, string[]> = {
  cat: ['c', 'a', 't'],
  'e\u0301a': ['e\u0301', 'a'],
  한국: ['한', '국'],
  '🇩🇪👩‍👩‍👧': ['🇩🇪', '👩‍👩‍👧'],
  นี้: ['นี้'],
  '': [],
};
for (const [text, characters] of Object.entries(cases)) {
  test(`graphemes() counts ${characters.length} in "${text}"`, () => assert.deepEqual(graphemes(text), characters));
}
