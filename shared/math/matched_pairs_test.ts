import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchedPairs, segmentsOf } from './matched_pairs.ts';

const cases = [
  { name: 'has none where both are right', first: 'CCC', second: 'CCC', segments: [] },
  { name: 'joins errors with one right word between', first: 'SCCCC', second: 'CCSCC', segments: [[1, 1]] },
  {
    name: 'parts errors with two right words between',
    first: 'SCCCC',
    second: 'CCCSC',
    segments: [
      [1, 0],
      [0, 1],
    ],
  },
  { name: 'takes words that one has right for no boundary', first: 'SCCCS', second: 'CSCSC', segments: [[2, 2]] },
  { name: 'counts insertions before the word they precede', first: 'CIICC', second: 'CCC', segments: [[2, 0]] },
  { name: 'counts insertions at the end of the first', first: 'CCI', second: 'CC', segments: [[1, 0]] },
  { name: 'counts those of the second', first: 'CC', second: 'CCI', segments: [[0, 1]] },
  { name: 'counts those of both', first: 'CCI', second: 'CCII', segments: [[1, 2]] },
  { name: 'takes utterances without a word', first: 'II', second: 'I', segments: [[2, 1]] },
];
for (const { name, first, second, segments } of cases) {
  test(`segmentsOf() ${name}`, () => assert.deepEqual(segmentsOf({ first, second }), segments));
}

test('segmentsOf() refuses alignments of other references', () => {
  assert.throws(() => segmentsOf({ first: 'CCC', second: 'CC' }), /references differ in length/);
  assert.throws(() => segmentsOf({ first: 'CC', second: 'CCC' }), /references differ in length/);
});

test('matchedPairs() compares errors a segment', () => {
  const { segments, meanDifference, z, p } = matchedPairs([
    { first: 'CCCCI', second: 'CCCC' },
    { first: 'SCCC', second: 'SSCC' },
    { first: 'CDCC', second: 'CCCC' },
  ]);
  assert.deepEqual([segments, meanDifference], [3, 1 / 3]);
  assert.ok(Math.abs(z - 1 / 3 / Math.sqrt(4 / 3 / 3)) < 1e-12, `${z}`); // differences 1, −1, 1
  assert.ok(Math.abs(p - 0.6170750774519738) < 1e-6, `${p}`);
});

test('matchedPairs() finds no difference where there is no segment', () => {
  assert.deepEqual(matchedPairs([{ first: 'CC', second: 'CC' }]), { segments: 0, meanDifference: 0, z: 0, p: 1 });
});
