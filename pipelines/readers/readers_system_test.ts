/**
 * Our files in other hands: the PyTorch data set trains from them, its loss is ours, and the one-liners of FORMATS.md work.
 * PyTorch comes from Debian's python3-torch (the wheels bring gigabytes), the readers from the Python package index.
 */

import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sparseTargetsOfRow } from '../../shared/io/essence.ts';
import { runStage, type Stage } from '../../shared/io/stage.ts';
import { temporaryFolder } from '../../shared/io/testdata/temporary_folder.ts';
import { openUtterances } from '../../shared/io/utterance_table.ts';
import { distillationLoss } from '../../shared/math/distillation_loss.ts';
import type { Tail } from '../../shared/math/sparse_targets.ts';
import { stage as alignLabels } from '../../stages/align_labels.ts';
import { stage as cacheLogits } from '../../stages/cache_logits.ts';
import { stage as extractFeatures } from '../../stages/extract_features.ts';
import { stage as filterTargets } from '../../stages/filter_targets.ts';
import { stage as prepareCorpus } from '../../stages/prepare_corpus.ts';
import { stage as trainStudent } from '../../stages/train_student.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** Real files: the digits of the dev speakers' part, a teacher of a few updates, two essences. */
async function makeFiles() {
  const make = async (stage: Stage, name: string, options: Record<string, unknown>) => {
    await runStage(stage, { ...options, out: at(name) });
    return at(name);
  };
  const data = join(await make(prepareCorpus, 'data', { source: 'data/fsdd' }), 'dev');
  const features = await make(extractFeatures, 'features', { data, jobs: 2 });
  const alignment = await make(alignLabels, 'alignment', { data, features });
  const learn = { features: [features], alignment: [alignment], devFeatures: features, devAlignment: alignment };
  const teacher = await make(trainStudent, 'teacher', { ...learn, width: 32, dilations: [1], updates: 30 });
  const logits = await make(cacheLogits, 'logits', { features: [features], teacher: [teacher] });
  const filter = (name: string, options: Record<string, unknown>) =>
    make(filterTargets, name, { logits, alignment, ...options });
  const essences: Record<string, string> = {
    ghost: await filter('ghost', { select: 'top-k', k: 3, tail: 'ghost', temperature: 2 }),
    gated: await filter('gated', { select: 'top-p', p: 0.9, gate: 'correct', tail: 'uniform' }),
    renormalised: await filter('renormalised', { select: 'threshold', threshold: 0.05, tail: 'renormalise' }),
  };
  return { features, alignment, logits, essences };
}
const files = await makeFiles();

