import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignmentLines } from './alignment_lines.ts';

test('alignmentLines() sets words below each other', () => {
  const [reference, hypothesis] = [
    ['she', 'sells', 'caf\u0065\u0301', 'x'],
    ['she', 'shells', 'on', 'x', 'y'],
  ];
  assert.equal(
    alignmentLines({ utterance: 's1-u1', reference, hypothesis, operations: 'CSSCI' }),
    `id: (s1-u1)
Scores: (#C #S #D #I) 2 2 0 1
REF:  she sells  cafe\u0301 x *
HYP:  she shells on   x y
Eval:     S      S      I

`,
  );
});

test('alignmentLines() marks what was not heard', () => {
  const lines = alignmentLines({ utterance: 'u', reference: ['a', 'bcd'], hypothesis: ['a'], operations: 'CD' });
  assert.match(lines, /REF: {2}a bcd\nHYP: {2}a \*\*\*\nEval: {3}D\n/);
});
