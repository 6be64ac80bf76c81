import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { before, test } from 'node:test';
import { openAudio } from '../shared/io/audio.ts';
import { type DataDirectory, readDataDirectory } from '../shared/io/data_directory.ts';
import { type DigitRecording, readFsdd, sampleRateHz } from '../shared/io/fsdd.ts';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { power } from '../shared/math/noise.ts';
import { stage } from './prepare_corpus.ts';
import { call } from './testdata/tiny_corpus.ts';

const source = 'data/fsdd';
const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const words = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const speakers = ['george', 'jackson', 'lucas', 'nicolas', 'theo', 'yweweler'];
const splits = ['test', 'dev', 'train', 'untranscribed'];

/** The embedded corpus with some of its digits only. */
function smallSource(): string {
  const path = at('source');
  mkdirSync(path);
  for (const speaker of speakers) symlinkSync(resolve(source, `${speaker}.flac`), join(path, `${speaker}.flac`));
  const [head, ...lines] = readFileSync(join(source, 'index.tsv'), 'utf8').trimEnd().split('\n');
  const kept = lines.filter((line) => Number(line.split('\t')[1]) < 2);
  writeFileSync(join(path, 'index.tsv'), `${[head, ...kept].join('\n')}\n`);
  return path;
}

/** Digests of the files of a split, wave files and texts. */
const filesOf = (report: { files: Record<string, { sha256: string }> }, split: string, speaker = ''): string[] =>
  Object.entries(report.files)
    .filter(([name]) => name.startsWith(`${split}/`) && name.includes(speaker))
    .map(([name, { sha256 }]) => `${name} ${sha256}`);

interface Run {
  report: Awaited<ReturnType<typeof runStage>>;
  data: Record<string, DataDirectory>;
}
async function prepare(name: string, options: Record<string, unknown>): Promise<Run> {
  const report = await runStage(stage, { ...options, out: at(name) });
  return { report, data: Object.fromEntries(splits.map((split) => [split, readDataDirectory(at(name, split))])) };
}

let recordings: DigitRecording[];
let full: Run;
let seen: Run;
let unseen: Run;
before(async () => {
  recordings = await readFsdd(source);
  full = await prepare('full', { source });
  const small = smallSource();
  seen = await prepare('seen', { source: small });
  unseen = await prepare('unseen', { source: small, protocol: 'unseen', rotation: 5 });
});

test('readFsdd() has 50 recordings of each digit by each speaker', () => {
  const names = new Set(recordings.map(({ speaker, digit, index }) => `${speaker} ${digit} ${index}`));
  assert.equal(names.size, 6 * 10 * 50);
  assert.ok(recordings.every(({ index, samples }) => index >= 0 && index < 50 && power(samples) > 0));
});

test('prepare_corpus counts its utterances, words and seconds', () => {
  const counts = full.report.splits as Record<string, { utterances: number; words: number; seconds: number }>;
  assert.deepEqual(
    splits.map((split) => counts[split]!.words),
    [1500, 900, 2160, 2040],
  );
  for (const split of splits) {
    const { utterances } = full.data[split]!;
    assert.equal(utterances.length, counts[split]!.utterances);
    const seconds = utterances.reduce((sum, { startSeconds, endSeconds }) => sum + endSeconds! - startSeconds!, 0);
    assert.ok(Math.abs(seconds - counts[split]!.seconds) < 1e-6);
  }
});

test('prepare_corpus says 3 to 7 words in an utterance, and none where they are not to be known', () => {
  for (const split of ['test', 'dev', 'train']) {
    const { utterances, wordsOf } = full.data[split]!;
    const lengths = utterances.map(({ id }) => wordsOf(id)!.length);
    assert.deepEqual([...new Set(lengths)].sort(), [3, 4, 5, 6, 7]);
  }
  const { utterances, ctm, wordsOf } = full.data.untranscribed!;
  assert.ok(utterances.every(({ id }) => wordsOf(id) === undefined));
  assert.equal(ctm, undefined);
});

