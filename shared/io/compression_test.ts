import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRandom } from '../math/random.ts';
import { openArrowFile } from './arrow_file.ts';
import { compressBuffer, expandBuffer, openCompression } from './compression.ts';
import { InputError } from './errors.ts';
import { createOutputFolder } from './output_folder.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';
import { openUtterances, type Row } from './utterance_table.ts';
import { createUtteranceWriter } from './utterance_writer.ts';

const folder = temporaryFolder();
await openCompression();

const noise = (() => {
  const random = createRandom('noise');
  return Uint8Array.from({ length: 10_000 }, () => random.integer(256));
})();
const joined = (parts: Uint8Array[]): ArrayBuffer => Uint8Array.from(Buffer.concat(parts)).buffer;

test('a buffer compressed and expanded is the same; what does not get smaller is left as it is', () => {
  const even = Uint8Array.from({ length: 10_000 }, (_, i) => i % 7);
  for (const [bytes, isSmaller] of [
    [even, true],
    [noise, false],
    [new Uint8Array(0), false],
    [new Uint8Array(3_000_000), true],
  ] as const) {
    const parts = compressBuffer(bytes);
    const stored = joined(parts);
    assert.deepEqual(new Uint8Array(expandBuffer(stored)), bytes);
    assert.equal(stored.byteLength < bytes.length, isSmaller);
    if (bytes.length > 0) {
      assert.equal(new DataView(stored).getBigInt64(0, true), isSmaller ? BigInt(bytes.length) : -1n);
    }
  }
});

test('expandBuffer() refuses what is spoilt', () => {
  const stored = joined(compressBuffer(new Uint8Array(1000)));
  for (const [name, spoilt] of [
    ['another length', joined([Uint8Array.of(1), new Uint8Array(stored, 1)])],
    ['half of it', stored.slice(0, 12)],
    ['no frame', joined([new Uint8Array(stored, 0, 8), new Uint8Array(20)])],
    ['half a length', stored.slice(0, 5)],
  ] as const) {
    assert.throws(() => expandBuffer(spoilt), /spoilt|cut off/, name);
  }
});

const columns = { tokens: 'list<uint16>', values: 'list<float16>', agreeing: 'list<uint8>', score: 'float32' } as const;
const rows: Row[] = Array.from({ length: 2000 }, (_, i) => ({
  utterance: `u${i}`,
  frames: i % 300,
  tokens: Uint16Array.from({ length: i % 300 }, (_, j) => (i + j) % 9),
  values: Float32Array.from({ length: i % 300 }, (_, j) => (i * j) % 64),
  agreeing: noise.slice(0, i % 300),
  score: i,
}));

function write(name: string, compression?: 'zstd'): string {
  const out = createOutputFolder(join(folder, name));
  const writer = createUtteranceWriter(out.createFile('a.arrow'), {
    ...{ columns, metadata: { 'kd.format': 'test' }, compression },
  });
  for (const row of rows) writer.append(row);
  writer.close();
  out.commit({ id: name, files: out.files });
  return join(folder, name, 'a.arrow');
}

test('a table written compressed is smaller, and the same when read', async () => {
  const [plain, compressed] = [write('plain'), write('compressed', 'zstd')];
  assert.ok(statSync(compressed).size < 0.7 * statSync(plain).size);
  const table = await openUtterances(compressed, { format: 'test' });
  let i = 0;
  for await (const row of table.rows()) assert.deepEqual(row, rows[i++]);
  assert.equal(i, rows.length);
  assert.deepEqual(await table.read('u1234'), rows[1234]);
  await table.close();
  const large = await openUtterances(compressed, { cachedBytes: 0 });
  for (const i of [1234, 0, 1999]) assert.deepEqual(await large.read(`u${i}`), rows[i]);
  await large.close();
  const file = openArrowFile(compressed);
  assert.deepEqual(file.readRow(0, 2, Object.keys(file.columns)), rows[2]);
  file.close();
});

test('openUtterances() refuses a compressed file that is spoilt, in one line', async () => {
  const file = write('to-spoil', 'zstd');
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0x55, 600, 20_000));
  await assert.rejects(
    async () => {
      const table = await openUtterances(file);
      for await (const _ of table.rows());
    },
    (error: Error) => error instanceof InputError && error.message.includes(file) && !error.message.includes('\n'),
  );
});

test('openUtterances() reads what pyarrow compressed by zstd, and refuses LZ4', async () => {
  const table = await openUtterances('shared/io/testdata/zstd.arrow', { format: 'test' });
  const read: Row[] = [];
  for await (const row of table.rows()) read.push(row);
  await table.close();
  const [even, random, none] = read as [Row, Row, Row];
  assert.deepEqual([even.utterance, random.utterance, none.utterance], ['even', 'noise', 'none']);
  assert.deepEqual(
    even.tokens,
    Uint16Array.from({ length: 1000 }, (_, i) => (i * i) % 7),
  );
  assert.deepEqual(
    even.values,
    Float32Array.from({ length: 1000 }, (_, i) => ((i * i) % 7) / 8),
  );
  const { tokens, values, agreeing } = random as Row & Record<string, Uint16Array>;
  assert.equal(random.frames, 50);
  assert.deepEqual(
    [...values!],
    [...tokens!].map((token) => token / 8),
  );
  assert.deepEqual(
    [...agreeing!],
    [...tokens!].map((token) => token % 256),
  );
  assert.deepEqual([none.frames, (none.tokens as Uint16Array).length], [0, 0]);
  await assert.rejects(
    openUtterances('shared/io/testdata/lz4.arrow'),
    /lz4\.arrow: it is compressed by LZ4, and this toolkit reads zstd/,
  );
});
