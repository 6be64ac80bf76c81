import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { wavBytes } from '../shared/io/testdata/wav_bytes.ts';
import { writeWav } from '../shared/io/wav.ts';
import { createRandom } from '../shared/math/random.ts';
import { stage as decode } from './decode.ts';
import { stage as extract } from './extract_features.ts';
import { tokensText, writeTinyAlignment, writeTinyData } from './testdata/tiny_corpus.ts';
import { stage as train } from './train_student.ts';
import { transcribe } from './transcribe.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const rate = 8000;

/** Two words of two tones each, and noise between them: audio that a small network learns in a second. */
const tones: Record<string, [number, number]> = { one: [500, 1200], two: [2000, 3000] };
const firstTokens: Record<string, number> = { one: 1, two: 3 };

/** @param words an empty one is a pause */
function speak(words: readonly string[], seed: number): { samples: Int16Array; tokens: number[] } {
  const random = createRandom('speech', seed);
  const samples: number[] = [];
  const tokens: number[] = []; // what is said in each sample
  const add = (seconds: number, token: number, tone: (i: number) => number): void => {
    for (let i = 0; i < seconds * rate; i++) {
      samples.push(tone(i) + 30 * random.normal());
      tokens.push(token);
    }
  };
  add(0.3, 0, () => 0);
  for (const word of words) {
    (tones[word] ?? []).forEach((hertz, i) => {
      const tone = (at: number) => 6000 * Math.sin((2 * Math.PI * hertz * at) / rate);
      add(0.15 + 0.05 * random.uniform(), firstTokens[word]! + i, tone);
    });
    add(word === '' ? 0.6 : 0.1 + 0.1 * random.uniform(), 0, () => 0);
  }
  add(0.3, 0, () => 0);
  return { samples: Int16Array.from(samples), tokens };
}

/** The label of each output frame, three frames of 10 ms. */
function labelsOf({ samples, tokens }: ReturnType<typeof speak>): number[] {
  const frames = Math.floor((samples.length + 40) / 80);
  return Array.from({ length: Math.ceil(frames / 3) }, (_, i) => tokens[80 * (3 * i + 1) + 40] ?? 0);
}

const sayings: string[][] = Array.from({ length: 12 }, (_, seed) => {
  const random = createRandom('sayings', seed);
  return Array.from({ length: 1 + random.integer(4) }, () => (random.integer(2) ? 'one' : 'two'));
});
const ids = sayings.map((_, i) => `s${i % 3}-${String(i).padStart(2, '0')}`).sort();
const wordsOf = new Map(ids.map((id) => [id, sayings[Number(id.slice(3))]!]));

