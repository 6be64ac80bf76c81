import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileSha256 } from './digest.ts';
import { withSums } from './parts.ts';
import { shareOf, tableName } from './shard.ts';
import { type Context, type OptionsOf, type OptionTable, runStage, type Stage } from './stage.ts';
import { temporaryFolder } from './testdata/temporary_folder.ts';
import { createUtteranceWriter } from './utterance_writer.ts';

const options = {
  utterances: { type: 'number', default: 40, integer: true, describe: 'how many' },
} as const satisfies OptionTable;

/** Half-precision thirds; with a bias where the machine is not what it was. */
let bias = 0;
const computed: string[] = [];
async function run({ utterances }: OptionsOf<typeof options>, { id, out, shard }: Context) {
  const columns = { values: 'list<float16>' } as const;
  const writer = createUtteranceWriter(out.createFile(tableName(shard)), { columns, metadata: { 'kd.id': id } });
  const ids = Array.from({ length: utterances }, (_, i) => `u${String(i).padStart(3, '0')}`);
  for (const utterance of shareOf(ids, shard)) {
    computed.push(utterance);
    const values = Float32Array.from({ length: 20 }, (_, i) => -i / 3 + bias);
    writer.append({ utterance, frames: 20, values });
  }
  writer.close();
  out.writeText('tokens.txt', 'a 0\n');
  return { utterances };
}
const figures = (parts: { utterances: number }[]) => withSums(parts, []);
const stage: Stage = { name: 'thirds', version: 1, summary: 'thirds', examples: [], options, run, figures };

/** An output of four parts, and its files. */
async function written(shards: number) {
  const out = temporaryFolder();
  await runStage(stage, { out, shards });
  return out;
}
const verify = (out: string) => runStage(stage, { out, verify: true });
function flip(file: string, place: number): void {
  const bytes = readFileSync(file);
  bytes[place]! ^= 1;
  writeFileSync(file, bytes);
}

for (const shards of [1, 4]) {
  test(`--verify finds an output of ${shards} parts right, and makes utterances of each again`, async () => {
    const { verified } = (await verify(await written(shards))) as unknown as { verified: Record<string, number> };
    assert.equal(verified.files, shards + 1);
    assert.ok(verified.utterancesRemade! >= 3 * shards, `${verified.utterancesRemade} were made again`);
  });
}

test('--verify moves a part with a wrong byte aside and names it; the next run makes that one again', async () => {
  const out = await written(4);
  const file = join(out, 'part-00002-of-00004.arrow');
  const right = readFileSync(file);
  flip(file, 700);
  await assert.rejects(verify(out), {
    name: 'InputError',
    message: /1 of 5 files do not verify.*part-00002-of-00004\.arrow has the digest .* instead of/,
  });
  assert.equal(existsSync(file), false);
  assert.equal(readdirSync(join(out, 'quarantine')).length, 1);
  assert.equal(existsSync(join(out, 'report.json')), false);
  computed.length = 0;
  await runStage(stage, { out, shards: 4 });
  assert.deepEqual([computed.length, computed[0]], [10, 'u020']);
  assert.ok(readFileSync(file).equals(right));
  await verify(out);
});

test('--verify finds what has the right digest and not what the stage makes', async () => {
  bias = 0.1;
  const out = await written(2);
  bias = 0;
  await assert.rejects(
    verify(out),
    /2 of 3 files.*part-00000-of-00002\.arrow does not hold what its inputs give: utterance "u\d+" has -?[\d.]+ in values, at 0, instead of/,
  );
});

test('--verify lets last digits pass that another processor may round otherwise', async () => {
  bias = 1e-4;
  const out = await written(2);
  bias = 0;
  await verify(out);
});

test('--verify finds missing files, and spoilt ones that parts share', async () => {
  const out = await written(2);
  rmSync(join(out, 'part-00000-of-00002.arrow'));
  writeFileSync(join(out, 'tokens.txt'), 'b 0\n');
  await assert.rejects(verify(out), /2 of 3 files.*part-00000-of-00002\.arrow is missing; tokens\.txt has the digest/);
  await runStage(stage, { out, shards: 2 });
  assert.equal(readFileSync(join(out, 'tokens.txt'), 'utf8'), 'a 0\n');
  await verify(out);
});

test('--verify looks at the parts that are there while others are not', async () => {
  const out = temporaryFolder();
  await runStage(stage, { out, shard: '1/3' });
  const { verified } = (await verify(out)) as unknown as { verified: Record<string, number> };
  assert.equal(verified.files, 2);
  flip(join(out, 'part-00001-of-00003.arrow'), 600);
  await assert.rejects(verify(out), /part-00001-of-00003\.arrow has the digest/);
  assert.equal(existsSync(join(out, 'part-00001-of-00003.json')), false);
});

test('--verify refuses a folder where nothing of this key is finished', async () => {
  const out = await written(1);
  const before = fileSha256(join(out, 'part-00000-of-00001.arrow'));
  await assert.rejects(runStage(stage, { out, utterances: 3, verify: true }), /nothing in it was finished with these/);
  assert.equal(fileSha256(join(out, 'part-00000-of-00001.arrow')), before);
  await assert.rejects(runStage(stage, { out: '/nowhere', verify: true }), /nothing in it was finished with these/);
});

test('--verify compares digests alone where a stage has no parts', async () => {
  const out = temporaryFolder();
  const { figures: _, ...unparted } = stage;
  await runStage(unparted, { out });
  computed.length = 0;
  const { verified } = (await runStage(unparted, { out, verify: true })) as unknown as { verified: object };
  assert.deepEqual([Object.values(verified)[0], computed], [2, []]);
  flip(join(out, 'tokens.txt'), 0);
  await assert.rejects(
    runStage(unparted, { out, verify: true }),
    /1 of 2 files do not verify.*tokens\.txt has the digest/,
  );
});
