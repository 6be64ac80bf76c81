import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { logSoftmax } from '../math/log_softmax.ts';
import { createRandom } from '../math/random.ts';
import { type CachedFrames, cacheFrames } from '../math/sparse_cache.ts';
import {
  cachedFramesOfRow,
  canCode,
  metadataOfSparse,
  readSparseHeader,
  rowOfCachedFrames,
  type SparseHeader,
  sparseColumns,
} from './cached_frames.ts';
import { openCompression } from './compression.ts';
import { InputError } from './errors.ts';
import { createOutputFolder } from './output_folder.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';
import { openUtterances, type Row } from './utterance_table.ts';
import { createUtteranceWriter } from './utterance_writer.ts';

const folder = temporaryFolder();
const [k, vocabularySize, temperatures] = [6, 40, [1, 2.5]];
await openCompression();

function framesOf(frames: number, { isRich }: { isRich: boolean }): CachedFrames {
  const random = createRandom('cached', frames);
  const teachers = Array.from({ length: isRich ? 2 : 1 }, () =>
    logSoftmax(Float32Array.from({ length: frames * vocabularySize }, random.normal), vocabularySize),
  );
  const labels = isRich ? Uint16Array.from({ length: frames }, (_, i) => i % vocabularySize) : undefined;
  const options = { k, temperatures, hasBlank: isRich, labels };
  return cacheFrames(teachers, { vocabularySize, rule: 'linear' }, options).cached;
}

for (const isRich of [true, false]) {
  for (const isCoded of [true, false]) {
    const what = `${isRich ? 'all' : 'the least'} columns, ${isCoded ? 'coded and compressed' : 'plain'}`;
    test(`cached frames written and read are the same but for the rounding of halves: ${what}`, async () => {
      const header: SparseHeader = {
        ...{ k, vocabularySize, temperatures, isCoded },
        ...{ hasBlank: isRich, hasLabels: isRich, hasAgreement: isRich, isMean: isRich },
      };
      const path = join(folder, what);
      const out = createOutputFolder(path);
      const writer = createUtteranceWriter(out.createFile('a.arrow'), {
        columns: sparseColumns(header),
        metadata: { ...metadataOfSparse(header), 'kd.combine': isRich ? 'linear' : 'best' },
        compression: isCoded ? 'zstd' : undefined,
      });
      for (const frames of [0, 1, 30]) {
        writer.append(rowOfCachedFrames(`u${frames}`, framesOf(frames, { isRich }), header));
      }
      writer.close();
      out.commit({ id: what, files: out.files });
      const table = await openUtterances(path, { format: 'sparse-logits' });
      assert.deepEqual(readSparseHeader(table), header);
      for await (const row of table.rows()) {
        const written = framesOf(row.frames, { isRich });
        const read = cachedFramesOfRow(row, header);
        assert.deepEqual([read.tokens, read.logPosteriors], [written.tokens, written.logPosteriors]);
        assert.deepEqual(read.agreeing, written.agreeing);
        assert.deepEqual(read.logZ.get(2.5), written.logZ.get(2.5), 'float32');
        read.logZ.get(1)!.forEach((value, i) => void assert.ok(Math.abs(value - written.logZ.get(1)![i]!) < 3e-7 * 8));
        for (const name of ['entropy', 'ofBlank', 'ofLabel'] as const) {
          assert.equal(read[name]?.length, written[name]?.length);
          read[name]?.forEach(
            (value, i) => void assert.ok(Math.abs(value - written[name]![i]!) <= 2 ** -11 * Math.abs(value)),
          );
        }
      }
      await table.close();
    });
  }
}

test('canCode() is for short lists of tokens that leave room in 16 bits', () => {
  const asked = [
    { k: 16, vocabularySize: 5000 },
    { k: 65, vocabularySize: 5000 },
    { k: 16, vocabularySize: 65520 },
    { k: 16, vocabularySize: 65521 },
  ];
  assert.deepEqual(asked.map(canCode), [true, false, true, false]);
});

const header: SparseHeader = {
  ...{
    k,
    vocabularySize,
    temperatures,
    isCoded: false,
    hasBlank: false,
    hasLabels: false,
    hasAgreement: false,
    isMean: false,
  },
};
const row = (changes: Record<string, unknown> = {}): Row =>
  ({ ...rowOfCachedFrames('u', framesOf(3, { isRich: false }), header), ...changes }) as Row;
for (const [name, changes] of Object.entries({
  'a token too few': { tokens: new Uint16Array(3 * k - 1) },
  'a token beyond the vocabulary': { tokens: new Uint16Array(3 * k).fill(vocabularySize) },
  'a normaliser too many': { 'logZ_2.5': new Float32Array(4) },
  'no entropy of a frame': { entropy: new Float32Array(2) },
})) {
  test(`cachedFramesOfRow() refuses ${name}, naming the utterance`, () => {
    assert.doesNotThrow(() => cachedFramesOfRow(row(), header));
    assert.throws(
      () => cachedFramesOfRow(row(changes), header),
      /utterance "u": its columns do not describe 3 frames of 6 of 40/,
    );
  });
}

test('cachedFramesOfRow() refuses codes that are spoilt', () => {
  const coded = { ...header, isCoded: true };
  const spoilt = {
    ...rowOfCachedFrames('u', framesOf(3, { isRich: false }), coded),
    tokenCodes: new Uint16Array(3 * k),
  };
  assert.throws(() => cachedFramesOfRow(spoilt as Row, coded), /utterance "u": its columns do not describe/);
});

test('readSparseHeader() refuses files that are no sparse cache, saying what they lack', () => {
  const columns = sparseColumns(header);
  const metadata = metadataOfSparse(header);
  assert.doesNotThrow(() => readSparseHeader({ path: 'p', metadata, columns }));
  for (const [change, lacking] of [
    [{ columns: { ...columns, 'logZ_2.5': 'list<float16>' } }, /Cannot read p: a sparse cache needs logZ_2\.5/],
    [{ metadata: { ...metadata, 'kd.temperatures': '[1,3]' } }, /needs logZ_3/],
    [{ metadata: { ...metadata, 'kd.temperatures': 'warm' } }, /needs kd\.k, kd\.temperatures/],
    [{ metadata: { ...metadata, 'kd.k': '41' } }, /needs kd\.k/],
  ] as const) {
    assert.throws(
      () => readSparseHeader({ path: 'p', metadata, columns, ...change }),
      (error: Error) => error instanceof InputError && lacking.test(error.message),
    );
  }
});
