import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { stage } from './score.ts';
import { call, writeStageFolder, writeTinyData } from './testdata/tiny_corpus.ts';

const folder = temporaryFolder();
const data = writeTinyData(join(folder, 'data'));

function writeHypotheses(name: string, text: string): string {
  const fill = (out: { writeText(name: string, text: string): void }) => out.writeText('hypotheses.txt', text);
  return writeStageFolder(join(folder, name), { id: name, stage: 'decode' }, fill);
}

test('score counts errors per utterance, per speaker and in all, and carries its labels', async () => {
  const hypotheses = writeHypotheses('some', 's1-a one\ns1-b one two\ns2-a one two\n');
  const out = join(folder, 'score');
  const report = await runStage(stage, { data, hypotheses, arm: 'hard', seed: 3, size: 'small', out });
  const { arm, seed, size } = report.options;
  const { utterances, words, insertions, deletions, substitutions, errors } = report;
  assert.deepEqual({ arm, seed, size }, { arm: 'hard', seed: 3, size: 'small' });
  assert.deepEqual(
    { utterances, words, insertions, deletions, substitutions, errors },
    { utterances: 3, words: 5, insertions: 1, deletions: 1, substitutions: 1, errors: 3 },
  );
  assert.equal(report.wer, 3 / 5);
  assert.equal(report.sentenceErrorRate, 1);
  assert.equal(readFileSync(join(out, 'utterances.tsv'), 'utf8'), 's1-a\ts1\tCD\ns1-b\ts1\tIC\ns2-a\ts2\tCS\n');
  const speakers = report.speakers as { speaker: string; wer: number }[];
  assert.deepEqual(
    speakers.map(({ speaker, wer }) => [speaker, wer]),
    [
      ['s1', 2 / 3],
      ['s2', 1 / 2],
    ],
  );
});

test('score takes an utterance without a recognised word', async () => {
  const hypotheses = writeHypotheses('silent', 's1-a one two\ns1-b\ns2-a one one\n');
  const report = await runStage(stage, { data, hypotheses, out: join(folder, 'score-silent') });
  assert.equal(report.deletions, 1);
  assert.equal(report.sentenceErrorRate, 1 / 3);
});

test('score takes words that are not in the lexicon for errors, each for itself', async () => {
  const hypotheses = writeHypotheses('unknown', '\ufeffs1-a one\u00a0neun \r\n\n  s1-b\ttwo\r\ns2-a neun zehn one');
  const report = await runStage(stage, { data, hypotheses, out: join(folder, 'score-unknown') });
  const { words, insertions, deletions, substitutions } = report;
  assert.deepEqual([words, insertions, deletions, substitutions], [5, 1, 0, 2]);
});

/** Files of transcripts, scored against each other. */
async function scoreFiles(
  name: string,
  said: string,
  heard: string,
  more: Record<string, unknown> = {},
  endings = ['trn', 'trn'],
) {
  const [data, hypotheses] = [`${name}-said.${endings[0]}`, `${name}-heard.${endings[1]}`].map((file) =>
    join(folder, file),
  ) as [string, string];
  writeFileSync(data, said);
  writeFileSync(hypotheses, heard);
  const out = join(folder, `score-${name}`);
  const report = await runStage(stage, { data, hypotheses, out, ...more });
  return { report, out, text: (file: string) => readFileSync(join(out, file), 'utf8') };
}

const counts = ({ words, insertions, deletions, substitutions }: Record<string, unknown>) => [
  ...[words, insertions, deletions, substitutions],
];

test('score takes transcripts of other toolkits, with speakers in the names of utterances', async () => {
  const text = 's1-a one two\ns1-b two\ns2_a one one\n';
  const trn = 'two (s1-b)\none two (s1-a)\none (s2_a)\n';
  const { report } = await scoreFiles('kaldi-trn', text, trn, {}, ['txt', 'trn']);
  assert.deepEqual(counts(report), [5, 0, 1, 0]);
  assert.deepEqual(
    (report.speakers as { speaker: string; words: number }[]).map(({ speaker, words }) => [speaker, words]),
    [
      ['s1', 3],
      ['s2', 2],
    ],
  );
  const ctm = 's1-a 1 0.5 0.1 two 0.9\ns1-a 1 0.1 0.1 one 0.9\ns1-b 1 0 0.1 two\n';
  const ofCtm = await scoreFiles('kaldi-ctm', text, ctm, {}, ['txt', 'ctm']);
  assert.deepEqual(counts(ofCtm.report), [5, 0, 2, 0]); // of s2_a nothing was heard
});

