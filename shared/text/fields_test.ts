import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../math/random.ts';
import { numberedFields, wordsOfLine } from './fields.ts';
import { createVocabulary, spelling } from './vocabulary.ts';

/** The fields of each line as text again. */
function fieldsOf(text: string): string[][] {
  const vocabularies = { keys: createVocabulary(), words: createVocabulary() };
  const fields = numberedFields(Buffer.from(text), vocabularies);
  return [...fields.keys].map((key, line) => [
    ...(key < 0 ? [] : [spelling(vocabularies.keys, key)]),
    ...Array.from(wordsOfLine(fields, line), (word) => spelling(vocabularies.words, word)),
  ]);
}

/** The same by a regular expression. */
const expected = (text: string): string[][] =>
  text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => (line.trim() === '' ? [] : line.trim().split(/\s+/)));

test('numberedFields() parts at white space of any kind, and has no empty field', () => {
  for (const line of [
    'a b c',
    ' a b c',
    'a b c ',
    'a  b c',
    'a\tb c',
    'a\u00a0b c\r',
    '\ta b\t\t c  ',
    'a b\vc',
    '\ufeffa b c',
  ]) {
    assert.deepEqual(fieldsOf(line), [['a', 'b', 'c']], JSON.stringify(line));
  }
  assert.deepEqual(fieldsOf('один два'), [['один', 'два']]);
});

test('numberedFields() takes every code point for white space that a regular expression does, and no other', () => {
  const codes = Array.from({ length: 0x10ffff + 1 }, (_, code) => code);
  const points = codes.filter((code) => code !== 10 && !(code >= 0xd800 && code <= 0xdfff));
  const text = points.map((code) => `a${String.fromCodePoint(code)}b`).join('\n');
  assert.deepEqual(fieldsOf(text), expected(text));
});

test('numberedFields() ends lines at line feeds, the last one with or without', () => {
  assert.deepEqual(fieldsOf(''), []);
  assert.deepEqual(fieldsOf('\n'), [[]]);
  for (const text of ['a b\nc', 'a b\nc\n', 'a\r\n\n \t\r\nb c\r\n', '\n\na', 'a\n ', ' \n\u3000\n\u2003a\u2003'])
    assert.deepEqual(fieldsOf(text), expected(text), JSON.stringify(text));
});

test('numberedFields() is what a regular expression finds, in texts of many lines', () => {
  const random = createRandom('fields');
  const pieces = ['a', 'b', 'ab', 'é', '中', '\u{1f600}', ' ', ' ', '\t', '\n', '\r\n', '\u00a0', '\u3000'];
  for (let round = 0; round < 300; round++) {
    const length = 1 + random.integer(60);
    const text = Array.from({ length }, () => pieces[random.integer(pieces.length)]).join('');
    assert.deepEqual(fieldsOf(text), expected(text), `round ${round}: ${JSON.stringify(text)}`);
  }
});

test('numberedFields() gives a word one number, wherever it stands', () => {
  const vocabularies = { keys: createVocabulary(), words: createVocabulary(['one', 'two']) };
  const first = numberedFields(Buffer.from('u1 two one\nu2\n'), vocabularies);
  const second = numberedFields(Buffer.from('u2 three one three\n'), vocabularies);
  assert.deepEqual(
    [[...first.keys], [...first.words], [...first.ends]],
    [
      [0, 1],
      [1, 0],
      [2, 2],
    ],
  );
  assert.deepEqual([[...second.keys], [...second.words], [...second.ends]], [[1], [2, 0, 2], [3]]);
});
