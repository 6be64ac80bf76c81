import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lengthBin, parseScoredUtterances, scoredUtteranceLine } from './scored_utterances.ts';

test('parseScoredUtterances() reads what scoredUtteranceLine() writes, utterances without a word too', () => {
  const rows = [
    { utterance: 'u1', speaker: 's1', words: 4, insertions: 1, deletions: 1, substitutions: 1, operations: 'CISDC' },
    { utterance: 'u2', speaker: 's1', words: 0, insertions: 0, deletions: 0, substitutions: 0, operations: '' },
    { utterance: 'u3', speaker: 's2', words: 0, insertions: 2, deletions: 0, substitutions: 0, operations: 'II' },
    { utterance: 'u4', speaker: 's2', words: 0, insertions: 0, deletions: 0, substitutions: 0, operations: '' },
  ];
  const text = rows.map((row) => scoredUtteranceLine(row, row.operations)).join('');
  assert.deepEqual(parseScoredUtterances(text, 'utterances.tsv'), rows);
});

test('parseScoredUtterances() names the line that it cannot read', () => {
  for (const text of ['u1\ts1\tC\n\n', 'u1\ts1\tC\nu2\ts1\tCE\n', 'u1\ts1\tC\nu2\n']) {
    assert.throws(() => parseScoredUtterances(`${text}u3\ts1\tC\n`, 'x.tsv'), /^SyntaxError: x\.tsv, line 2: /);
  }
});

test('lengthBin() parts lengths at powers of two', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 8, 9, 16, 17].map(lengthBin), [0, 1, 2, 4, 4, 8, 8, 16, 16, 32]);
});
