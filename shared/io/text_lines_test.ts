import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { describeSystemError } from './errors.ts';
import { textLines } from './text_lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'kd-test-'));
const at = (name: string): string => join(folder, name);

test('textLines() reads plain and packed files, and names one that is cut or no text', () => {
  const packed = gzipSync('one\ntwo\n');
  writeFileSync(at('plain'), 'one\ntwo\n');
  writeFileSync(at('packed'), packed);
  for (const name of ['plain', 'packed']) assert.deepEqual([...textLines(at(name))], ['one', 'two']);
  writeFileSync(at('cut'), packed.subarray(0, -6));
  assert.throws(() => [...textLines(at('cut'))], {
    name: 'InputError',
    message: /Cannot unpack .*cut: .*; get it again/,
  });
  writeFileSync(at('latin1'), gzipSync(Buffer.from('caf\xe9\n', 'latin1')));
  assert.throws(() => [...textLines(at('latin1'))], { name: 'InputError', message: /latin1, line 1: .*UTF-8/ });
});

test('describeSystemError() has a line for links in a circle and for names that are too long', () => {
  symlinkSync('circle', at('circle'));
  const said = (path: string): string | undefined => {
    try {
      readFileSync(path);
    } catch (error) {
      return describeSystemError(error);
    }
    return undefined;
  };
  assert.match(said(at('circle'))!, /circle: symbolic links lead in a circle; remove them/);
  assert.match(said(at('x'.repeat(300)))!, /the name is too long; choose a shorter one/);
});
