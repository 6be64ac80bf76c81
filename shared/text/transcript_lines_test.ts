import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesOfCtm, linesOfTrn } from './transcript_lines.ts';

test('linesOfTrn() puts the utterance first, line by line', () => {
  const trn = ';; comment\nhello (big) world (s1-u1)\n(s1-u2)\n\n  one two  (s2_1) \r\n';
  assert.equal(linesOfTrn(trn, 'x'), '\ns1-u1 hello (big) world\ns1-u2 \n\ns2_1 one two\n');
});

test('linesOfTrn() refuses lines without an utterance, and alternatives', () => {
  assert.throws(() => linesOfTrn('a (u1)\nb', 'h.trn'), {
    name: 'SyntaxError',
    message: /^h\.trn, line 2: "b" does not end/,
  });
  assert.throws(() => linesOfTrn('{ a / b } (u1)', 'h.trn'), /line 1: there are alternatives in braces/);
});

test('linesOfCtm() gathers words by utterance, in the order of their start', () => {
  const ctm = ';; comment\nu1 1 0.50 0.2 b 0.9\nu1 1 0.10 0.2 a\nu2 A 0 0 c\n';
  assert.equal(linesOfCtm(ctm, 'x'), 'u1 a b\nu2 c');
});

test('linesOfCtm() refuses lines of another kind', () => {
  assert.throws(() => linesOfCtm('u1 1 0.5 b', 'h.ctm'), /^SyntaxError: h\.ctm, line 1: "u1 1 0\.5 b" is not/);
  assert.throws(() => linesOfCtm('\nu1 1 x 0.5 b', 'h.ctm'), /line 2/);
});
