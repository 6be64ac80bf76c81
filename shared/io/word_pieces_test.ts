import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from './testdata/temporary_folder.ts';
import { openWordPieces } from './word_pieces.ts';

const folder = 'shared/io/testdata/pieces';
const golden: Record<string, Record<string, string[] | null>> = JSON.parse(
  readFileSync(join(folder, 'golden.json'), 'utf8'),
);

for (const kind of ['bpe', 'unigram']) {
  test(`openWordPieces() cuts words as the tokenizers library does: ${kind}`, async () => {
    const { pieces, piecesOf } = await openWordPieces(join(folder, `${kind}.json`));
    const words = Object.entries(golden[kind]!);
    assert.ok(words.some(([, cut]) => cut) && words.some(([, cut]) => !cut));
    for (const [word, cut] of words) {
      assert.deepEqual(piecesOf(word) ?? null, cut, word);
      for (const piece of cut ?? []) assert.ok(pieces.includes(piece), piece);
    }
    assert.ok(!pieces.includes('<unk>'));
  });
}

test('openWordPieces() refuses what is no tokenizer, or has no marks of words', async () => {
  const path = join(temporaryFolder(), 'tokenizer.json');
  writeFileSync(path, '{}');
  await assert.rejects(openWordPieces(path), {
    name: 'InputError',
    message: /tokenizer.json: it is no tokenizer.json/,
  });
  writeFileSync(path, readFileSync(join(folder, 'bpe.json'), 'utf8').replaceAll('▁', '_'));
  await assert.rejects(openWordPieces(path), { name: 'InputError', message: /none of its pieces begins with ▁/ });
});
