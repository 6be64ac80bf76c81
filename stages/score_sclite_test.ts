/** Scores and their statistics beside those of NIST's SCTK: sclite and sc_stats, as Debian packs them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { matchedPairs } from '../shared/math/matched_pairs.ts';
import { createRandom, type Random } from '../shared/math/random.ts';
import { signTest } from '../shared/math/sign_test.ts';
import { parseScoredUtterances } from '../shared/report/scored_utterances.ts';
import { stage } from './score.ts';

const folder = temporaryFolder();
const isThere = spawnSync('sctk', ['help']).error === undefined;
const skip = !isThere && !process.env.CI && 'sctk is not installed (Debian: apt-get install sctk)';

function sctk(argv: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('sctk', argv, { encoding: 'utf8', input, maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr);
  return stdout;
}

interface Pair {
  reference: string[];
  hypothesis: string[];
}

/** Unlike sequences of few words, where ties abound. */
function randomPair(random: Random): Pair {
  const words = 2 + random.integer(8);
  const sentence = () => Array.from({ length: random.integer(16) }, () => `w${random.integer(words)}`);
  return { reference: sentence(), hypothesis: sentence() };
}

/** Words of a text that stays as it is, as they come, and what a recogniser might make of them. */
const text = readFileSync('LICENSE', 'utf8')
  .toLowerCase()
  .match(/\p{L}+/gu)!;
function realPair(random: Random): Pair {
  const start = random.integer(text.length - 30);
  const reference = text.slice(start, start + 1 + random.integer(28));
  return { reference, hypothesis: misheard(reference, random) };
}
const misheard = (words: readonly string[], random: Random): string[] =>
  words.flatMap((word) => {
    const draw = random.uniform();
    if (draw < 0.06) return [];
    if (draw < 0.1) return [word, word];
    if (draw < 0.14) return [word.slice(0, 2), word.slice(2)].filter((part) => part !== '');
    return [draw < 0.24 ? text[random.integer(text.length)]! : word];
  });

/** So few that sc_stats' binomial coefficients hold: with 37 they overflow, and 18 against 19 get p = 0.002. */
const speakers = 12;

/** Speakers and utterances of both, as a file of transcripts. */
function writeTrn(name: string, transcripts: readonly (readonly string[])[]): string {
  const file = join(folder, `${name}.trn`);
  const lines = transcripts.map((words, i) => `${words.join(' ')} (s${i % speakers}-u${String(i).padStart(5, '0')})\n`);
  writeFileSync(file, lines.join(''));
  return file;
}

const ours = async (name: string, data: string, hypotheses: string, more: Record<string, unknown> = {}) => {
  const out = join(folder, `score-${name}`);
  const report = await runStage(stage, { data, hypotheses, out, ...more });
  const file = join(out, 'utterances.tsv');
  return { report, rows: parseScoredUtterances(readFileSync(file, 'utf8'), file) };
};

/** Steps of each utterance, from lines like `C,"a","a":D,"b",:I,,"c"`. */
const operationsIn = (sgml: string): Map<string, string> =>
  new Map(
    [...sgml.matchAll(/<PATH id="\((.*?)\)".*?>\n(.*?)\n?<\/PATH>/gs)].map(([, id, steps]) => [
      id!,
      steps === ''
        ? ''
        : steps!
            .split(':')
            .map((step) => step[0])
            .join(''),
    ]),
  );

const sgmlOf = (reference: string, hypothesis: string, ...more: string[]): string =>
  sctk([
    'sclite',
    '-s',
    '-r',
    reference,
    'trn',
    '-h',
    hypothesis,
    'trn',
    '-i',
    'spu_id',
    '-f',
    '0',
    ...more,
    '-o',
    'sgml',
    'stdout',
  ]);

test('score aligns 12,000 pairs as sclite does, at random and of a real text', { skip }, async () => {
  const random = createRandom('sclite');
  const pairs = Array.from({ length: 12000 }, (_, i) => (i % 2 ? realPair : randomPair)(random));
  const reference = writeTrn(
    'reference',
    pairs.map((pair) => pair.reference),
  );
  const hypothesis = writeTrn(
    'hypothesis',
    pairs.map((pair) => pair.hypothesis),
  );
  const { rows } = await ours('words', reference, hypothesis);
  const theirs = operationsIn(sgmlOf(reference, hypothesis));
  assert.equal(rows.length, 12000);
  assert.equal(theirs.size, 12000);
  const differing = rows.filter(({ utterance, operations }) => theirs.get(utterance) !== operations);
  assert.deepEqual(differing, []);
});

test('score counts characters as sclite -c does, letters of two scripts', { skip }, async () => {
  const random = createRandom('sclite characters');
  const letters = [...'abcdeäöéжя'];
  const word = () =>
    Array.from({ length: 1 + random.integer(5) }, () => letters[random.integer(letters.length)]).join('');
  const sentence = () => Array.from({ length: 1 + random.integer(5) }, word);
  const [reference, hypothesis] = ['reference-c', 'hypothesis-c'].map((name) =>
    writeTrn(name, Array.from({ length: 1000 }, sentence)),
  ) as [string, string];
  const { rows } = await ours('characters', reference, hypothesis, { unit: 'character' });
  const theirs = operationsIn(sgmlOf(reference, hypothesis, '-e', 'utf-8', '-c'));
  assert.deepEqual(new Map(rows.map(({ utterance, operations }) => [utterance, operations])), theirs);
});

test('matchedPairs() and signTest() find what sc_stats finds', { skip }, async () => {
  const random = createRandom('sc_stats');
  for (const round of [0, 1, 2]) {
    const said = Array.from({ length: 400 }, () => realPair(random).reference);
    const reference = writeTrn(`reference-${round}`, said);
    const [a, b] = ['a', 'b'].map((name) =>
      writeTrn(
        `${name}-${round}`,
        said.map((words) => misheard(name === 'b' && round > 0 ? misheard(words, random) : words, random)),
      ),
    ) as [string, string];
    const [first, second] = [await ours(`a-${round}`, reference, a), await ours(`b-${round}`, reference, b)];
    const found = matchedPairs(
      first.rows.map(({ operations }, i) => ({ first: operations, second: second.rows[i]!.operations })),
    );
    const theirs = sctk(
      ['sc_stats', '-p', '-t', 'mapsswe', 'sign', '-v', '-n', '-'],
      [a, b].map((hypothesis) => sgmlOf(reference, hypothesis)).join(''),
    );
    const [, segments, mean, z] = /\(# segs: (\d+)\).*\(mean: (\S+)\).*\(Z Stat: (\S+)\)/.exec(theirs)!;
    assert.deepEqual([String(found.segments), fixed(found.meanDifference), fixed(found.z)], [segments, mean, z]);

    const rateOf = (rows: typeof first.report) => (rows.speakers as { wer: number }[]).map(({ wer }) => wer);
    const differences = rateOf(first.report).map((wer, i) => 100 * (wer - rateOf(second.report)[i]!));
    const p = signTest({
      better: differences.filter((points) => points < -0.005).length,
      equal: differences.filter((points) => Math.abs(points) <= 0.005).length,
      worse: differences.filter((points) => points > 0.005).length,
    });
    assert.equal(
      fixed(p),
      /it occurr?ing is (\S+), therefore the null hypothesis is (?:\S+)\s.*\n?$/m.exec(
        theirs.slice(theirs.indexOf('Sign Test')),
      )![1],
    );
  }
});

const fixed = (value: number): string => value.toFixed(3);
