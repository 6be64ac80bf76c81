import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { openUtterances } from '../shared/io/utterance_table.ts';
import { writeWav } from '../shared/io/wav.ts';
import { createFastFbank } from '../shared/math/kernels/fast_fbank.ts';
import { createMfcc } from '../shared/math/mfcc.ts';
import { createMoments } from '../shared/math/moments.ts';
import { createRandom } from '../shared/math/random.ts';
import { stage } from './extract_features.ts';
import { call, spoken, writeTinyData } from './testdata/tiny_corpus.ts';

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const lengths: Record<string, number> = { 's1-a': 3000, 's1-b': 2345, 's2-a': 2400 };

function samplesOf(id: string): Int16Array {
  const random = createRandom('audio', id);
  return Int16Array.from({ length: lengths[id]! }, () => 1000 * random.normal());
}

function wavOf(samples: Int16Array, sampleRateHz = 8000): Buffer {
  const parts: Uint8Array[] = [];
  writeWav({ write: (bytes) => void parts.push(bytes), close() {} }, samples, sampleRateHz);
  return Buffer.concat(parts);
}

/** The tiny corpus with noise to hear; `audio` replaces files. */
function writeData(
  name: string,
  { audio = {}, files = {} }: { audio?: Record<string, Buffer>; files?: Record<string, string> } = {},
) {
  const path = writeTinyData(at(name), files);
  for (const id of Object.keys(spoken)) writeFileSync(join(path, `${id}.wav`), audio[id] ?? wavOf(samplesOf(id)));
  return path;
}

const kaldi = {
  ...{ sampleRateHz: 8000, bins: 40, frameLengthMs: 25, frameShiftMs: 10 },
  ...{ snipEdges: false, lowFrequencyHz: 20, highFrequencyHz: 0 },
};

async function featuresIn(out: string) {
  const table = await openUtterances(out, { format: 'features' });
  const rows = new Map<string, { frames: number; features: Float32Array }>();
  for await (const { utterance, frames, features } of table.rows()) {
    rows.set(utterance, { frames, features: Float32Array.from(features as Float32Array) });
  }
  await table.close();
  return { rows, metadata: table.metadata };
}

test('extract_features writes the features of each utterance, and what they are', async () => {
  const report = await runStage(stage, { data: writeData('data'), out: at('features') });
  const { rows, metadata } = await featuresIn(at('features'));
  assert.deepEqual([...rows.keys()], Object.keys(spoken));
  for (const [id, { frames, features }] of rows) {
    assert.equal(frames, Math.round(lengths[id]! / 80));
    assert.deepEqual(features, createFastFbank(kaldi).compute(Float32Array.from(samplesOf(id))), id);
  }
  const { utterances, frames, seconds, bins, sampleRateHz } = report;
  assert.deepEqual(
    { utterances, frames, seconds, bins, sampleRateHz },
    {
      utterances: 3,
      frames: 38 + 29 + 30,
      seconds: 7745 / 8000,
      bins: 40,
      sampleRateHz: 8000,
    },
  );
  const expected = {
    'kd.format': 'features',
    'kd.bins': '40',
    'kd.frameShiftMs': '10',
    'kd.firstFrameCentreMs': '5',
    'kd.sampleRateHz': '8000',
    'kd.id': report.id,
  };
  for (const [key, value] of Object.entries(expected)) assert.equal(metadata[key], value, key);
});

test('extract_features keeps frames inside the audio with --snip-edges, as many bins as asked for', async () => {
  await runStage(stage, { data: writeData('data'), out: at('snipped'), snipEdges: true, bins: 23 });
  const { rows, metadata } = await featuresIn(at('snipped'));
  assert.equal(metadata['kd.firstFrameCentreMs'], '12.5');
  assert.equal(rows.get('s1-a')!.frames, 1 + (3000 - 200) / 80);
  assert.equal(rows.get('s1-a')!.features.length, 36 * 23);
});