test('prepare_corpus --transcribed leaves the audio of digits as it is, and puts transcripts away', async () => {
  const out = at('third');
  const report = await runStage(stage, { source: 'data/fsdd', transcribed: 0.3, out });
  const [train, untranscribed] = ['train', 'untranscribed'].map((split) => readDataDirectory(join(out, split)));
  const share = train!.utterances.length / full.data.train!.utterances.length;
  assert.ok(share > 0.2 && share < 0.4, `${share}`);
  const ids = (data: DataDirectory) => data.utterances.map(({ id }) => id);
  assert.deepEqual(
    [...ids(train!), ...ids(untranscribed!)].sort(),
    [...ids(full.data.train!), ...ids(full.data.untranscribed!)].sort(),
  );
  assert.ok(untranscribed!.utterances.every(({ id }) => untranscribed!.wordsOf(id) === undefined));
  const seconds = (splits: unknown) =>
    Object.values(splits as Record<string, { seconds: number }>).reduce((sum, { seconds }) => sum + seconds, 0);
  assert.ok(Math.abs(seconds(report.splits) - seconds(full.report.splits)) < 1e-6);
  await assert.rejects(
    runStage(stage, { source: 'data/fsdd', transcribed: 1e-9, out: at('none') }),
    /--transcribed 1e-9 leaves no utterance of \d+ a transcript: raise it/,
  );
});

// recordings of a speaker can be told by their digit and length
for (const [split, copies, first, last] of [
  ['test', 5, 0, 4],
  ['dev', 3, 5, 9],
  ['train', 6, 10, 15],
] as const) {
  test(`prepare_corpus uses recordings ${first} to ${last} ${copies} times each, and no others, for ${split}`, () => {
    const { utterances, ctm } = full.data[split]!;
    const found = utterances.flatMap(({ id, speaker }) =>
      ctm!
        .get(id)!
        .map(({ word, durationSeconds }) => `${speaker} ${word} ${Math.round(durationSeconds * sampleRateHz)}`),
    );
    const expected = recordings
      .filter(({ index }) => index >= first && index <= last)
      .flatMap(({ speaker, digit, samples }) => Array(copies).fill(`${speaker} ${words[digit]} ${samples.length}`));
    assert.deepEqual(found.sort(), expected.sort());
  });
}