test('score takes speakers from a file', async () => {
  const speakers = join(folder, 'utt2spk');
  writeFileSync(speakers, 'u1 ann\nu2 bob\n');
  const { report } = await scoreFiles('speakers', 'a (u1)\nb (u2)\n', 'a (u1)\nb (u2)\n', { speakers });
  assert.deepEqual(
    (report.speakers as { speaker: string }[]).map(({ speaker }) => speaker),
    ['ann', 'bob'],
  );
  await assert.rejects(scoreFiles('speakerless', 'a (u3)\n', 'a (u3)\n', { speakers }), /has no speaker for it/);
});

test('score normalises both sides by the rules asked for, and says how many words each changed', async () => {
  const map = join(folder, 'map.glm');
  writeFileSync(map, ';; spellings\ncan not => cannot\nok => okay\n');
  const said = 'I can not come, uh, at 21. (s1-u1)\nOK (s1-u2)\n';
  const heard = 'i cannot come at twenty-one (s1-u1)\nokay (s1-u2)\n';
  const plain = await scoreFiles('plain', said, heard);
  assert.deepEqual(counts(plain.report), [8, 0, 2, 5]);
  assert.equal(plain.report.normalisation, undefined);
  const normalise = ['hesitations', 'case', 'punctuation', 'numbers'];
  const { report, text } = await scoreFiles('normalised', said, heard, { normalise, map });
  assert.deepEqual(counts(report), [7, 0, 0, 0]);
  assert.deepEqual(report.normalisation, [
    { name: 'case', wordsChanged: { reference: 2, hypotheses: 0 } },
    { name: 'numbers', wordsChanged: { reference: 1, hypotheses: 0 } },
    { name: 'punctuation', wordsChanged: { reference: 3, hypotheses: 1 } },
    { name: 'hesitations', wordsChanged: { reference: 1, hypotheses: 0 } },
    { name: 'map', wordsChanged: { reference: 3, hypotheses: 0 } },
  ]);
  assert.match(text('tables.md'), /\nmap: changed 3 words of the reference, 0 of the hypotheses\.\n/);
});

test('score takes canonically equivalent spellings for the same word', async () => {
  const { report } = await scoreFiles('nfc', 'caf\u00e9 (s-1)\n', 'cafe\u0301 (s-1)\n');
  assert.deepEqual(counts(report), [1, 0, 0, 0]);
  assert.deepEqual(report.normalisation, [{ name: 'nfc', wordsChanged: { reference: 0, hypotheses: 1 } }]);
});

test('score counts characters as readers do', async () => {
  const { report } = await scoreFiles('characters', 'นี้ 🇩🇪a (s-1)\n', 'นี 🇩🇪b c (s-1)\n', { unit: 'character' });
  assert.deepEqual(counts(report), [3, 1, 0, 2]);
  assert.equal(report.cer, 1);
  assert.equal(report.wer, undefined);
  assert.deepEqual(report.unicode, { icu: process.versions.icu, unicode: process.versions.unicode });
});

test('score calls the rate what the words are said to be', async () => {
  const { report } = await scoreFiles('words-are-phones', 'a b (s-1)\n', 'a (s-1)\n', { wordsAre: 'phone' });
  assert.deepEqual([report.rate, report.per, report.wer], ['per', 0.5, undefined]);
  await assert.rejects(scoreFiles('both', 'a (s-1)\n', 'a (s-1)\n', { unit: 'character', wordsAre: 'phone' }), {
    exitCode: 2,
  });
});

test('score counts phones of a lexicon, that of the data directory or another', async () => {
  const hypotheses = writeHypotheses('phones', 's1-a one one\ns1-b two\ns2-a one one\n');
  const report = await runStage(stage, { data, hypotheses, unit: 'phone', out: join(folder, 'score-phones') });
  assert.deepEqual(counts(report), [10, 0, 0, 2]);
  assert.equal(report.per, 0.2);
  const lexicon = join(folder, 'phones.txt');
  writeFileSync(lexicon, 'cat k ae t\ncat k a t\nhat hh ae t\n');
  const more = { unit: 'phone', lexicon };
  const ofFile = await scoreFiles('lexicon', 'cat hat (s-1)\n', 'hat dog (s-1)\n', more);
  assert.deepEqual(counts(ofFile.report), [6, 1, 3, 0]); // a word without pronunciation is one phone of its own
  await assert.rejects(scoreFiles('unspoken', 'dog (s-1)\n', 'hat (s-1)\n', more), {
    exitCode: 3,
    message: /Cannot score s-1: "dog" has no pronunciation in .*phones\.txt; add it/,
  });
});

