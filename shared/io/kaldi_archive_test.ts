import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from './errors.ts';
import { openKaldiArchive } from './kaldi_archive.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';

const golden: Record<string, Record<string, number[][]>> = JSON.parse(
  readFileSync('shared/io/testdata/kaldi/golden.json', 'utf8'),
);
const folder = temporaryFolder();

// float32 arithmetic there, float64 here, on a range of about 10
for (const [kind, utterances] of Object.entries(golden)) {
  for (const ending of ['ark', 'scp']) {
    test(`openKaldiArchive() reads ${kind} matrices through ${ending} as kaldiio does`, () => {
      const table = openKaldiArchive(`shared/io/testdata/kaldi/${kind}.${ending}`);
      assert.deepEqual(table.utterances, ['u-1', 'u-2']);
      for (const utterance of ['u-2', 'u-1', 'u-2']) {
        const expected = utterances[utterance]!;
        const { rows, columns, values } = table.read(utterance);
        assert.deepEqual([rows, columns, values.length], [expected.length, 3, 3 * expected.length]);
        for (const [i, value] of values.entries())
          assert.ok(Math.abs(value - expected.flat()[i]!) < 2e-6, `${utterance} ${i}`);
      }
      table.close();
    });
  }
}

test('openKaldiArchive() reads entries beyond the window it keeps, in text and binary', () => {
  const rows = 4000;
  const text = Array.from({ length: rows }, (_, i) => `  ${i} ${-i} 0.5 1e-3 -inf`).join('\n');
  writeFileSync(join(folder, 'long.ark'), `a  [\n${text} ]\nb  [\n 1 2 ]\nc  [ ]\n`);
  const table = openKaldiArchive(join(folder, 'long.ark'));
  assert.deepEqual(table.utterances, ['a', 'b', 'c']);
  assert.equal(table.read('a').values[5 * 3999 + 1], -3999);
  assert.equal(table.read('a').values[5 * 7 + 4], -Infinity);
  assert.deepEqual([...table.read('b').values], [1, 2]);
  assert.equal(table.read('c').rows, 0);
  table.close();
  const header = Buffer.alloc(10, 4);
  header.writeInt32LE(30000, 1);
  header.writeInt32LE(1, 6);
  const entry = (name: string) =>
    Buffer.concat([Buffer.from(`${name} \0BFM `), header, Buffer.from(new Float32Array(30000).fill(2).buffer)]);
  writeFileSync(join(folder, 'binary.ark'), Buffer.concat([entry('x'), entry('y')]));
  const binary = openKaldiArchive(join(folder, 'binary.ark'));
  assert.equal(binary.read('y').values[29999], 2);
  binary.close();
});

const source = readFileSync('shared/io/testdata/kaldi/float.ark');
const bad: [name: string, file: string, content: string | Buffer, message: RegExp][] = [
  ['a command', 'a.scp', 'u-1 copy-feats ark:- ark:- |\n', /a\.scp, line 1: .*is a command/],
  ['a range', 'b.scp', 'u-1 x.ark:4[0:3]\n', /names a part of a matrix/],
  ['a line without a file', 'c.scp', 'u-1 x.ark:4\nu-2\n', /c\.scp, line 2: "u-2" is not/],
  ['an utterance twice', 'd.scp', 'u-1 x.ark:4\nu-1 x.ark:4\n', /line 2: utterance "u-1" is in it twice/],
  ['an archive that is cut off', 'e.ark', source.subarray(0, 200), /e\.ark: it is cut off/],
  ['a text that is cut off', 'f.ark', 'u-1  [\n 1 2\n', /f\.ark: it is cut off/],
  ['a vector', 'g.ark', 'u-1 \0BFV \x04\x01\0\0\0\0\0\0\0', /"u-1" is "FV", no matrix/],
  ['rows of different length', 'h.ark', 'u-1  [\n 1 2\n 3 ]\n', /rows differ in length/],
  ['something else', 'i.ark', Buffer.from('ARROW1\0\0'), /i\.ark: it is cut off/],
];
for (const [name, file, content, message] of bad) {
  test(`openKaldiArchive() refuses ${name}`, () => {
    const path = join(folder, file);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, content);
    assert.throws(
      () => {
        const table = openKaldiArchive(path);
        table.read(table.utterances[0]!);
      },
      (error: Error) => error instanceof InputError && message.test(error.message),
    );
  });
}
