import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkUtf8 } from './utf8_file.ts';

for (const [name, bytes, line] of [
  ['latin1', Buffer.from('one\ncaf\xe9\nthree\n', 'latin1'), 2],
  ['UTF-16', Buffer.from('one\n', 'utf16le'), 1],
  ['a NUL', Buffer.from('one\ntwo\nth\0ree'), 3],
] as const) {
  test(`checkUtf8() names the line of ${name}`, () => {
    assert.throws(() => checkUtf8(bytes, 'text'), {
      name: 'InputError',
      message: new RegExp(`text, line ${line}: .* UTF-8; convert`),
    });
  });
}

test('checkUtf8() gives back what is text', () => {
  const bytes = Buffer.from('café \u{1f600}\n');
  assert.equal(checkUtf8(bytes, 'text'), bytes);
});
