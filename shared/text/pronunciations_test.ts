import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePronunciations } from './pronunciations.ts';

const cmu = [
  ';;; a comment',
  'READ  R EH1 D',
  'READ(2)  R IY1 D # present',
  'A  AH0',
  'A(2)  EY1',
  'A(3)  AH1',
  '(  P AH0',
].join('\n');

test('parsePronunciations() reads the CMU dictionary', () => {
  const { pronunciations, faults } = parsePronunciations(cmu, 'cmudict', { case: 'lower', stripStress: false });
  assert.deepEqual(
    [...pronunciations],
    [
      [
        'read',
        [
          ['R', 'EH1', 'D'],
          ['R', 'IY1', 'D'],
        ],
      ],
      ['a', [['AH0'], ['EY1'], ['AH1']]],
      ['(', [['P', 'AH0']]],
    ],
  );
  assert.deepEqual(faults, []);
});

test('parsePronunciations() has phones without stress once', () => {
  const { pronunciations } = parsePronunciations(cmu, 'cmudict', { case: 'keep', stripStress: true });
  assert.deepEqual(pronunciations.get('A'), [['AH'], ['EY']]);
});

test('parsePronunciations() names lines without phones', () => {
  const { faults } = parsePronunciations('a b\r\nc\r\n\r\nd e\nf', 'lexicon', { case: 'keep', stripStress: false });
  assert.deepEqual(
    faults.map(({ place }) => place),
    ['lexicon, line 2', 'lexicon, line 5'],
  );
});
