/**
 * Two models made elsewhere with PyTorch, and one of ours, in one ensemble over real speech. Models and speech lie beside
 * the repository; where they do not, there is nothing to test.
 */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { readNumpyMatrix } from '../shared/io/numpy_arrays.ts';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { openUtterances } from '../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../shared/io/utterance_writer.ts';
import { logSoftmax } from '../shared/math/log_softmax.ts';
import { stage as alignLabels } from './align_labels.ts';
import { stage as cacheLogits } from './cache_logits.ts';
import { stage as extractFeatures } from './extract_features.ts';
import { stage as filterTargets } from './filter_targets.ts';
import { stage as prepareCorpus } from './prepare_corpus.ts';
import { writeStageFolder } from './testdata/tiny_corpus.ts';
import { stage as trainStudent } from './train_student.ts';

const [teachers, corpus] = ['teachers', 'corpora/speechocean762'].map((name) => resolve('../shared', name)) as [
  string,
  string,
];
const skip = !(existsSync(teachers) && existsSync(corpus)) && `${teachers} and ${corpus} are not there`;
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const utterances = ['000240010', '000240031', '000240060'];

/** What its about.json says in words, as a description; both see output frame j at input frame 3j or 4j. */
const fbank = { kind: 'fbank', frameLengthMs: 25, snipEdges: true };
const features = { ...fbank, sampleRateHz: 16000, frameShiftMs: 10 };
const normalisation = { over: 'speaker', deviation: true, deviationOffset: 1e-3 };
interface Foreign {
  name: string;
  values: string;
  frameShiftMs: number;
  features: { bins: number } & Record<string, unknown>;
}
const foreign: Foreign[] = [
  { name: 'phones30ms', values: 'logits', frameShiftMs: 30, features: { ...features, bins: 40, normalisation } },
  { name: 'phones40ms', values: 'log-posteriors', frameShiftMs: 40, features: { ...features, bins: 80 } },
];
function describe({ name, values, frameShiftMs, features }: Foreign, use: string): string {
  const { origin, licence } = JSON.parse(readFileSync(join(teachers, name, 'about.json'), 'utf8'));
  const file = at(`${use}-${name}.json`);
  const output = {
    values,
    frameShiftMs,
    firstFrameCentreMs: 12.5,
    tokens: join(teachers, name, 'tokens.txt'),
    ignoreCase: true,
  };
  const model = { format: 'onnx', path: join(teachers, name, 'model.onnx'), features };
  writeFileSync(
    file,
    JSON.stringify({ format: 'teacher', version: 1, name, origin, licence, objective: 'frame', model, output }),
  );
  return file;
}

/** A data directory of some utterances of another one. */
function writeUtterances(from: string, to: string, ids: readonly string[]): void {
  mkdirSync(to);
  for (const name of ['tokens.txt', 'lexicon.txt']) writeFileSync(join(to, name), readFileSync(join(from, name)));
  for (const name of ['wav.scp', 'utt2spk', 'text']) {
    const lines = readFileSync(join(from, name), 'utf8').split('\n');
    writeFileSync(
      join(to, name),
      lines
        .filter((line) => ids.includes(line.split(' ')[0]!))
        .map((line) => `${line}\n`)
        .join(''),
    );
  }
}

/** All utterances of one speaker of the test set. */
async function prepareSpeaker(): Promise<string> {
  await runStage(prepareCorpus, { corpus: 'speechocean762', source: corpus, out: at('data') });
  const ids = readFileSync(at('data/test/text'), 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[0]!);
  writeUtterances(
    at('data/test'),
    at('data/speaker'),
    ids.filter((id) => id.startsWith('00024')),
  );
  return at('data/speaker');
}

/** The inputs that PyTorch was given, as a folder of features. */
function writeGoldenFeatures(name: string, bins: number): string {
  const metadata = {
    ...{ 'kd.format': 'features', 'kd.bins': String(bins), 'kd.sampleRateHz': '16000', 'kd.frameShiftMs': '10' },
    ...{ 'kd.firstFrameCentreMs': '12.5', 'kd.features': JSON.stringify(fbank) },
  };
  return writeStageFolder(at(`golden-${name}`), { id: name, stage: 'extract_features' }, (out) => {
    const writer = createUtteranceWriter(out.createFile('features.arrow'), {
      columns: { features: 'list<float32>' },
      metadata,
    });
    for (const utterance of utterances) {
      const { rows, values } = readNumpyMatrix(join(teachers, name, `golden-${utterance}-features.npy`));
      writer.append({ utterance, frames: rows, features: values });
    }
    writer.close();
  });
}

const symbolsOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0]!.toUpperCase());

