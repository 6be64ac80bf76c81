/** Sparse caches and essences, plain and compressed, read by pyarrow: the same values as this toolkit reads. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cachedFramesOfRow, readSparseHeader } from '../shared/io/cached_frames.ts';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { openUtterances } from '../shared/io/utterance_table.ts';
import { stage as cacheLogits } from './cache_logits.ts';
import { stage as filterTargets } from './filter_targets.ts';
import { writeTinyFeatures, writeTinyModel } from './testdata/tiny_corpus.ts';

const script = `
import json, sys
import numpy as np
from pyarrow import ipc
plain, coded, essence, k = *sys.argv[1:4], int(sys.argv[4])
column = lambda path, name: ipc.open_file(path).read_all()[name].combine_chunks().flatten().to_numpy()
for path in (plain, coded, essence):
    ipc.open_file(path).read_all().validate(full=True)
halves = np.cumsum(column(coded, 'logPosteriorSteps').reshape(-1, k), axis=1, dtype=np.uint16).view(np.float16)
assert (halves.ravel() == column(plain, 'logPosteriors')).all()
for name in ('logZ_1', 'logZ_2', 'entropy', 'agreeing'):
    assert (column(plain, name) == column(coded, name)).all(), name
print(json.dumps({
    'tokens': column(plain, 'tokens').tolist(),
    'logPosteriors': column(plain, 'logPosteriors').astype(float).tolist(),
    'logZ': column(plain, 'logZ_2').astype(float).tolist(),
    'essence': column(essence, 'tokens').tolist(),
}))`;

test('pyarrow reads sparse caches and essences, plain and compressed', async (t) => {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  const python = at('python');
  const command = `python3 -m venv ${python} && ${python}/bin/pip install -q pyarrow==21.0.0 numpy`;
  const setUp = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
  if (setUp.status !== 0) {
    assert.ok(!process.env.CI, `pyarrow cannot be installed: ${setUp.stderr}`);
    return t.skip('pyarrow cannot be installed');
  }
  const k = 3;
  const teacher = [writeTinyModel(at('model-1')), writeTinyModel(at('model-2'))];
  const given = {
    features: writeTinyFeatures(at('features')),
    teacher,
    engine: 'cpu',
    format: 'sparse',
    k,
    temperatures: [2],
  };
  for (const compress of [undefined, 'zstd']) {
    await runStage(cacheLogits, { ...given, compress, out: at(`cache-${compress}`) });
  }
  await runStage(filterTargets, { logits: at('cache-zstd'), k: 2, compress: 'zstd', out: at('essence') });
  const part = 'part-00000-of-00001.arrow';
  const files = [at(`cache-undefined/linear/${part}`), at(`cache-zstd/linear/${part}`), at(`essence/${part}`)];
  writeFileSync(at('read.py'), script);
  const { status, stdout, stderr } = spawnSync(join(python, 'bin/python'), [at('read.py'), ...files, String(k)], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const table = await openUtterances(at('cache-zstd/linear'));
  const header = readSparseHeader(table);
  const ours = { tokens: [] as number[], logPosteriors: [] as number[], logZ: [] as number[], essence: [] as number[] };
  for await (const row of table.rows()) {
    const { tokens, logPosteriors, logZ } = cachedFramesOfRow(row, header);
    ours.tokens.push(...tokens);
    ours.logPosteriors.push(...logPosteriors);
    ours.logZ.push(...logZ.get(2)!);
    for (let i = 0; i < tokens.length; i += k) ours.essence.push(...tokens.subarray(i, i + 2));
  }
  await table.close();
  assert.deepEqual(JSON.parse(stdout), ours);
});