test('prepare_corpus puts digits where ctm has them, in noise as loud as utt2noise has it', async () => {
  const { utterances, ctm, path } = full.data.test!;
  const noises = new Map(
    readFileSync(join(path, 'utt2noise'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => [line.split(' ')[0], line.split(' ').slice(1)] as const),
  );
  assert.deepEqual([...new Set([...noises.values()].map(([kind]) => kind))].sort(), [
    'babble',
    'brown',
    'pink',
    'white',
  ]);
  assert.deepEqual(
    [...new Set([...noises.values()].map(([, snr]) => Number(snr)))].sort((a, b) => a - b),
    [0, 5, 10, 15, 20],
  );
  let checked = 0;
  for (const { id, speaker, audio: file, startSeconds, endSeconds } of utterances.filter((_, i) => i % 8 === 0)) {
    const audio = await openAudio(file);
    const [start, end] = [startSeconds!, endSeconds!].map((seconds) => Math.round(seconds * sampleRateHz));
    const mixed = audio.read(start!, end! - start!);
    audio.close();
    if (mixed.some((sample) => Math.abs(sample) >= 32000)) continue; // turned down
    let [energy, spoken] = [0, 0];
    for (const { word, startSeconds, durationSeconds } of ctm!.get(id)!) {
      const [first, count] = [startSeconds, durationSeconds].map((seconds) => Math.round(seconds * sampleRateHz));
      const { samples } = recordings.find(
        (r) => r.speaker === speaker && words[r.digit] === word && r.samples.length === count && r.index < 5,
      )!;
      for (let i = 0; i < count!; i++) mixed[first! + i]! -= samples[i]!;
      energy += power(samples) * count!;
      spoken += count!;
    }
    const snrDb = 10 * Math.log10(energy / spoken / power(mixed)); // what is left of the mixture is noise
    assert.ok(Math.abs(snrDb - Number(noises.get(id)![1])) < 0.05, `${id}: ${snrDb} dB, not ${noises.get(id)}`);
    checked++;
  }
  assert.ok(checked > 20, `${checked} utterances were checked`);
});

test('prepare_corpus leaves 50 to 250 ms at either end, and up to 200 ms between digits', () => {
  const { utterances, ctm } = full.data.train!;
  for (const { id, startSeconds, endSeconds } of utterances) {
    const times = ctm!.get(id)!;
    const ends = times.map(({ startSeconds, durationSeconds }) => startSeconds + durationSeconds);
    const edges = [times[0]!.startSeconds, endSeconds! - startSeconds! - ends.at(-1)!];
    assert.ok(
      edges.every((seconds) => seconds > 0.0499 && seconds < 0.2501),
      `${id}: ${edges}`,
    );
    const gaps = times.slice(1).map(({ startSeconds }, i) => startSeconds - ends[i]!);
    assert.ok(
      gaps.every((seconds) => seconds > -1e-4 && seconds < 0.2001),
      `${id}: ${gaps}`,
    );
  }
});

test('prepare_corpus writes the same bytes for the same seed, and others for another', async () => {
  const again = await prepare('again', { source: at('source') });
  const other = await prepare('other', { source: at('source'), seed: 1 });
  for (const split of splits) assert.deepEqual(filesOf(again.report, split), filesOf(seen.report, split));
  for (const speaker of speakers) {
    assert.notDeepEqual(
      filesOf(other.report, 'test', `wav/${speaker}`),
      filesOf(seen.report, 'test', `wav/${speaker}`),
    );
  }
});

test('prepare_corpus with unseen speakers has one for the test, one for dev, and the others for training', () => {
  const speakersOf = (split: string) => [...new Set(unseen.data[split]!.utterances.map(({ speaker }) => speaker))];
  assert.deepEqual(speakersOf('test'), ['yweweler']);
  assert.deepEqual(speakersOf('dev'), ['george']);
  assert.deepEqual(speakersOf('train'), ['jackson', 'lucas', 'nicolas', 'theo']);
  assert.deepEqual(speakersOf('untranscribed'), speakersOf('train'));
  assert.equal((unseen.report.splits as Record<string, { words: number }>).dev!.words, 2 * 11 * 3);
});

test('prepare_corpus with unseen speakers has the test utterances of seen ones, bit for bit', () => {
  const own = filesOf(unseen.report, 'test', 'wav/');
  assert.equal(own.length, 1);
  assert.deepEqual(own, filesOf(seen.report, 'test', 'wav/yweweler'));
  const linesOf = (out: string, name: string) => readFileSync(at(out, 'test', name), 'utf8').split('\n');
  for (const name of ['text', 'ctm', 'segments', 'utt2spk', 'utt2noise']) {
    const filtered = linesOf('seen', name).filter((line) => line === '' || line.startsWith('yweweler'));
    assert.deepEqual(linesOf('unseen', name), filtered);
  }
});

test('prepare_corpus with unseen speakers has the training utterances of seen ones, but for who babbles', async () => {
  const speaker = 'theo';
  const [a, b] = await Promise.all(['seen', 'unseen'].map((out) => openAudio(at(out, 'train/wav', `${speaker}.wav`))));
  const babbled = new Set(
    readFileSync(at('seen/train/utt2noise'), 'utf8')
      .split('\n')
      .filter((line) => line.includes(' babble '))
      .map((line) => line.split(' ')[0]),
  );
  const utterances = seen.data.train!.utterances.filter((utterance) => utterance.speaker === speaker);
  assert.deepEqual(
    unseen.data
      .train!.utterances.filter((utterance) => utterance.speaker === speaker)
      .map(({ id }) => unseen.data.train!.wordsOf(id)),
    utterances.map(({ id }) => seen.data.train!.wordsOf(id)),
  );
  for (const { id, startSeconds, endSeconds } of utterances) {
    const [start, end] = [startSeconds!, endSeconds!].map((seconds) => Math.round(seconds * sampleRateHz));
    const [x, y] = [a!, b!].map((audio) => Buffer.from(audio.read(start!, end! - start!).buffer));
    assert.equal(x!.equals(y!), !babbled.has(id), id);
  }
  for (const audio of [a, b]) audio!.close();
});

test('prepare_corpus refuses a damaged source and a rotation that is not there', async () => {
  const damaged = smallSourceWith('speaker\tdigit\tindex\tfirst_sample\tsamples\ngeorge\t0\t0\t999999999\t100\n');
  const wrongIndex = await call(stage, ['--source', damaged, '--out', at('out-1')]);
  assert.equal(wrongIndex.code, 3);
  assert.match(
    wrongIndex.stderr,
    /index.tsv: line 2 names samples that george.flac does not have; copy data\/fsdd again/,
  );
  const noSource = await call(stage, ['--source', at('nothing'), '--out', at('out-2')]);
  assert.equal(noSource.code, 3);
  assert.match(noSource.stderr, /nothing/);
  const rotation = await call(stage, [
    '--source',
    source,
    '--protocol',
    'unseen',
    '--rotation',
    '6',
    '--out',
    at('out-3'),
  ]);
  assert.equal(rotation.code, 2);
  assert.match(rotation.stderr, /--rotation 6 is out of range/);
  const seen = await call(stage, ['--source', source, '--rotation', '1', '--out', at('out-4')]);
  assert.equal(seen.code, 2);
  assert.match(seen.stderr, /--rotation belongs to --protocol unseen: leave it out/);
});

test('prepare_corpus makes data directories of the adults of speechocean762, phones without stress as words', async () => {
  const source = writeSpeechocean('speechocean', {});
  const out = at('speechocean-data');
  const report = await runStage(stage, { corpus: 'speechocean762', source, out });
  assert.deepEqual(report.splits, {
    train: { utterances: 8, speakers: 8, words: 24 },
    dev: { utterances: 1, speakers: 1, words: 3 },
    test: { utterances: 9, speakers: 9, words: 27 },
  });
  const train = readDataDirectory(join(out, 'train'));
  assert.deepEqual(
    train.utterances.map(({ speaker }) => speaker),
    ['0', '1', '2', '3', '5', '6', '7', '8'].map((i) => `train${i}`),
  );
  assert.deepEqual(
    [...train.wordsOf('train0-a')!].map((word) => train.lexicon.words[word]),
    ['AH', 'K', 'IY'],
  );
  assert.equal(resolve(train.utterances[0]!.audio), resolve(source, 'audio/train0-a.opus'));
  assert.deepEqual(train.tokens.symbols, ['sil', 'AH_1', 'AH_2', 'IY_1', 'IY_2', 'K_1', 'K_2']);
  const dev = readDataDirectory(join(out, 'dev'));
  assert.deepEqual(
    dev.utterances.map(({ speaker }) => speaker),
    ['train4'],
  );
});

test('prepare_corpus --transcribed puts the transcripts of some training utterances away', async () => {
  const source = writeSpeechocean('speechocean-part', {});
  const out = at('speechocean-part-data');
  await runStage(stage, { corpus: 'speechocean762', source, out, transcribed: 0.5, states: 1 });
  const [train, untranscribed] = ['train', 'untranscribed'].map((split) => readDataDirectory(join(out, split)));
  assert.equal(train!.utterances.length + untranscribed!.utterances.length, 8);
  for (const { data, said } of [
    { data: train!, said: true },
    { data: untranscribed!, said: false },
  ])
    assert.ok(data.utterances.every(({ id }) => (data.wordsOf(id) !== undefined) === said));
  assert.deepEqual(train!.tokens.symbols, ['sil', 'AH', 'IY', 'K']);
});

const damages: [string, Record<string, string>, RegExp][] = [
  [
    'an utterance without phones',
    { 'resource/text-phone': 'other.0\tK_S\n' },
    /utterance test0-a, but not its resource\/text-phone|train0-a/,
  ],
  [
    'phones that are none',
    { 'resource/text-phone': 'train0-a.0\t12\n' },
    /text-phone, line 1: it is not "utterance.word/,
  ],
  ['no ages', { 'train/spk2age': 'nobody 20\n' }, /train0-a, but not its train\/spk2age/],
];
for (const [what, files, why] of damages) {
  test(`prepare_corpus refuses speechocean762 with ${what}`, async () => {
    const source = writeSpeechocean(`speechocean ${what}`, files);
    const args = ['--corpus', 'speechocean762', '--source', source, '--out', at(`out ${what}`)];
    const { code, stderr } = await call(stage, args);
    assert.equal(code, 3);
    assert.match(stderr, why);
  });
}

for (const [argv, why] of [
  [
    ['--states', '3'],
    /--states belongs to --corpus speechocean762, librispeech, kaldi, commonvoice, folder, not to fsdd/,
  ],
  [['--train', 'clean'], /--train belongs to --corpus librispeech, kaldi, commonvoice, folder, not to fsdd/],
  [['--case', 'lower'], /--case belongs to --corpus librispeech/],
  [['--punctuation', 'remove'], /--punctuation belongs to --corpus librispeech/],
  [['--strip-stress'], /--strip-stress belongs to --corpus librispeech/],
  [['--protocol', 'seen', '--rotation', '0'], /--rotation belongs to --protocol unseen, not to seen: leave it out/],
  [['--corpus', 'speechocean762', '--protocol', 'seen'], /--protocol belongs to --corpus fsdd, not to speechocean762/],
] as const) {
  test(`prepare_corpus refuses ${argv.join(' ')}, which it would not read`, async () => {
    const { code, stderr } = await call(stage, ['--source', source, ...argv, '--out', at('out-5')]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, why);
  });
}

test('prepare_corpus --units words has a token a word and a blank; audio and texts are the same', async () => {
  const { report, data } = await prepare('words', { source: at('source'), units: 'words' });
  const { tokens, lexicon } = data.train!;
  assert.deepEqual(tokens.symbols, ['<blk>', ...words]);
  assert.deepEqual(
    lexicon.pronunciations.map(({ word, tokens }) => [word, ...tokens]),
    words.map((_, i) => [i, i + 1]),
  );
  const language = ['tokens.txt', 'lexicon.txt'];
  const others = (files: string[]) => files.filter((line) => !language.some((name) => line.includes(name)));
  for (const split of splits) {
    const [ours, theirs] = [filesOf(report, split), filesOf(seen.report, split)];
    assert.deepEqual(others(ours), others(theirs));
    assert.notDeepEqual(ours, theirs);
  }
});

test('prepare_corpus --units words takes whole phones of speechocean762, and no states', async () => {
  const args = { corpus: 'speechocean762', source: writeSpeechocean('speechocean words', {}), units: 'words' };
  await runStage(stage, { ...args, out: at('phones') });
  assert.equal(readFileSync(at('phones', 'dev', 'tokens.txt'), 'utf8'), '<blk> 0\nAH 1\nIY 2\nK 3\n');
  await assert.rejects(runStage(stage, { ...args, states: 2, out: at('out-6') }), /--states belongs to --units states/);
});

/** Ten speakers in each half, one utterance each; the last is a child. */
function writeSpeechocean(name: string, files: Record<string, string>): string {
  const path = at(name);
  const speakers = ['train', 'test'].flatMap((split) =>
    Array.from({ length: 10 }, (_, i) => ({ split, id: `${split}${i}`, age: i === 9 ? 9 : 20 + i })),
  );
  const content: Record<string, string> = {
    'resource/text-phone': speakers.map(({ id }) => `${id}-a.0\tAH0_S\n${id}-a.1\tK_B IY1_E\n`).join(''),
  };
  for (const { split, id, age } of speakers) {
    const add = (file: string, line: string): void => {
      content[`${split}/${file}`] = `${content[`${split}/${file}`] ?? ''}${line}\n`;
    };
    add('wav.scp', `${id}-a\taudio/${id}-a.opus`);
    add('utt2spk', `${id}-a\t${id}`);
    add('spk2age', `${id}\t${age}`);
    content[`audio/${id}-a.opus`] = '';
  }
  for (const [file, text] of Object.entries({ ...content, ...files })) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}

function smallSourceWith(index: string): string {
  const path = at('damaged');
  mkdirSync(path);
  symlinkSync(resolve(source, 'george.flac'), join(path, 'george.flac'));
  writeFileSync(join(path, 'index.tsv'), index);
  return path;
}