test('score shows alignments and confusions, by length too', async () => {
  const said = 'a b c (s1-u1)\na b c d e (s1-u2)\n(s2-u3)\n';
  const heard = 'a x c (s1-u1)\na x c e (s1-u2)\ny (s2-u3)\n';
  const { report, text } = await scoreFiles('alignments', said, heard, { alignments: true });
  const confusions = {
    substitutions: [{ reference: 'b', hypothesis: 'x', count: 2 }],
    insertions: [{ word: 'y', count: 1 }],
  };
  assert.deepEqual(report.confusions, { ...confusions, deletions: [{ word: 'd', count: 1 }] });
  assert.deepEqual(
    (report.lengths as { ofWords: number; utterances: number; wer: number | null }[]).map(
      ({ ofWords, utterances, wer }) => [...[ofWords, utterances, wer]],
    ),
    [
      [0, 1, null],
      [4, 1, 1 / 3],
      [8, 1, 2 / 5],
    ],
  );
  assert.match(text('alignments.txt'), /id: \(s1-u1\)\nScores: .* 2 1 0 0\nREF: {2}a b c\nHYP: {2}a x c\nEval: {3}S\n/);
  assert.equal(text('confusions.tsv'), 'S\t2\tb\tx\nI\t1\t\ty\nD\t1\td\t\n');
  assert.match(text('tables.md'), /\| 3–4 +\| +1 \| +3 \| +66\.67 \|/);
  assert.match(text('tables.md'), /## Taken for others\n\n\| count \| said \| heard \|/);
});

const wrongLines = [
  {
    name: 'a line without its utterance',
    heard: 'a\n',
    message: /heard\.trn, line 1: "a" does not end with its utterance/,
  },
  { name: 'no transcript at all', heard: '\n', message: /it has no transcript/ },
  {
    name: 'a map that cannot be read',
    heard: 'a (u1)\n',
    map: 'a b\n',
    message: /line 1: "a b" is not "words => words"/,
  },
];
for (const [i, { name, heard, map, message }] of wrongLines.entries()) {
  test(`score exits 3 for ${name}`, async () => {
    const file = join(folder, `wrong-${i}.glm`);
    if (map) writeFileSync(file, map);
    const given = scoreFiles(`wrong-${i}`, 'a (u1)\n', heard, map ? { map: file } : {});
    await assert.rejects(given, { exitCode: 3, message });
  });
}

test('score exits 2 for options that do not go together', async () => {
  const speakers = join(folder, 'utt2spk');
  const hypotheses = writeHypotheses('options', 's1-a one\n');
  const given = ['--data', data, '--hypotheses', hypotheses, '--out', join(folder, 'out-options')];
  const { code, stderr } = await call(stage, [...given, '--speakers', speakers]);
  assert.deepEqual([code, /--speakers is for a file of transcripts/.test(stderr)], [2, true]);
  await assert.rejects(scoreFiles('phoneless', 'a (u1)\n', 'a (u1)\n', { unit: 'phone' }), { exitCode: 2 });
});

const faults = [
  {
    name: 'missing utterances',
    text: 's1-a one\n',
    message: /2 of 3 utterances have no hypothesis, first: s1-b, s2-a/,
  },
  {
    name: 'extra utterances',
    text: 's1-a one\ns1-b\ns2-a\ns3-a one\n',
    message: /1 of 4 utterances have no transcript, first: s3-a/,
  },
  {
    name: 'an utterance twice, an empty line before it',
    text: 's1-a one\n\ns1-b\ns1-a\n',
    message: /hypotheses\.txt:4: utterance "s1-a" is there twice/,
  },
  {
    name: 'an utterance twice',
    text: 's1-a one\ns1-a two\n',
    message: /hypotheses\.txt:2: utterance "s1-a" is there twice/,
  },
];
for (const [i, { name, text, message }] of faults.entries()) {
  test(`score exits 3 for ${name}`, async () => {
    const hypotheses = writeHypotheses(`fault-${i}`, text);
    const { code, stderr } = await call(stage, [
      '--data',
      data,
      '--hypotheses',
      hypotheses,
      '--out',
      join(folder, `out-${i}`),
    ]);
    assert.equal(code, 3);
    assert.match(stderr, message);
  });
}