function writeSpeech(path: string, samples: Int16Array, sampleRate = rate): string {
  const parts: Uint8Array[] = [];
  writeWav({ write: (bytes) => void parts.push(bytes.slice()), close() {} }, samples, sampleRate);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

const lines = (text: (id: string) => string) => ids.map((id) => `${text(id)}\n`).join('');
const data = writeTinyData(at('data'), {
  'wav.scp': lines((id) => `${id} ${id}.wav`),
  text: lines((id) => `${id} ${wordsOf.get(id)!.join(' ')}`),
  utt2spk: lines((id) => `${id} ${id.slice(0, 2)}`),
  'tokens.txt': tokensText,
  ctm: undefined,
});
const speechOf = (id: string) => speak(wordsOf.get(id)!, Number(id.slice(3)));
for (const id of ids) writeSpeech(join(data, `${id}.wav`), speechOf(id).samples);
const alignment = writeTinyAlignment(at('align'), (id) => labelsOf(speechOf(id)), ids);

/** A model, its features and its decoding. */
async function learn(name: string, extraction: Record<string, unknown>, training: Record<string, unknown>) {
  const [features, model, decoding] = [at(`${name}-features`), at(`${name}-model`), at(`${name}-decoding`)];
  await runStage(extract, { data, bins: 15, jobs: 1, ...extraction, out: features });
  const learning = { features: [features], alignment: [alignment], devFeatures: features, devAlignment: alignment };
  const size = {
    width: 16,
    dilations: [1],
    splice: 2,
    updates: 150,
    learningRate: 0.01,
    batchFrames: 200,
    evaluations: 1,
  };
  await runStage(train, { ...learning, ...size, ...training, engine: 'cpu', out: model });
  await runStage(decode, { data, model, features, tune: true, engine: 'cpu', jobs: 1, out: decoding });
  return { model, decoding };
}

/** A call of the program in process. */
async function call(argv: readonly string[], stdin: Buffer = Buffer.alloc(0), piece = 1000) {
  const written = { stdout: [] as string[], stderr: [] as string[] };
  async function* pieces() {
    for (let start = 0; start < stdin.length; start += piece) yield stdin.subarray(start, start + piece);
  }
  const pause = argv.includes('--end-silence-ms') ? [] : ['--end-silence-ms', '300'];
  const code = await transcribe([...argv, ...pause, '--engine', 'cpu', '--quiet'], {
    stdin: pieces(),
    stdout: { write: (text: string) => written.stdout.push(text) },
    stderr: { write: (text: string) => written.stderr.push(text) } as unknown as NodeJS.WritableStream,
  });
  const [stdout, stderr] = [written.stdout.join(''), written.stderr.join('')];
  return {
    code,
    stdout,
    stderr,
    records: () =>
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
  };
}

const live = await learn('live', {}, { streaming: true, targetDelayFrames: 4 });
const centred = await learn('centred', { cmvn: 'utterance', normVars: true, kind: 'mfcc' }, {});
const known = ({ model, decoding }: { model: string; decoding: string }) => ['--model', model, '--decoding', decoding];
const decoded = readFileSync(join(live.decoding, 'hypotheses.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const filesOf = (list: readonly string[]) => list.map((id) => join(data, `${id}.wav`));

test('decode, which transcribe is compared with, hears what was said', () => {
  assert.deepEqual(
    decoded.map(({ text }) => text),
    ids.map((id) => wordsOf.get(id)!.join(' ')),
  );
});

for (const chunk of ['200', '37', '10000']) {
  test(`transcribe finds the words, times, confidences and scores of decode, in chunks of ${chunk} ms`, async () => {
    const argv = [...known(live), '--json', '--end-silence-ms', '0', '--chunk-ms', chunk, ...filesOf(ids)];
    const { code, stderr, records } = await call(argv);
    assert.equal(code, 0, stderr);
    const found = records();
    assert.equal(found.length, ids.length);
    found.forEach(({ words, text, score }, i) => {
      assert.equal(text, decoded[i].text);
      assert.ok(Math.abs(score - decoded[i].score) < 1e-3);
      assert.deepEqual(
        words.map(({ confidence, ...word }: { confidence: number }) => word),
        decoded[i].words.map(({ confidence, ...word }: { confidence: number }) => word),
      );
    });
  });
}

test('transcribe prints a line of text for each utterance, cut where it is silent, with the file where there are several', async () => {
  const long = writeSpeech(at('long.wav'), speak(['one', 'two', '', 'two', 'two', '', 'one'], 99).samples);
  const { stdout } = await call([...known(live), long]);
  assert.equal(stdout, 'one two\ntwo two\none\n');
  const { stdout: both } = await call([...known(live), long, long, '--end-silence-ms', '0']);
  assert.equal(both, 'long.wav: one two two two one\n'.repeat(2));
  const { records } = await call([...known(live), long, '--json']);
  const times = records().map(({ utterance, startSeconds, endSeconds }) => [utterance, startSeconds < endSeconds]);
  assert.deepEqual(times, [
    ['long.wav#1', true],
    ['long.wav#2', true],
    ['long.wav#3', true],
  ]);
});

test('transcribe hears a pipe as a file: a WAV head without a length, raw samples, another rate', async () => {
  const { samples } = speak(['one', 'two', '', 'two'], 5);
  const wav = readFileSync(writeSpeech(at('piped.wav'), samples));
  wav.writeUInt32LE(0xffffffff, 40);
  const expected = 'one two\ntwo\n';
  assert.equal((await call([...known(live), '-'], wav)).stdout, expected);
  const raw = Buffer.from(samples.buffer);
  assert.equal((await call([...known(live), '--raw-sample-rate', String(rate), '-'], raw)).stdout, expected);
  const twice = Int16Array.from({ length: 2 * samples.length }, (_, i) => samples[i >> 1]!);
  assert.equal((await call([...known(live), writeSpeech(at('16k.wav'), twice, 2 * rate)])).stdout, expected);
});

test('transcribe --partial says words as soon as they stay, and its record says how late', async () => {
  const { stdout } = await call(
    [...known(live), '--json', '--partial', '--timing', at('timing.jsonl'), '-'],
    readFileSync(at('long.wav')),
  );
  const records = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const texts = new Map(records.filter(({ text }) => text).map(({ utterance, text }) => [utterance, text]));
  const partial = records.filter((record) => record.partial);
  assert.ok(partial.length >= 4);
  for (const { utterance, partial: words } of partial)
    assert.ok(`${texts.get(utterance)} `.startsWith(`${words} `), words);
  const timing = readFileSync(at('timing.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const summary = timing.pop();
  assert.equal(timing.length, summary.chunks);
  timing.forEach(({ heardSeconds, saidSeconds, arrivedSeconds, doneSeconds }, i) => {
    assert.ok(saidSeconds <= heardSeconds + 0.03 && doneSeconds >= arrivedSeconds, JSON.stringify(timing[i]));
    if (i > 0 && i < timing.length - 2) assert.ok(Math.abs(heardSeconds - timing[i - 1].heardSeconds - 0.2) < 1e-6);
  });
  assert.equal(summary.words, 5);
  const { median, max } = summary.wordLatencySeconds;
  assert.ok(median > 0 && median < 0.6 && max < 1.2, JSON.stringify(summary));
});

test('transcribe takes off the mean of a file as extract_features does, and a running one from a pipe', async () => {
  const found = readFileSync(join(centred.decoding, 'hypotheses.txt'), 'utf8');
  const argv = [...known(centred), '--end-silence-ms', '0'];
  const { stdout } = await call([...argv, ...filesOf(ids)]);
  const expected = found
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(' ', '.wav: '));
  assert.equal(stdout, `${expected.join('\n')}\n`);
  const { stdout: piped } = await call([...argv, '-'], readFileSync(at('long.wav')));
  const { stdout: running } = await call([...argv, '--mean', 'running', at('long.wav')]);
  assert.equal(piped, running);
});

test('transcribe uses the language model that weights were tuned with, and gives several word sequences', async () => {
  const arpa = '\\data\\\nngram 1=4\n\n\\1-grams:\n-0.5 one\n-0.5 two\n-0.5 </s>\n-99 <s>\n\n\\end\\\n';
  writeFileSync(at('lm.arpa'), arpa);
  const { model } = live;
  const features = at('live-features');
  await runStage(decode, {
    data,
    model,
    features,
    tune: true,
    engine: 'cpu',
    jobs: 1,
    languageModel: at('lm.arpa'),
    out: at('with-lm'),
  });
  const argv = ['--model', model, '--decoding', at('with-lm'), at('long.wav')];
  const { stderr, code } = await call(argv);
  assert.equal(code, 3);
  assert.match(stderr, /it was tuned with another language model; run decode --tune with the same/);
  const { records } = await call([...argv, '--language-model', at('lm.arpa'), '--json', '--n-best', '3']);
  assert.deepEqual(
    records().map(({ text, nBest }) => [text, nBest.length]),
    [
      ['one two', 3],
      ['two two', 3],
      ['one', 3],
    ],
  );
});

test('a CTC model whose tokens are words needs no decoding folder', async () => {
  const language = { 'tokens.txt': '<blk> 0\none 1\ntwo 2\n', 'lexicon.txt': 'one one\ntwo two\n' };
  for (const [name, text] of Object.entries(language)) writeFileSync(join(data, name), text);
  const features = at('live-features');
  const learning = { objective: 'ctc', features: [features], data, devFeatures: features, devData: data };
  const size = {
    width: 16,
    dilations: [1],
    splice: 2,
    updates: 250,
    learningRate: 0.01,
    batchFrames: 200,
    evaluations: 1,
  };
  await runStage(train, { ...learning, ...size, engine: 'cpu', out: at('ctc') });
  for (const beam of ['1', '8']) {
    const { stdout } = await call(['--model', at('ctc'), '--beam', beam, '--end-silence-ms', '600', at('long.wav')]);
    assert.equal(stdout, 'one two\ntwo two\none\n', `beam ${beam}`);
  }
});

/** A second of noise as floats, one of which is none. */
function floatsWithNaN(place: number): string {
  const random = createRandom('noise', place);
  const samples = Float32Array.from({ length: 16000 }, (_, i) => (i === place ? NaN : 0.1 * random.normal()));
  writeFileSync(at(`nan-${place}.wav`), wavBytes(samples, { sampleRateHz: 16000, channels: 1 }));
  return at(`nan-${place}.wav`);
}

const faults: [string, number, () => string[], RegExp][] = [
  ['no audio', 2, () => known(live), /Name the audio: files, or - for stdin/],
  ['no model', 2, () => ['x.wav'], /Missing --model/],
  ['a flag that is none', 2, () => [...known(live), '--model-of-mine', 'x', 'x.wav'], /model-of-mine/],
  [
    'audio that is not there',
    3,
    () => [...known(live), 'nowhere.wav'],
    /Cannot open nowhere.wav: there is no such file/,
  ],
  [
    'a file without audio',
    3,
    () => [...known(live), at('live-model/tokens.txt')],
    /tokens.txt: it is neither WAV nor FLAC/,
  ],
  ['an empty pipe', 3, () => [...known(live), '-'], /from stdin: it is empty/],
  ['a model that is none', 3, () => ['--model', at('data'), '-'], /data/],
  [
    'no decoding of a model of frames',
    2,
    () => ['--model', live.model, '-'],
    /Missing --decoding: .*knows states of words/,
  ],
  ['partial results as text', 2, () => [...known(live), '--partial', '-'], /--partial needs --json/],
  ['stdin twice', 2, () => [...known(live), '-', '-'], /stdin \(-\) can be heard once/],
  ['the mean of a pipe', 2, () => [...known(live), '--mean', 'file', '-'], /--mean file hears the audio twice/],
  [
    'a mean that is not taken off',
    2,
    () => [...known(live), '--mean', 'running', '-'],
    /--mean belongs to .* --cmvn, and/,
  ],
  [
    'a mean that is not taken off',
    2,
    () => [...known(live), '--mean-seconds', '4', '-'],
    /--mean-seconds belongs to models/,
  ],
  [
    'seconds of a whole mean',
    2,
    () => [...known(centred), '--mean-seconds', '4', at('long.wav')],
    /--mean-seconds belongs to --mean running, or a pipe/,
  ],
  ['a folder of audio', 3, () => [...known(live), at('data')], /Cannot read .*data: it is a folder, not a file; name/],
  [
    'a log where no file can be',
    3,
    () => [...known(live), '--timing', join(at('long.wav'), 'x'), at('long.wav')],
    /Cannot use .*x as a folder: a file of that name is in the way/,
  ],
  [
    'a log in a folder that is not there',
    3,
    () => [...known(live), '--timing', at('nowhere/x.jsonl'), at('long.wav')],
    /Cannot open .*nowhere\/x\.jsonl: there is no such file or folder; check the path/,
  ],
  ...(existsSync('/dev/full')
    ? ([
        [
          'a log on a full disk',
          3,
          () => [...known(live), '--timing', '/dev/full', at('long.wav')],
          /Cannot write a file: the disk is full/,
        ],
      ] as [string, number, () => string[], RegExp][])
    : []),
  [
    'a log in place of the audio',
    2,
    () => [...known(live), '--timing', at('long.wav'), at('long.wav')],
    /--timing .*long.wav would take the place of what is read/,
  ],
  [
    'a log in place of the model',
    2,
    () => [...known(live), '--timing', join(live.model, 'weights.bin'), at('long.wav')],
    /--timing .*weights.bin would take the place of what is read, .*model: name another file/,
  ],
  ...['0', '1000', '9000'].map((at): [string, number, () => string[], RegExp] => [
    `a sample that is no number, ${at}`,
    3,
    () => [...known(live), floatsWithNaN(Number(at))],
    /nan-\d+\.wav: the sample at \d\.\d+ s is NaN, no number; check what writes it/,
  ]),
  ['a beam of the other objective', 2, () => [...known(live), '--beam', '4', '-'], /--beam belongs to objective ctc/],
];
for (const [name, code, argv, message] of faults) {
  test(`transcribe exits ${code} for ${name}`, async () => {
    const result = await call(argv());
    assert.match(result.stderr, message);
    assert.equal(result.code, code);
    assert.equal(result.stderr.trim().split('\n').length, 1, result.stderr);
  });
}