test('extract_features makes cepstra of --kind mfcc, and says what they are', async () => {
  const report = await runStage(stage, { data: writeData('data'), out: at('mfcc'), kind: 'mfcc' });
  assert.equal(report.bins, 13);
  const { rows, metadata } = await featuresIn(at('mfcc'));
  assert.equal(metadata['kd.bins'], '13');
  assert.deepEqual(JSON.parse(metadata['kd.features']!).kind, 'mfcc');
  const options = { ...kaldi, bins: 23, coefficients: 13, cepstralLifter: 22, useEnergy: true };
  const expected = createMfcc(options, createFastFbank(options)).compute(Float32Array.from(samplesOf('s1-a')));
  assert.deepEqual(rows.get('s1-a')!.features, expected);
});

for (const [cmvn, groups] of [
  ['utterance', [['s1-a'], ['s1-b'], ['s2-a']]],
  ['speaker', [['s1-a', 's1-b'], ['s2-a']]],
] as const) {
  test(`extract_features --cmvn ${cmvn} leaves mean 0 and, with --norm-vars, deviation 1 in each ${cmvn}`, async () => {
    for (const normVars of [false, true]) {
      const out = at(`cmvn ${cmvn} ${normVars}`);
      await runStage(stage, { data: writeData('data'), out, cmvn, normVars });
      const { rows, metadata } = await featuresIn(out);
      assert.equal(JSON.parse(metadata['kd.features']!).cmvn, cmvn);
      for (const group of groups) {
        const moments = createMoments(40);
        for (const id of group) moments.add(rows.get(id)!.features);
        const { mean, deviation } = moments.summary();
        assert.ok(mean.every((value) => Math.abs(value) < 1e-5));
        assert.equal(
          deviation.every((value) => Math.abs(value - 1) < 1e-5),
          normVars,
        );
      }
    }
  });
}

test('extract_features finds an utterance in a long recording by its segment', async () => {
  const long = Int16Array.from(Object.keys(spoken).flatMap((id) => [...samplesOf(id)]));
  const segments = 's1-a r 0 0.375\ns1-b r 0.375 0.668125\ns2-a r 0.668125 0.968125\n';
  const data = writeData('long', { files: { 'wav.scp': 'r s1-a.wav\n', segments }, audio: { 's1-a': wavOf(long) } });
  await runStage(stage, { data, out: at('by-segment') });
  await runStage(stage, { data: writeData('data'), out: at('by-file') });
  assert.deepEqual((await featuresIn(at('by-segment'))).rows, (await featuresIn(at('by-file'))).rows);
});

const nan = wavOf(new Int16Array(2000)); // floats: the same bytes with another format code, 1000 samples
nan.writeUInt16LE(3, 20);
nan.writeUInt16LE(32, 34);
nan.writeFloatLE(0.5, 44);
nan.writeFloatLE(Number.NaN, 44 + 4 * 500);

for (const [name, changes, code, message] of [
  [
    'too short audio',
    { audio: { 's1-b': wavOf(new Int16Array(39)) } },
    3,
    /"s1-b": 39 samples are too short for one frame; check/,
  ],
  ['silence', { audio: { 's1-b': wavOf(new Int16Array(4000)) } }, 3, /"s1-b": all its samples are 0: silence; check/],
  ['samples that are no numbers', { audio: { 's1-b': nan } }, 3, /"s1-b": frame \d+ is NaN: .* no numbers; check/],
  [
    'audio that is cut off',
    { audio: { 's2-a': wavOf(samplesOf('s2-a')).subarray(0, 999) } },
    3,
    /s2-a.wav: it is cut off: 955 of 4800 bytes/,
  ],
  [
    'audio of another kind',
    { audio: { 's2-a': Buffer.from('ID3, and so on') } },
    3,
    /s2-a.wav: it is neither WAV nor FLAC/,
  ],
  [
    'another sampling rate',
    { audio: { 's2-a': wavOf(samplesOf('s2-a'), 16000) } },
    3,
    /s2-a.wav: it has 16000 samples a second, others have 8000/,
  ],
  [
    'a segment beyond its audio',
    { files: { segments: 's1-a s1-a 0 0.3\ns1-b s1-b 0 0.3\ns2-a s2-a 0.1 0.4\n' } },
    3,
    /"s1-b": it ends at 0.3 s, but .*s1-b.wav at 0.293125 s; check segments/,
  ],
] as const) {
  test(`extract_features refuses ${name} by its name`, async () => {
    const data = writeData(`bad ${name}`, changes);
    const result = await call(stage, ['--data', data, '--out', at(`out ${name}`)]);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, message);
  });
}