let python: string | undefined;
/** A Python with PyTorch, pyarrow, polars, DuckDB and jsonschema; undefined where that cannot be had. */
function findPython(t: TestContext): string | undefined {
  const missing = (what: string, { stderr }: SpawnSyncReturns<string>): undefined => {
    assert.ok(!process.env.CI, `${what}: ${stderr}`);
    t.skip(what);
  };
  if (python) return python;
  // Debian's own Python has Debian's PyTorch, wherever another one comes first
  const found = ['python3', '/usr/bin/python3'].find((name) => spawnSync(name, ['-c', 'import torch']).status === 0);
  if (!found)
    return missing(
      'python3-torch is not installed',
      spawnSync('python3', ['-c', 'import torch'], { encoding: 'utf8' }),
    );
  const packages = 'pyarrow==21.0.0 polars==2.1.0 duckdb==2.0.1 jsonschema==4.26.0';
  const script = `${found} -m venv --system-site-packages ${at('python')} && ${at('python')}/bin/pip install -q ${packages}`;
  const setUp = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  if (setUp.status !== 0) return missing(`${packages} cannot be installed`, setUp);
  python = join(at('python'), 'bin/python');
  return python;
}
function run(t: TestContext, argv: string[]): string | undefined {
  const program = findPython(t);
  if (!program) return undefined;
  const env = { ...process.env, PYTHONPATH: 'pipelines/readers', OMP_NUM_THREADS: '1' };
  const { status, stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8', env, maxBuffer: 1 << 26 });
  assert.equal(status, 0, stderr);
  return stdout;
}

test('the PyTorch data set trains from features, essence and labels', (t) => {
  const { features, alignment, essences } = files;
  const output = run(t, ['pipelines/readers/distillation.py', features, essences.ghost!, alignment, '100']);
  if (output === undefined) return;
  const losses = [...output.matchAll(/loss ([\d.]+)/g)].map(([, value]) => Number(value));
  const accuracies = [...output.matchAll(/frame accuracy ([\d.]+)/g)].map(([, value]) => Number(value));
  // 21 tokens, labels spread evenly over noisy digits: a start, and no more is asked for
  assert.ok(losses.length === 6 && losses.at(-1)! < 0.92 * losses[0]! && accuracies.at(-1)! > 0.1, output);
});

for (const name of Object.keys(files.essences)) {
  test(`its items and its loss are those of train_student: ${name}`, async (t) => {
    const essence = files.essences[name]!;
    const script = `
import json, sys, torch
from distillation import DistillationDataset, collate, distillation_loss
data = DistillationDataset(*sys.argv[1:4])
batch = collate([data[i] for i in range(3)])
torch.manual_seed(1)
logits = 3 * torch.randn(len(batch['labels']), data.vocabulary_size)
loss = distillation_loss(logits, batch, data.tail, data.temperature, soft_weight=0.7)
loaded = next(iter(torch.utils.data.DataLoader(data, batch_size=3, collate_fn=collate, num_workers=1)))
assert all(torch.equal(loaded[key], batch[key]) for key in batch if key != 'utterances')
print(json.dumps({'utterances': batch['utterances'], 'logits': logits.flatten().tolist(), 'loss': loss.item(), 'all': len(data)}))`;
    const output = run(t, ['-c', script, files.features, essence, files.alignment]);
    if (output === undefined) return;
    const found = JSON.parse(output) as { utterances: string[]; logits: number[]; loss: number; all: number };
    const [targets, labels] = [await openUtterances(essence), await openUtterances(files.alignment)];
    assert.equal(found.all, targets.utterances.length);
    const { metadata } = targets;
    const vocabularySize = Number(metadata['kd.vocabularySize']);
    let [sum, frames] = [0, 0];
    for (const utterance of found.utterances) {
      const soft = sparseTargetsOfRow(await targets.read(utterance), metadata);
      const hardLabels = Int32Array.from((await labels.read(utterance)).labels as Uint16Array);
      const logits = Float32Array.from(
        found.logits.slice(frames * vocabularySize, (frames + hardLabels.length) * vocabularySize),
      );
      const { lossNats } = distillationLoss({
        ...{ logits, vocabularySize, hardLabels, soft, softWeight: 0.7, labelSmoothing: 0, gated: 'to-hard' },
        tail: metadata['kd.tail'] as Tail,
        temperature: Number(metadata['kd.temperature']),
      });
      sum += lossNats * hardLabels.length;
      frames += hardLabels.length;
    }
    await Promise.all([targets.close(), labels.close()]);
    assert.ok(Math.abs(found.loss - sum / frames) < 1e-4 * Math.abs(sum / frames), `${found.loss}, ${sum / frames}`);
  });
}

test('the examples of FORMATS.md run on real files', (t) => {
  const text = readFileSync('shared/training/FORMATS.md', 'utf8');
  const examples = [...text.matchAll(/```python\n([\s\S]*?)```/g)].map(([, code]) => code!);
  assert.ok(examples.length >= 4, `only ${examples.length} examples`);
  for (const [i, code] of examples.entries()) {
    const places = {
      'exp/features/train': files.features,
      'exp/essence/train': files.essences.ghost!,
      'exp/logits/train': files.logits,
    };
    const here = Object.entries(places).reduce((all, [name, path]) => all.replaceAll(name, path), code);
    writeFileSync(at(`example-${i}.py`), here);
    const output = run(t, [at(`example-${i}.py`)]);
    if (output === undefined) return;
    assert.ok(output.trim().length > 0, `says nothing:\n${here}`);
  }
});

test('the schema of teachers is one, and the examples of FORMATS.md are as it says', (t) => {
  const script = `
import json, re
from jsonschema import Draft202012Validator
schema = json.load(open('shared/training/teacher.schema.json'))
Draft202012Validator.check_schema(schema)
blocks = [json.loads(text) for text in re.findall(r'\`\`\`json\\n(.*?)\`\`\`', open('shared/training/FORMATS.md').read(), re.S)]
teachers = [block for block in blocks if block.get('format') == 'teacher']
for teacher in teachers:
    Draft202012Validator(schema).validate(teacher)
    assert not Draft202012Validator(schema).is_valid({**teacher, 'model': {}, 'posteriors': {}})
print(len(teachers))`;
  const output = run(t, ['-c', script]);
  if (output !== undefined) assert.equal(Number(output), 2);
});
