/** Utterances with faults, left out with --allow-missing by one stage after another. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StageReport } from '../shared/io/report_file.ts';
import { runStage, type Skipped, type Stage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { writeWav } from '../shared/io/wav.ts';
import { createRandom } from '../shared/math/random.ts';
import { stage as align } from './align_labels.ts';
import { stage as cache } from './cache_logits.ts';
import { stage as decode } from './decode.ts';
import { stage as extract } from './extract_features.ts';
import { stage as filter } from './filter_targets.ts';
import { stage as score } from './score.ts';
import { call, spoken, writeTinyData } from './testdata/tiny_corpus.ts';
import { stage as train } from './train_student.ts';

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

/** Noise of a length; with 0, no audio at all. */
function writeAudio(path: string, seconds: number): void {
  const random = createRandom(path);
  const wav: Uint8Array[] = [];
  const samples = Int16Array.from({ length: 8000 * seconds }, () => 1000 * random.normal());
  writeWav({ write: (bytes) => void wav.push(bytes), close() {} }, samples, 8000);
  writeFileSync(path, seconds > 0 ? Buffer.concat(wav) : 'no audio');
}

// s1-a has no audio, s1-b less than its words need
const data = writeTinyData(at('data'));
for (const id of Object.keys(spoken)) writeAudio(join(data, `${id}.wav`), { 's1-a': 0, 's1-b': 0.03 }[id] ?? 1);

const skippedOf = (report: StageReport) => (report.skipped as Skipped[] | undefined)?.map(({ utterance }) => utterance);
/** A stage that is refused with one utterance less than it leaves out, and names those that it does. */
async function leavesOut(stage: Stage, options: Record<string, unknown>, expected: string[]): Promise<StageReport> {
  const given = { ...options, ...('engine' in stage ? { engine: 'cpu' } : {}) };
  const fewer = runStage(stage, { ...given, out: at(`${stage.name}-refused`), allowMissing: expected.length - 1 });
  await assert.rejects(fewer, { name: 'InputError' }, stage.name);
  const report = await runStage(stage, { ...given, out: at(stage.name), allowMissing: expected.length });
  assert.deepEqual(skippedOf(report), expected, stage.name);
  return report;
}

test('each stage leaves out what --allow-missing lets it, says so, and the chain goes on with the rest', async () => {
  const features = at('extract_features');
  assert.equal((await leavesOut(extract, { data }, ['s1-a'])).utterances, 2);
  const alignment = at('align_labels');
  assert.equal((await leavesOut(align, { data, features, stride: 3 }, ['s1-a', 's1-b'])).utterances, 1);
  const ends = { features, alignment, devFeatures: features, devAlignment: alignment };
  const small = { width: 4, dilations: [1], updates: 2 };
  // once for training, once for dev
  assert.equal((await leavesOut(train, { ...ends, ...small }, ['s1-b', 's1-b'])).utterances, 1);
  const model = at('train_student');
  const logits = at('cache_logits');
  assert.equal((await runStage(cache, { features, teacher: [model], engine: 'cpu', out: logits })).utterances, 2);
  assert.equal((await leavesOut(filter, { logits, alignment }, ['s1-b'])).utterances, 1);
  const heard = await leavesOut(decode, { data, model, features, tune: true }, ['s1-a']);
  assert.equal(heard.utterances, 2);
  const scored = await leavesOut(score, { data, hypotheses: at('decode') }, ['s1-a']);
  assert.deepEqual([scored.utterances, scored.words], [2, 3]);
});

test('a stage says how many it would have to leave out', async () => {
  const { code, stderr } = await call(align, [
    ...['--data', data, '--features', at('extract_features'), '--allow-missing', '1', '--out', at('too many')],
  ]);
  assert.equal(code, 3);
  assert.match(stderr, /Cannot align s1-b: .* \(--allow-missing 1, and that makes 2\)\n$/);
});

test('extract_features refuses data without a single utterance to use', async () => {
  const none = writeTinyData(at('none'));
  const { code, stderr } = await call(extract, ['--data', none, '--allow-missing', '3', '--out', at('nothing')]);
  assert.equal(code, 3);
  assert.match(stderr, /it has no utterance with speech; check its audio\n$/);
});