/** What PyTorch said of an utterance, on our tokens and frames, by other code: the nearest frame, each phone by its states' prior. */
function expectedOf(
  utterance: string,
  { name, frameShiftMs }: Foreign,
  { frames, ours, prior }: { frames: number; ours: string[]; prior: number[] },
) {
  const theirs = symbolsOf(join(teachers, name, 'tokens.txt'));
  const golden = readNumpyMatrix(join(teachers, name, `golden-${utterance}-output.npy`));
  const said = logSoftmax(golden.values, 40);
  const phoneOf = (symbol: string) => symbol.split('_')[0]!;
  return Float32Array.from({ length: frames * ours.length }, (_, i) => {
    const [frame, token] = [Math.floor(i / ours.length), i % ours.length];
    const distances = Array.from({ length: golden.rows }, (_, j) =>
      Math.abs(12.5 + frameShiftMs * j - (15 + 30 * frame)),
    );
    const nearest = distances.indexOf(Math.min(...distances));
    const phone = phoneOf(ours[token]!);
    const mass = prior.reduce((sum, value, id) => sum + (phoneOf(ours[id]!) === phone ? value : 0), 0);
    return said[40 * nearest + theirs.indexOf(phone)]! + Math.log(prior[token]! / mass);
  });
}

test('foreign models and one of ours are one ensemble, and say what PyTorch says', { skip }, async () => {
  const data = await prepareSpeaker();
  const extract = async (name: string, options: Record<string, unknown>) => {
    await runStage(extractFeatures, { data, sampleRate: 16000, jobs: 1, out: at(name), ...options });
    return at(name);
  };
  const ours = await extract('ours', {});
  const theirs = [await extract('bins40', { snipEdges: true }), await extract('bins80', { snipEdges: true, bins: 80 })];
  const alignment = at('alignment');
  await runStage(alignLabels, { data, features: ours, out: alignment });
  const learn = { features: [ours], alignment: [alignment], devFeatures: ours, devAlignment: alignment };
  const own = at('own');
  await runStage(trainStudent, { ...learn, width: 8, dilations: [1], updates: 5, engine: 'cpu', out: own });

  /** Posteriors of both, and what PyTorch said, for each of the golden utterances. */
  const compare = async (out: string, options: Record<string, unknown>) => {
    const report = await runStage(cacheLogits, { engine: 'cpu', out, ...options });
    // biome-ignore lint/suspicious/noExplicitAny: figures of a report
    const [one, other, last] = report.teachers as any[];
    const tokens = { same: 1, split: 39, splitBy: 'prior', merged: 0, zero: [], dropped: [] };
    assert.deepEqual([one.tokens, other.tokens, last.tokens], [tokens, tokens, undefined]);
    const symbols = symbolsOf(join(out, 'tokens.txt'));
    const table = await openUtterances(out);
    const pairs: { found: Float32Array; expected: Float32Array }[] = [];
    for (const utterance of utterances) {
      const { frames, ...row } = await table.read(utterance);
      for (const [i, teacher] of foreign.entries()) {
        const expected = expectedOf(utterance, teacher, { frames, ours: symbols, prior: last.prior });
        pairs.push({ found: row[`logPosteriors_${i}`] as Float32Array, expected });
      }
    }
    await table.close();
    return { report, pairs, width: symbols.length };
  };

  // on the very features PyTorch was given, nothing but the rounding to half floats
  const few = at('data/few');
  writeUtterances(data, few, utterances);
  const golden = [
    await extract('few-ours', { data: few }),
    ...foreign.map(({ name, features }) => writeGoldenFeatures(name, features.bins)),
  ];
  const plain = foreign.map((teacher) =>
    describe({ ...teacher, features: { ...teacher.features, normalisation: undefined } }, 'golden'),
  );
  const exact = await compare(at('golden'), { features: golden, teacher: [...plain, own] });
  for (const { found, expected } of exact.pairs)
    for (const [i, value] of found.entries())
      assert.ok(Math.abs(value - expected[i]!) < 2 ** -11 * Math.abs(value) + 2e-5, `${value}, ${expected[i]}`);

  // from the audio on: another decoder of Opus than theirs, which shows in the outermost bins
  const { report, pairs, width } = await compare(at('logits'), {
    features: [ours, ...theirs],
    teacher: [...foreign.map((teacher) => describe(teacher, 'audio')), own],
    utt2spk: join(data, 'utt2spk'),
  });
  const best = (values: Float32Array, frame: number) => {
    const row = values.subarray(frame * width, (frame + 1) * width);
    return row.indexOf(Math.max(...row));
  };
  let [same, frames] = [0, 0];
  for (const { found, expected } of pairs) {
    for (let frame = 0; frame < found.length / width; frame++, frames++)
      if (best(found, frame) === best(expected, frame)) same++;
  }
  assert.ok(same > 0.95 * frames, `${same} of ${frames} frames have the same best token`);

  const essence = await runStage(filterTargets, { logits: at('logits'), alignment, out: at('essence') });
  assert.equal(essence.frames, report.frames);
  await runStage(trainStudent, {
    ...learn,
    targets: [at('essence')],
    width: 8,
    dilations: [1],
    updates: 5,
    engine: 'cpu',
    out: at('student'),
  });
});
