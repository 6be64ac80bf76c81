import assert from 'node:assert/strict';
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
  assert.deepEqual(report.perUtterance, [
    { utterance: 's1-a', speaker: 's1', words: 2, insertions: 0, deletions: 1, substitutions: 0 },
    { utterance: 's1-b', speaker: 's1', words: 1, insertions: 1, deletions: 0, substitutions: 0 },
    { utterance: 's2-a', speaker: 's2', words: 2, insertions: 0, deletions: 0, substitutions: 1 },
  ]);
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
