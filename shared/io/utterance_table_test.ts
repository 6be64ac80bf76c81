import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fromHalf } from '../math/half.ts';
import { createRandom } from '../math/random.ts';
import type { Cell } from './arrow_file.ts';
import { InputError } from './errors.ts';
import { createOutputFolder } from './output_folder.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';
import { openUtterances, type Row } from './utterance_table.ts';
import { createUtteranceWriter } from './utterance_writer.ts';

const folder = temporaryFolder;
const columns = {
  values: 'list<float32>',
  halves: 'list<float16>',
  labels: 'list<uint16>',
  offsets: 'list<int32>',
  score: 'float32',
} as const;

function randomRows(count: number): Row[] {
  const random = createRandom('rows');
  return Array.from({ length: count }, (_, i) => {
    const frames = random.integer(40);
    const fill = <T extends { [i: number]: number }>(array: T, next: () => number): T => {
      for (let j = 0; j < frames; j++) array[j] = next();
      return array;
    };
    return {
      utterance: `zoë-${String(i).padStart(4, '0')}`,
      frames,
      values: fill(new Float32Array(frames), random.normal),
      halves: fill(new Float32Array(frames), () => random.integer(2048) / 8),
      labels: fill(new Uint16Array(frames), () => random.integer(65536)),
      offsets: fill(new Int32Array(frames), () => random.integer(1e9)),
      score: Math.fround(random.normal()),
    };
  });
}

function write(path: string, rows: Row[]): void {
  const out = createOutputFolder(path);
  const writer = createUtteranceWriter(out.createFile('part-00000-of-00001.arrow'), {
    columns,
    metadata: { 'kd.format': 'test' },
  });
  for (const row of rows) writer.append(row);
  writer.close();
  out.commit({ id: 'x', files: out.files });
}

const plain = (row: Row) =>
  Object.fromEntries(
    Object.entries(row).map(([k, v]: [string, Cell]) => [k, typeof v === 'object' ? Array.from(v) : v]),
  );

test('a table written and read is the same table, in order and by utterance', async () => {
  const path = folder();
  const rows = randomRows(3000); // several record batches
  write(path, rows);
  const table = await openUtterances(path, { format: 'test' });
  assert.deepEqual(
    table.utterances,
    rows.map(({ utterance }) => utterance),
  );
  let i = 0;
  for await (const row of table.rows()) assert.deepEqual(plain(row), plain(rows[i++]!));
  assert.equal(i, rows.length);
  for (const j of [2999, 0, 1500, 1501]) assert.deepEqual(plain(await table.read(rows[j]!.utterance)), plain(rows[j]!));
  await assert.rejects(table.read('nobody'), /nobody/);
  await table.close();

  const large = await openUtterances(path, { cachedBytes: 0 }); // rows are read one by one
  for (const row of rows) assert.deepEqual(plain(await large.read(row.utterance)), plain(row));
  await large.close();
  const bits = await openUtterances(path, { cachedBytes: 0, asBits: true });
  const { halves } = await bits.read(rows[1501]!.utterance);
  assert.deepEqual(fromHalf(halves as Uint16Array), rows[1501]!.halves);
  for await (const row of bits.rows()) assert.ok(row.halves instanceof Uint16Array);
  await bits.close();
});

test('openUtterances() refuses what is cut off, foreign, empty or of another format, in one line', async () => {
  const path = folder();
  write(path, randomRows(20));
  const file = join(path, 'part-00000-of-00001.arrow');
  const bytes = readFileSync(file);
  const cases = [
    { name: 'cut', bytes: bytes.subarray(0, bytes.length - 100) },
    { name: 'foreign', bytes: Buffer.from('this is not an Arrow file at all') },
    { name: 'empty', bytes: Buffer.alloc(0) },
    {
      name: 'holed',
      bytes: Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(bytes.length - 1008), bytes.subarray(-1000)]),
    },
  ];
  for (const { name, bytes } of cases) {
    const broken = join(path, `${name}.bin`);
    writeFileSync(broken, bytes);
    await assert.rejects(openUtterances(broken), (error: Error) => {
      assert.ok(error instanceof InputError, `${name}: ${error.stack}`);
      assert.ok(error.message.includes(broken) && !error.message.includes('\n'), error.message);
      return true;
    });
  }
  await assert.rejects(openUtterances(file, { format: 'logits' }), /it is test, not logits/);
});

test('append() refuses a row of another shape than its columns', () => {
  const out = createOutputFolder(folder());
  const writer = createUtteranceWriter(out.createFile('a.arrow'), {
    columns: { labels: 'list<uint16>' },
    metadata: {},
  });
  assert.throws(() => writer.append({ utterance: 'a', frames: 1 }), /labels of a/);
  assert.throws(() => writer.append({ utterance: 'a', frames: 1, labels: new Float32Array(1) }), /labels of a/);
  out.discard();
});