for (const [flags, message] of [
  [['--bins', '200'], /fewer bins, or longer frames \(at 8000 samples a second\)/],
  [['--low-frequency-hz', '300', '--high-frequency-hz', '200'], /from 300 to 200 Hz do not lie between 0 and 4000 Hz/],
  [['--kind', 'mfcc', '--coefficients', '24'], /24 coefficients of 23 bins/],
  [['--frame-shift-ms', '0.01'], /0.01 ms is shorter than a sample/],
  [['--frame-length-ms', '0.1'], /longer frames/],
] as const) {
  test(`extract_features refuses ${flags.join(' ')}`, async () => {
    const result = await call(stage, ['--data', writeData('data'), '--out', at('out'), ...flags]);
    assert.equal(result.code, 2, result.stderr);
    assert.match(result.stderr, message);
  });
}

test('extract_features --sample-rate converts audio of other rates, without moving it', async () => {
  const seconds = 0.3;
  const wave = (rate: number): Buffer =>
    wavOf(
      Int16Array.from(
        { length: Math.round(seconds * rate) },
        (_, n) => 8000 * Math.sin((2 * Math.PI * 1000 * n) / rate) * Math.sin((Math.PI * n) / rate / seconds) ** 2,
      ),
      rate,
    );
  const audio = { 's1-a': wave(8000), 's1-b': wave(44100), 's2-a': wave(48000) };
  const data = writeData('data-rates', { audio });
  const mixed = await call(stage, ['--data', data, '--out', at('mixed')]);
  assert.equal(mixed.code, 3);
  assert.match(mixed.stderr, /44100 samples a second, others have 8000; name one with --sample-rate/);
  const report = await runStage(stage, { data, out: at('converted'), sampleRate: 8000 });
  assert.equal(report.sampleRateHz, 8000);
  const { rows } = await featuresIn(at('converted'));
  const [original, ...converted] = [...rows.values()].map(({ features }) => features);
  for (const features of converted) {
    assert.equal(features.length, original!.length);
    // bins that hold the tone: mel bin 14 of 40 is at 1 kHz
    for (let frame = 5; frame < 25; frame++) {
      const at1kHz =
        40 * frame +
        original!
          .subarray(40 * frame, 40 * frame + 40)
          .indexOf(Math.max(...original!.subarray(40 * frame, 40 * frame + 40)));
      assert.ok(Math.abs(features[at1kHz]! - original![at1kHz]!) < 0.01, `frame ${frame}`);
    }
  }
});

test('extract_features masks bands and stretches with the mean of the utterance, and nothing else', async () => {
  const data = writeData('data-masked');
  const plain = await featuresIn(await extracted('unmasked', { data }));
  const masks = { frequencyMasks: 1, frequencyMaskBins: 12, timeMasks: 1, timeMaskFrames: 12 };
  const covered = await featuresIn(await extracted('masked', { data, ...masks, seed: 1 }));
  const other = await featuresIn(await extracted('masked-2', { data, ...masks, seed: 2 }));
  let masked = 0;
  let differ = 0;
  for (const [id, { frames, features }] of plain.rows) {
    const bins = features.length / frames;
    const mean = Float64Array.from({ length: bins }, (_, bin) => {
      let sum = 0;
      for (let frame = 0; frame < frames; frame++) sum += features[frame * bins + bin]!;
      return sum / frames;
    });
    covered.rows.get(id)!.features.forEach((value, i) => {
      if (value !== other.rows.get(id)!.features[i]) differ++;
      if (value === features[i]) return;
      masked++;
      assert.ok(Math.abs(value - mean[i % bins]!) < 1e-4, `${id} ${i}`);
    });
  }
  assert.ok(masked > 40 && differ > 40, `${masked} masked, ${differ} by one seed alone`);
  assert.match(covered.metadata['kd.masks']!, /"timeMaskFrames":12/);
  assert.equal(plain.metadata['kd.masks'], undefined);
});

