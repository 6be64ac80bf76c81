/** Speech of one's own: LibriSpeech, Kaldi, Common Voice and folders of audio, as prepare_corpus reads them. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { readDataDirectory } from '../shared/io/data_directory.ts';
import { readFsdd } from '../shared/io/fsdd.ts';
import { runStage } from '../shared/io/stage.ts';
import { flacBytes } from '../shared/io/testdata/flac_bytes.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { wavBytes } from '../shared/io/testdata/wav_bytes.ts';
import { openUtterances } from '../shared/io/utterance_table.ts';
import { createResampler } from '../shared/math/resample.ts';
import { stage as extract } from './extract_features.ts';
import { stage } from './prepare_corpus.ts';
import { call } from './testdata/tiny_corpus.ts';

const folder = temporaryFolder();
let count = 0;
const fresh = (): string => join(folder, String(count++));

/** Files below a new folder. */
function written(files: Record<string, string | Uint8Array | undefined>): string {
  const path = fresh();
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue;
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

const flac = flacBytes([Int16Array.from({ length: 1600 }, (_, i) => 1000 * Math.sin(i))], { sampleRateHz: 16000 });
const wav = wavBytes(new Int16Array(16000), { sampleRateHz: 8000, channels: 1 });

async function prepare(options: Record<string, unknown>) {
  const out = fresh();
  const report = await runStage(stage, { ...options, out });
  const data = Object.fromEntries(
    ['train', 'dev', 'test', 'untranscribed']
      .filter((name) => existsSync(join(out, name)))
      .map((name) => [name, readDataDirectory(join(out, name))]),
  );
  const textOf = (name: string) => readFileSync(join(out, name, 'text'), 'utf8');
  return { out, report, data, textOf };
}

/** What a call on a damaged corpus says, after its first line. */
async function problemsOf(...argv: string[]): Promise<string[]> {
  const out = fresh();
  const { code, stderr } = await call(stage, [...argv, '--out', out]);
  assert.equal(code, 3, stderr);
  assert.ok(!existsSync(join(out, 'report.json')));
  return stderr.trimEnd().split('\n').slice(1);
}

/** Speakers by subset, two chapters each, in the layout of LibriSpeech. */
function librispeech(subsets: Record<string, string[]>, changes: Record<string, string | undefined> = {}): string {
  const files: Record<string, string | Uint8Array | undefined> = { 'LibriSpeech/README.TXT': 'about it' };
  for (const [subset, speakers] of Object.entries(subsets)) {
    for (const speaker of speakers) {
      for (const chapter of ['7', '12']) {
        const path = `LibriSpeech/${subset}/${speaker}/${chapter}/${speaker}-${chapter}`;
        files[`${path}.trans.txt`] = `${speaker}-${chapter}-0000 THE CAT SAT\n${speaker}-${chapter}-0001 IT'S A HAT\n`;
        for (const i of [0, 1]) files[`${path}-000${i}.flac`] = flac;
      }
    }
  }
  return written({ ...files, ...changes });
}

test('prepare_corpus reads LibriSpeech by its own subsets, and leaves the audio where it is', async () => {
  const source = librispeech({ 'train-clean-100': ['19', '26'], 'dev-clean': ['84'], 'test-other': ['367'] });
  const { report, data, out } = await prepare({ corpus: 'librispeech', source });
  const counts = { utterances: 4, speakers: 1, words: 12, unknownWords: 0 };
  const seconds = (splits: unknown) =>
    Object.values(splits as Record<string, { seconds: number }>).map((s) => s.seconds.toFixed(3));
  assert.deepEqual(seconds(report.splits), ['0.800', '0.400', '0.400']);
  const splits = report.splits as Record<string, Record<string, number>>;
  assert.deepEqual({ ...splits.dev, seconds: 0 }, { ...counts, seconds: 0 });
  assert.deepEqual(report.from, { train: ['train-clean-100'], dev: ['dev-clean'], test: ['test-other'] });
  assert.deepEqual(report.sampleRatesHz, { 16000: 16 });
  const [first] = data.train!.utterances;
  assert.deepEqual([first!.id, first!.speaker], ['19-12-0000', '19']);
  assert.equal(resolve(first!.audio), join(source, 'LibriSpeech/train-clean-100/19/12/19-12-0000.flac'));
  assert.deepEqual(data.train!.tokens.symbols, ['<blk>', '|', "'", 'A', 'C', 'E', 'H', 'I', 'S', 'T']);
  assert.match(readFileSync(join(out, 'dev/lexicon.txt'), 'utf8'), /^CAT C A T \|\nHAT H A T \|\nIT'S I T ' S \|$/m);
});

test('prepare_corpus holds speakers out of a single subset, the same ones for the same seed', async () => {
  const speakers = Array.from({ length: 10 }, (_, i) => String(100 + i));
  const source = join(librispeech({ 'dev-clean': speakers }), 'LibriSpeech', 'dev-clean');
  const [one, same, other] = await Promise.all(
    [0, 0, 1].map((seed) => prepare({ corpus: 'librispeech', source, heldOutShare: 0.2, seed })),
  );
  const spoken = (run: typeof one) =>
    ['train', 'dev', 'test'].map((part) => [...new Set(run!.data[part]!.utterances.map(({ speaker }) => speaker))]);
  assert.deepEqual(
    spoken(one).map(({ length }) => length),
    [6, 2, 2],
  );
  assert.deepEqual(spoken(one).flat().sort(), speakers);
  assert.deepEqual(spoken(one).slice(1), Object.values(one!.report.heldOut as object));
  assert.deepEqual(spoken(same), spoken(one));
  assert.notDeepEqual(spoken(other), spoken(one));
});

test('prepare_corpus takes the subsets asked for, and says which there are', async () => {
  const source = librispeech({ 'dev-clean': ['1', '2', '3'], 'test-clean': ['4'], 'dev-other': ['5'] });
  const { report } = await prepare({ corpus: 'librispeech', source, train: ['dev-clean'], dev: ['dev-other'] });
  assert.deepEqual(report.from, { train: ['dev-clean'], dev: ['dev-other'], test: ['test-clean'] });
  const args = ['--corpus', 'librispeech', '--source', source, '--out', fresh()];
  const none = await call(stage, args);
  assert.equal(none.code, 3);
  assert.match(none.stderr, /none of dev-clean, dev-other, test-clean begins with train; name some with --train/);
  const unknown = await call(stage, [...args, '--train', 'train-clean-100']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /train-clean-100 is not a part of .*: there are dev-clean, dev-other, test-clean/);
  const twice = await call(stage, [...args, '--train', 'dev-clean', '--dev', 'dev-clean']);
  assert.equal(twice.code, 2);
  assert.match(twice.stderr, /dev-clean is asked for twice/);
});

test('prepare_corpus names everything wrong with LibriSpeech at once, by file and line', async () => {
  const at = 'LibriSpeech/train-a';
  const source = librispeech(
    { 'train-a': ['1', '2', '3'], 'dev-a': ['4'], 'test-a': ['5'] },
    {
      [`${at}/1/7/1-7.trans.txt`]: '1-7-0000 THE CAT\n1-8-0001 SAT\n',
      [`${at}/2/7/2-7.trans.txt`]: undefined,
      [`${at}/3/7/3-7.trans.txt`]: '3-7-0000 THE\n\n3-7-0001\n3-7-0002 HAT\n',
      [`${at}/3/12/3-12-0000.flac`]: 'no audio',
      'LibriSpeech/dev-a/4/7/4-7.trans.txt': '4-7-0000 THE CAT\n4-7-0001 QUITE\n',
    },
  );
  const found = await problemsOf('--corpus', 'librispeech', '--source', source);
  const expected = [
    '1-7.trans.txt, line 2: 1-8-0001 is not of speaker 1, chapter 7',
    '1-7-0001.flac: .*1-7.trans.txt has no line for it',
    '2/7/2-7.trans.txt: it is missing, and 2 audio files are there',
    '3-7.trans.txt, line 2: "" is not an utterance and its words',
    '3-7.trans.txt, line 4: there is no audio .*3-7-0002.flac',
    '3-7.trans.txt, line 3: 3-7-0001 has no words',
    '3-12.trans.txt, line 1: .*3-12-0000.flac is neither WAV',
    '4-7.trans.txt, line 2: "Q" of "QUITE" is not in any training transcript',
  ];
  for (const what of expected)
    assert.ok(
      found.some((line) => new RegExp(what).test(line)),
      `${what}\n${found.join('\n')}`,
    );
  assert.equal(found.length, expected.length, found.join('\n'));
});

test('prepare_corpus leaves faulty utterances out as far as it may, each named', async () => {
  const file = 'LibriSpeech/train-a/1/7/1-7.trans.txt';
  const source = librispeech(
    { 'train-a': ['1', '2'], 'dev-a': ['4'], 'test-a': ['5'] },
    { [file]: '1-7-0000 THE CAT\n1-7-0001\n' },
  );
  const { report, data } = await prepare({ corpus: 'librispeech', source, allowMissing: 1 });
  assert.deepEqual(report.skipped, [
    { utterance: '1-7-0001', why: `${join(source, file)}, line 2: 1-7-0001 has no words` },
  ]);
  assert.equal(data.train!.utterances.length, 7);
  const { stderr } = await call(stage, ['--corpus', 'librispeech', '--source', source, '--out', fresh()]);
  assert.match(stderr, /1 problem; mend them, or leave their utterances out with --allow-missing 1\n/);
});

const kaldi: Record<string, string | Uint8Array> = {
  'wav.scp': 'r1 audio/r1.wav\nr2 audio/r2.wav\n',
  'audio/r1.wav': wav,
  'audio/r2.wav': wav,
  segments: 'a-1 r1 0.5 1.25\na-2 r1 1.25 2.30\nb-1 r2 0.00 1.00\nc-1 r2 1.00 2.00\n',
  utt2spk: 'a-1 a\na-2 a\nb-1 b\nc-1 c\n',
  spk2utt: 'a a-1 a-2\nb b-1\nc c-1\n',
  text: 'a-1 one two\na-2 two one\nb-1 one two\nc-1 two one\n',
};

test('prepare_corpus reads a Kaldi directory with segments; one that ends a little late is cut, as Kaldi does', async () => {
  const { data, report, textOf } = await prepare({ corpus: 'kaldi', source: written(kaldi), units: 'words' });
  const all = Object.values(data).flatMap(({ utterances }) => utterances);
  assert.equal(all.length, 4);
  const late = all.find(({ id }) => id === 'a-2')!;
  assert.deepEqual([late.startSeconds, late.endSeconds], [1.25, 2]);
  assert.equal(
    ['train', 'dev', 'test'].map(textOf).join('').split('\n').sort().join('\n').trim(),
    (kaldi.text as string).trim(),
  );
  assert.deepEqual((report.heldOut as { dev: string[] }).dev.length, 1);
});

test('prepare_corpus reads several Kaldi directories, and the files of pipes that only decode FLAC', async () => {
  const one = (name: string) => ({
    [`${name}/wav.scp`]: `${name}-1 flac -c -d -s ../${name}.flac |\n`,
    [`${name}.flac`]: flac,
    [`${name}/utt2spk`]: `${name}-1 ${name}\n`,
    [`${name}/text`]: `${name}-1 ONE\n`,
  });
  const source = written({ ...one('train_a'), ...one('train_b'), ...one('dev'), ...one('eval') });
  const { data, report } = await prepare({ corpus: 'kaldi', source, test: ['eval'], objective: 'frame', states: 1 });
  assert.deepEqual(report.from, { train: ['train_a', 'train_b'], dev: ['dev'], test: ['eval'] });
  assert.equal(resolve(data.test!.utterances[0]!.audio), join(source, 'eval.flac'));
  assert.deepEqual(data.test!.tokens.symbols, ['sil', 'E', 'N', 'O']);
});

const wrongKaldi: [string, Record<string, string>, string[]][] = [
  [
    'wav.scp',
    { 'wav.scp': 'r1 sph2pipe -f wav x.sph |\nr2 audio/r9.wav\n' },
    ['wav.scp, line 1: "sph2pipe', 'wav.scp, line 2: there is no file'],
  ],
  [
    'segments',
    {
      segments: `${kaldi.segments}d-1 r9 0 1\nd-2 r1 2 1\n`,
      utt2spk: `${kaldi.utt2spk}d-1 d\nd-2 d\n`,
      text: `${kaldi.text}d-1 one\nd-2 one\n`,
      spk2utt: `${kaldi.spk2utt}d d-1 d-2\n`,
    },
    ['segments, line 5: recording r9 is not in wav.scp', 'segments, line 6: 2 to 1 is no stretch of time'],
  ],
  [
    'a segment after the end',
    { segments: 'a-1 r1 0.5 1.25\na-2 r1 1.25 2.6\nb-1 r2 0.00 1.00\nc-1 r2 2.00 2.10\n' },
    [
      'segments, line 2: a-2 is from 1.25 to 2.6 s, but .*r1.wav ends at 2.000 s',
      'segments, line 4: c-1 is from 2 to 2.1 s',
    ],
  ],
  [
    'text',
    { text: 'a-1 one two\na-1 two\nb-1\nz-1 one\n' },
    [
      'text, line 2: a-1 is there twice',
      'text, line 4: z-1 is not in segments',
      'text has no line for a-2',
      'text has no line for c-1',
      'text, line 3: b-1 has no words',
      'segments, line 2: a-2 has no words',
      'segments, line 4: c-1 has no words',
    ],
  ],
  [
    'utt2spk',
    { utt2spk: 'a-1 a\na-2 a x\nb-1 b\n' },
    [
      'utt2spk, line 2: need one speaker, found "a x"',
      'utt2spk has no line for c-1',
      'spk2utt, line 1: utt2spk has not a-2 by a',
      'spk2utt, line 3: utt2spk has not c-1 by c',
    ],
  ],
  ['spk2utt', { spk2utt: 'a a-1\nb b-1 a-2\nc c-1\n' }, ['spk2utt, line 2: utt2spk has not a-2 by b']],
];
for (const [what, changes, expected] of wrongKaldi) {
  test(`prepare_corpus names the wrong lines of a Kaldi directory: ${what}`, async () => {
    const source = written({ ...kaldi, ...changes });
    const found = await problemsOf(
      '--corpus',
      'kaldi',
      '--source',
      source,
      '--units',
      'words',
      '--hold-out',
      'utterances',
    );
    for (const text of expected)
      assert.ok(
        found.some((line) => new RegExp(text).test(line)),
        `${text}\n${found.join('\n')}`,
      );
  });
}

test('prepare_corpus reads tables of Common Voice, whatever columns they have', async () => {
  const mp3 = readFileSync('shared/io/testdata/three.mp3');
  const heading = 'client_id\tpath\tsentence_id\tsentence\tup_votes\n';
  const line = (client: string, clip: string, sentence: string) => `${client}\t${clip}\tx\t${sentence}\t2\n`;
  const files = {
    'clips/c_1.mp3': mp3,
    'clips/c_2.mp3': mp3,
    'clips/c_3.mp3': mp3,
    'train.tsv': heading + line('aa', 'c_1.mp3', 'Trois, s’il vous plaît !'),
    'dev.tsv': heading + line('bb', 'c_2.mp3', 'vous'),
    'test.tsv': heading + line('cc', 'c_3.mp3', '"Plaît-il ?"'),
    'reported.tsv': 'sentence\treason\n',
  };
  const clean = { case: 'lower', punctuation: 'remove' };
  const { textOf } = await prepare({ corpus: 'commonvoice', source: written(files), ...clean });
  assert.deepEqual([textOf('train'), textOf('test')], ["c_1 trois s'il vous plaît\n", 'c_3 plaît il\n']);
  const train = [heading, line('aa', 'c_9.mp3', 'Trois'), 'aa\tc_1.mp3\n', line('', 'c_1.mp3', 'vous')].join('');
  const found = await problemsOf(
    '--corpus',
    'commonvoice',
    '--source',
    written({ ...files, 'train.tsv': train, 'dev.tsv': 'a\tb\n' }),
  );
  for (const text of [
    'train.tsv, line 2: there is no clip .*c_9.mp3',
    'train.tsv, line 3: it has 2 fields, the heading 5',
    'train.tsv, line 4: c_1 has no client_id',
    'dev.tsv, line 1: its columns are not those of Common Voice',
  ])
    assert.ok(
      found.some((line) => new RegExp(text).test(line)),
      `${text}\n${found.join('\n')}`,
    );
});

test('prepare_corpus and extract_features take a folder of audio at any rate, mono and stereo, untouched', async () => {
  const recording = (await readFsdd('data/fsdd')).find(
    (r) => r.speaker === 'george' && r.digit === 3 && r.index === 7,
  )!;
  const at = (sampleRateHz: number, channels: number): Int16Array => {
    const samples = createResampler(8000, sampleRateHz)(recording.samples);
    return Int16Array.from({ length: samples.length * channels }, (_, i) => samples[Math.floor(i / channels)]!);
  };
  const files: Record<string, string | Uint8Array> = {
    'mono/at8.wav': wavBytes(at(8000, 1), { sampleRateHz: 8000, channels: 1 }),
    'mono/at16.flac': flacBytes([at(16000, 1)], { sampleRateHz: 16000 }),
    'stereo voices/at44.wav': wavBytes(at(44100, 2), { sampleRateHz: 44100, channels: 2 }),
    'stereo voices/at48.flac': flacBytes([at(48000, 1), at(48000, 1)], { sampleRateHz: 48000 }),
    'at44.mp3': readFileSync('shared/io/testdata/three.mp3'),
    'at16.mp3': readFileSync('shared/io/testdata/three_mono.mp3'),
    'at48.opus': readFileSync('shared/io/testdata/three.opus'),
  };
  const texts = Object.keys(files).map((name) => [name.replace(/\.\w+$/, '.txt'), 'three\n']);
  const source = written({ ...files, ...Object.fromEntries(texts) });
  const more = { corpus: 'folder', holdOut: 'utterances', heldOutShare: 0.1 };
  const { data, report, out } = await prepare({ ...more, source });
  assert.deepEqual(report.sampleRatesHz, { 8000: 1, 16000: 2, 44100: 2, 48000: 2 });
  const all = Object.values(data).flatMap(({ utterances }) => utterances);
  assert.deepEqual(all.map(({ id, speaker }) => `${id} ${speaker}`).sort(), [
    'at16 unknown',
    'at44 unknown',
    'at48 unknown',
    'mono-at16 mono',
    'mono-at8 mono',
    'stereo_voices-at44 stereo_voices',
    'stereo_voices-at48 stereo_voices',
  ]);
  const features = new Map<string, Float32Array>();
  for (const part of Object.keys(data)) {
    const path = fresh();
    await runStage(extract, { data: join(out, part), sampleRate: 8000, jobs: 1, out: path });
    for await (const row of (await openUtterances(path)).rows())
      features.set(row.utterance, row.features as Float32Array);
  }
  const reference = features.get('mono-at8')!;
  for (const id of ['mono-at16', 'stereo_voices-at44', 'stereo_voices-at48', 'at44']) {
    const found = features.get(id)!;
    let difference = 0;
    const common = Math.min(found.length, reference.length);
    for (let i = 0; i < common; i++) difference += Math.abs(found[i]! - reference[i]!) / common;
    // the right channel of the MP3 is half as loud, its mean three quarters: 2 ln 0.75 = −0.58, and what MP3 loses
    assert.ok(difference < (id === 'at44' ? 1.2 : 0.35), `${id}: ${difference}`);
    assert.ok(Math.abs(found.length - reference.length) <= 40, id);
  }
});

test('prepare_corpus names what is wrong with a folder of audio', async () => {
  const source = written({
    'a.wav': wav,
    'a.flac': flac,
    'a.txt': 'a\n',
    'b c.wav': wav,
    'd.txt': 'd',
    'e  f.wav': wav,
    'e  f.txt': 'a',
    'g.wav': wav,
    'g.txt': 'a',
  });
  const found = await problemsOf('--corpus', 'folder', '--source', source, '--hold-out', 'utterances');
  for (const text of [
    'a.wav: it comes to utterance a, as .*a.flac does',
    'b c.wav: there is no transcript .*b c.txt',
    'd.txt: there is no audio beside it',
    'e {2}f.wav" has white space that wav.scp cannot have',
  ])
    assert.ok(
      found.some((line) => new RegExp(text).test(line)),
      `${text}\n${found.join('\n')}`,
    );
});

const sentences = Object.fromEntries(
  ['a', 'b', 'c'].flatMap((name) => [
    [`${name}.wav`, wav],
    [`${name}.txt`, 'Read the cat\n'],
  ]),
);
const lexicon = 'READ  R EH1 D\nREAD(2)  R IY1 D\nTHE  DH AH0\nCAT  K AE1 T\n';

test('prepare_corpus spells words by a lexicon, for frames or transcripts of phones', async () => {
  const source = written({ ...sentences, 'lexicon.dict': lexicon });
  const own = {
    corpus: 'folder',
    source,
    holdOut: 'utterances',
    units: 'lexicon',
    lexicon: join(source, 'lexicon.dict'),
  };
  const frames = await prepare({ ...own, objective: 'frame', case: 'upper', stripStress: true });
  assert.deepEqual(frames.data.dev!.tokens.symbols.slice(0, 5), ['sil', 'AE_1', 'AE_2', 'AH_1', 'AH_2']);
  assert.match(readFileSync(join(frames.out, 'dev/lexicon.txt'), 'utf8'), /^READ R_1 R_2 EH_1 .*\nREAD R_1 R_2 IY_1/m);
  const phones = await prepare({ ...own, text: 'units', case: 'upper' });
  assert.match(phones.textOf('dev'), /^\w R EH1 D DH AH0 K AE1 T\n$/);
  assert.match(readFileSync(join(phones.out, 'lm.arpa'), 'utf8'), /^\\data\\\nngram 1=11\n/);
  const found = await problemsOf(
    ...['--corpus', 'folder', '--source', source, '--hold-out', 'utterances'],
    ...['--units', 'lexicon', '--lexicon', own.lexicon],
  );
  assert.equal(found.length, 9);
  assert.match(found[0]!, /[abc].txt, line 1: "Read" is not in .*lexicon.dict/);
});

test('prepare_corpus spells words by the pieces of a tokenizer', async () => {
  const source = written({ ...sentences, 'a.txt': 'that mother', 'b.txt': 'the', 'c.txt': 'the' });
  const tokenizer = 'shared/io/testdata/pieces/bpe.json';
  const own = { corpus: 'folder', source, holdOut: 'utterances', units: 'pieces', tokenizer };
  const { data, out } = await prepare(own);
  assert.equal(data.train!.tokens.symbols[0], '<blk>');
  const lines = ['train', 'dev', 'test'].map((part) => readFileSync(join(out, part, 'lexicon.txt'), 'utf8')).join('');
  assert.match(lines, /^mother ▁ m o ther$/m);
});

for (const [argv, why] of [
  [['--units', 'lexicon'], /--units lexicon needs --lexicon FILE/],
  [['--tokenizer', 'package.json'], /--tokenizer belongs to --units pieces/],
  [['--states', '2'], /--states belongs to --objective frame/],
  [['--units', 'states'], /--units states belongs to fsdd and speechocean762/],
  [['--units', 'words', '--alphabet', 'abc'], /--alphabet belongs to --units characters/],
  [['--strip-stress'], /--strip-stress belongs to --units lexicon/],
  [['--units', 'words', '--lexicon', 'package.json'], /--lexicon belongs to --units lexicon, not to words/],
  [['--rotation', '1'], /--rotation belongs to --corpus fsdd/],
  [['--units', 'pieces', '--objective', 'frame', '--tokenizer', 'package.json'], /--units pieces are no sounds/],
] as const) {
  test(`prepare_corpus refuses ${argv.join(' ')} of speech of one's own`, async () => {
    const { code, stderr } = await call(stage, ['--corpus', 'folder', '--source', 'shared', '--out', fresh(), ...argv]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, why);
  });
}

test('prepare_corpus --transcribed puts the transcripts of some training utterances away', async () => {
  const speakers = Array.from({ length: 12 }, (_, i) => String(i + 1));
  const source = librispeech({ 'train-a': speakers, 'dev-a': ['84'], 'test-a': ['367'] });
  const { data } = await prepare({ corpus: 'librispeech', source, transcribed: 0.5 });
  assert.equal(data.train!.utterances.length + data.untranscribed!.utterances.length, 48);
  assert.ok(data.untranscribed!.utterances.every(({ id }) => data.untranscribed!.wordsOf(id) === undefined));
});
