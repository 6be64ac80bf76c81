import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf } from './fields.ts';

test('fieldsOf() parts at white space of any kind, and has no empty field', () => {
  for (const line of ['a b c', ' a b c', 'a b c ', 'a  b c', 'a\tb c', 'a\u00a0b c\r', '\ta b\t\t c  ', 'a b\vc']) {
    assert.deepEqual(fieldsOf(line), ['a', 'b', 'c'], JSON.stringify(line));
  }
  for (const line of ['', ' ', '\t \r']) assert.deepEqual(fieldsOf(line), [], JSON.stringify(line));
  assert.deepEqual(fieldsOf('один'), ['один']);
});