test('extract_features --degrade changes what is heard, not where, alike for any number of jobs', async () => {
  const data = writeData('data-degraded');
  const clean = await featuresIn(await extracted('clean', { data }));
  const noisy = await featuresIn(await extracted('noisy', { data, degrade: 'noise', snrDb: [5, 10], jobs: 1 }));
  const again = await featuresIn(await extracted('noisy-2', { data, degrade: 'noise', snrDb: [5, 10], jobs: 3 }));
  assert.deepEqual(noisy.rows, again.rows);
  for (const [id, { frames, features }] of noisy.rows) {
    assert.equal(frames, clean.rows.get(id)!.frames);
    assert.notDeepEqual(features, clean.rows.get(id)!.features);
  }
  assert.equal(noisy.metadata['kd.degrade'], '{"kind":"noise","snrDb":[5,10]}');
  assert.equal(noisy.metadata['kd.features'], clean.metadata['kd.features']);
});

test('extract_features --speed plays the audio faster or slower, and higher or lower', async () => {
  const seconds = 0.5;
  const tone = (hertz: number, length: number): Buffer =>
    wavOf(
      Int16Array.from({ length }, (_, n) => 8000 * Math.sin((2 * Math.PI * hertz * n) / 8000)),
      8000,
    );
  const samples = seconds * 8000;
  const said = writeData('data-said', { audio: { 's1-a': tone(1000, samples) } });
  for (const speed of [0.8, 1.25]) {
    const same = writeData(`data-${speed}`, { audio: { 's1-a': tone(1000 * speed, samples / speed) } });
    const played = await featuresIn(await extracted(`played-${speed}`, { data: said, speed }));
    const expected = await featuresIn(await extracted(`as-said-${speed}`, { data: same }));
    const [a, b] = [played, expected].map(({ rows }) => rows.get('s1-a')!);
    assert.equal(a!.frames, b!.frames);
    for (let frame = 3; frame < a!.frames - 3; frame++) {
      const [x, y] = [a!, b!].map(({ features }) => features.subarray(40 * frame, 40 * frame + 40));
      const peak = y!.indexOf(Math.max(...y!));
      assert.ok(Math.abs(x![peak]! - y![peak]!) < 0.02, `speed ${speed}, frame ${frame}: ${x![peak]} and ${y![peak]}`);
    }
    assert.equal(played.metadata['kd.speed'], String(speed));
  }
});

test('extract_features refuses options that mean nothing', async () => {
  const data = writeData('data-meaningless');
  for (const [flags, why] of [
    [['--snr-db', '0,5'], /--snr-db belongs to --degrade noise/],
    [['--degrade', 'telephone', '--rt60-seconds', '0.1,0.2'], /--rt60-seconds belongs to --degrade reverberation/],
    [['--degrade', 'noise', '--snr-db', '10,5'], /--snr-db 10,5 is not MIN,MAX/],
    [['--norm-vars'], /--norm-vars belongs to --cmvn utterance, speaker, not to none: leave it out/],
    [['--coefficients', '13'], /--coefficients belongs to --kind mfcc, not to fbank: leave it out/],
    [['--cepstral-lifter', '22'], /--cepstral-lifter belongs to --kind mfcc/],
    [['--no-use-energy'], /--use-energy belongs to --kind mfcc/],
    [['--time-mask-frames', '5'], /--time-mask-frames belongs to --time-masks above 0/],
  ] as const) {
    const { code, stderr } = await call(stage, ['--data', data, ...flags, '--out', at('meaningless')]);
    assert.equal(code, 2);
    assert.match(stderr, why);
  }
});

async function extracted(name: string, options: Record<string, unknown>): Promise<string> {
  await runStage(stage, { ...options, out: at(name) });
  return at(name);
}
