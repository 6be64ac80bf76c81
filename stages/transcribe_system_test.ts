/** The program itself on minutes of digits from a pipe: words as it hears them, memory that stays, and how late it is. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAudio } from '../shared/io/audio.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

function call(stage: string, options: Record<string, string | true>): void {
  const flags = Object.entries(options).flatMap(([flag, value]) =>
    value === true ? [`--${flag}`] : [`--${flag}`, value],
  );
  const { status, stderr } = spawnSync(process.execPath, [`dist/${stage}.js`, ...flags, '--quiet'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
}

// a model of the embedded digits, good enough to have something to say
call('prepare_corpus', { source: 'data/fsdd', out: at('data') });
for (const part of ['train', 'dev']) {
  const [data, features] = [at(`data/${part}`), at(`features/${part}`)];
  call('extract_features', { data, out: features });
  call('align_labels', { data, features, out: at(`align/${part}`) });
}
call('train_student', {
  ...{ features: at('features/train'), alignment: at('align/train'), 'dev-features': at('features/dev') },
  ...{ 'dev-alignment': at('align/dev'), width: '48', dilations: '1,2', updates: '400', streaming: true },
  ...{ 'target-delay-frames': '20', out: at('model') },
});
const grids = { 'acoustic-scales': '0.25,0.5', 'prior-scales': '0.5,1', 'insertion-penalties': '-6,-3,0,3' };
call('decode', {
  data: at('data/dev'),
  model: at('model'),
  features: at('features/dev'),
  tune: true,
  ...grids,
  out: at('decoding'),
});

/** Raw samples of several recordings, one after another, several times over. */
async function rawDigits(minutes: number): Promise<{ raw: Buffer; rate: number }> {
  const parts: Buffer[] = [];
  let rate = 0;
  for (const name of ['george', 'jackson', 'lucas']) {
    const audio = await openAudio(at(`data/test/wav/${name}.wav`));
    rate = audio.sampleRateHz;
    parts.push(Buffer.from(Int16Array.from(audio.read(0, audio.length)).buffer));
    audio.close();
  }
  const once = Buffer.concat(parts);
  const times = Math.ceil((minutes * 60 * rate * 2) / once.length);
  return { raw: Buffer.concat(new Array(times).fill(once)).subarray(0, minutes * 60 * rate * 2), rate };
}

test('transcribe keeps flat memory on ten minutes from a pipe, and says how late each word is', async () => {
  const { raw, rate } = await rawDigits(10);
  const argv = ['dist/transcribe.js', '--model', at('model'), '--decoding', at('decoding'), '--json', '--partial'];
  argv.push('--raw-sample-rate', String(rate), '--timing', at('timing.jsonl'), '--quiet', '-');
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  for (let place = 0; place < raw.length; place += 8000) {
    if (!child.stdin.write(raw.subarray(place, place + 8000)))
      await new Promise((resolve) => child.stdin.once('drain', resolve));
  }
  child.stdin.end();
  assert.equal(await ended, 0);
  const records = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.ok(records.filter(({ text }) => text).length > 10 && records.some(({ partial }) => partial));
  const timing = readFileSync(at('timing.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const summary = timing.pop();
  assert.ok(Math.abs(summary.audioSeconds - 600) < 1e-3 && summary.words > 500, JSON.stringify(summary));
  assert.ok(summary.wordLatencySeconds.p95 < 3, JSON.stringify(summary));
  const residentBy = (from: number, to: number) =>
    Math.max(...timing.filter(({ heardSeconds: s }) => s > from && s <= to).map(({ residentBytes }) => residentBytes));
  const [early, late] = [residentBy(0, 180), residentBy(420, 600)];
  assert.ok(late < early + (24 << 20), `${early} bytes in the first minutes, ${late} in the last`);
});

test('transcribe that is interrupted says what it has heard, and exits with 130', async () => {
  const { raw, rate } = await rawDigits(1);
  const argv = ['dist/transcribe.js', '--model', at('model'), '--decoding', at('decoding'), '--end-silence-ms', '0'];
  argv.push('--max-seconds', '0', '--raw-sample-rate', String(rate), '--timing', at('interrupted.jsonl'), '-');
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.stdin.write(raw.subarray(0, 20 * rate));
  const hasHeard = (): boolean => {
    try {
      return readFileSync(at('interrupted.jsonl'), 'utf8').includes('"heardSeconds":10,');
    } catch {
      return false;
    }
  };
  while (!hasHeard()) await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill('SIGINT');
  assert.equal(await ended, 130);
  assert.ok(output.trim().split(' ').length > 3, output);
});
