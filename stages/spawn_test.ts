/** The programs themselves, as child processes: exit codes, what is on stdout and stderr, and an interruption. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { writeWav } from '../shared/io/wav.ts';
import { createRandom } from '../shared/math/random.ts';
import {
  tokensText,
  writeTinyAlignment,
  writeTinyData,
  writeTinyFeatures,
  writeTinyModel,
} from './testdata/tiny_corpus.ts';

const stages = readdirSync('stages')
  .filter((name) => name.endsWith('.ts') && !name.endsWith('_test.ts'))
  .map((name) => name.replace(/\.ts$/, ''));
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const features = writeTinyFeatures(at('features'));
const alignment = writeTinyAlignment(at('alignment'));
const model = writeTinyModel(at('model'));

const call = (stage: string, ...argv: string[]) =>
  spawnSync(process.execPath, [`dist/${stage}.js`, ...argv], { encoding: 'utf8' });

for (const stage of stages) {
  test(`${stage} has a help text with examples, and refuses an unknown flag with exit code 2`, () => {
    const help = call(stage, '--help');
    assert.equal(help.status, 0, help.stderr);
    const output = stage === 'transcribe' ? 'FILE…' : '--out';
    for (const part of [stage, output, 'Examples:', 'Exit codes']) assert.ok(help.stdout.includes(part), part);
    const unknown = call(stage, '--unheard-of');
    assert.equal(unknown.status, 2);
    assert.equal(unknown.stdout, '');
    assert.equal(unknown.stderr.trim().split('\n').length, 1, unknown.stderr);
  });
}

test('a program prints one JSON report on stdout, the one beside its output, and nothing else there', () => {
  const { status, stdout, stderr } = call(
    'cache_logits',
    '--features',
    features,
    '--teacher',
    model,
    '--engine',
    'cpu',
    '--out',
    at('logits'),
  );
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), JSON.parse(readFileSync(at('logits/report.json'), 'utf8')));
});

test('transcribe says in one line what is wrong with what comes through a pipe', () => {
  const argv = ['dist/transcribe.js', '--model', model, '--quiet', '-'];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', input: 'no audio' });
  assert.equal(status, 3, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /^transcribe: Cannot use model .*model on audio: it does not say what its features are/);
});

test('a program says in one line that it may not write where it was told to', () => {
  const { status, stdout, stderr } = call(
    'cache_logits',
    '--features',
    features,
    '--teacher',
    model,
    '--engine',
    'cpu',
    '--out',
    '/sys/kernel/nobody',
  );
  assert.equal(status, 3, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /permission denied|no such file/);
});

/** A data directory of 400 utterances of their own noise; the file of one holds what is given. */
function writeNoise(name: string, bad?: { index: number; bytes: Uint8Array }): string {
  const ids = Array.from({ length: 400 }, (_, i) => `s${i % 4}-${String(i).padStart(3, '0')}`).sort();
  const files = {
    'wav.scp': ids.map((id) => `${id} ${id}.wav\n`),
    utt2spk: ids.map((id) => `${id} ${id.slice(0, 2)}\n`),
    'tokens.txt': [tokensText],
    'lexicon.txt': ['one one_1 one_2\n'],
  };
  mkdirSync(at(name));
  for (const [file, lines] of Object.entries(files)) writeFileSync(join(at(name), file), lines.join(''));
  ids.forEach((id, i) => {
    const random = createRandom(id);
    const wav: Uint8Array[] = [];
    const samples = Int16Array.from({ length: 800 + i }, () => 1000 * random.normal());
    writeWav({ write: (bytes) => void wav.push(bytes), close() {} }, samples, 8000);
    writeFileSync(join(at(name), `${id}.wav`), bad?.index === i ? bad.bytes : Buffer.concat(wav));
  });
  return at(name);
}

test('extract_features writes the same bytes with one worker thread and with several', () => {
  const data = writeNoise('noise');
  const bytes = ['1', '3'].map((jobs) => {
    const out = at(`noise-${jobs}`);
    const { status, stderr } = call(
      'extract_features',
      '--data',
      data,
      '--cmvn',
      'speaker',
      '--jobs',
      jobs,
      '--out',
      out,
    );
    assert.equal(status, 0, stderr);
    return readFileSync(join(out, 'part-00000-of-00001.arrow'));
  });
  assert.ok(bytes[0]!.equals(bytes[1]!));
});

test('extract_features says in one line what a worker thread could not read, and leaves nothing', () => {
  const data = writeNoise('damaged', { index: 250, bytes: Buffer.from('ID3, and so on') });
  const { status, stderr } = call('extract_features', '--data', data, '--jobs', '3', '--out', at('damaged-out'));
  assert.equal(status, 3, stderr);
  assert.match(stderr, /^extract_features: .*\.wav: it is neither WAV nor FLAC nor Ogg Opus nor MP3; convert it\n$/);
  assert.deepEqual(readdirSync(at('damaged-out')), []);
});

test('decode finds the same weights and words with one worker thread and with several', () => {
  const data = writeTinyData(at('data'));
  const found = ['1', '3'].map((jobs) => {
    const out = at(`decoded-${jobs}`);
    const given = ['--data', data, '--model', model, '--features', features, '--engine', 'cpu'];
    const { status, stderr } = call('decode', ...given, '--tune', '--jobs', jobs, '--out', out);
    assert.equal(status, 0, stderr);
    return ['hypotheses.txt', 'hypotheses.ctm', 'decoding.json'].map((name) => readFileSync(join(out, name), 'utf8'));
  });
  assert.deepEqual(found[0], found[1]);
});

test('a training that was killed goes on from its checkpoint when it is called again, to the same bytes', async () => {
  const given = ['--features', features, '--alignment', alignment, '--dev-features', features];
  given.push('--dev-alignment', alignment, '--width', '8', '--engine', 'cpu', '--updates', '3000');
  given.push('--checkpoint-seconds', '0.05', '--average-last', '1', '--early-stopping');
  const out = at('killed');
  const child = spawn(process.execPath, ['dist/train_student.js', ...given, '--out', out], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  while (!existsSync(join(out, 'checkpoint.bin'))) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGKILL');
  await ended;
  assert.ok(!existsSync(join(out, 'report.json')));
  const { status, stderr } = call('train_student', ...given, '--out', out);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /goes on after update \d+ of a run that did not get to its end/);
  assert.equal(call('train_student', ...given, '--out', at('undisturbed')).status, 0);
  assert.ok(readFileSync(join(out, 'weights.bin')).equals(readFileSync(at('undisturbed/weights.bin'))));
  assert.deepEqual(readdirSync(out).sort(), readdirSync(at('undisturbed')).sort());
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends a program with 130 and leaves nothing behind; the same command then finishes`, async () => {
    const argv = [
      'dist/train_student.js',
      '--features',
      features,
      '--alignment',
      alignment,
      '--dev-features',
      features,
    ];
    argv.push('--dev-alignment', alignment, '--width', '8', '--dilations', '1', '--engine', 'cpu', '--out', at(signal));
    const child = spawn(process.execPath, [...argv, '--updates', '100000'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    // the output folder is made before training begins
    while (!readdirSync(folder).includes(signal)) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill(signal);
    assert.equal(await ended, 130, stderr);
    assert.match(stderr, /interrupted/);
    assert.deepEqual(readdirSync(at(signal)), []);
    assert.equal(spawnSync(process.execPath, [...argv, '--updates', '5']).status, 0);
  });
}
