import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './random.ts';
import { addFoldInto, type Unfolding, unfoldInto } from './unfold.ts';

function unfold(x: Float32Array, unfolding: Unfolding): Float32Array {
  const rows = new Float32Array(3 * x.length).fill(NaN);
  unfoldInto(rows, x, unfolding);
  return rows;
}

test('unfoldInto() puts frames beside their neighbours, with zeros beyond an utterance', () => {
  const x = Float32Array.of(1, 2, 3, 4, 5); // utterances of 2 and 3 frames
  const unfolded = unfold(x, { units: 1, dilation: 1, back: 1, utteranceOffsets: Int32Array.of(0, 2, 5) });
  assert.deepEqual([...unfolded], [0, 1, 2, 1, 2, 0, 0, 3, 4, 3, 4, 5, 4, 5, 0]);
  const back = unfold(x, { units: 1, dilation: 1, back: 2, utteranceOffsets: Int32Array.of(0, 2, 5) });
  assert.deepEqual([...back], [0, 0, 1, 0, 1, 2, 0, 0, 3, 0, 3, 4, 3, 4, 5]);
});

test('addFoldInto() is the transpose of unfoldInto(): <unfold(x), g> = <x, fold(g)>', () => {
  const random = createRandom('fold');
  for (const [dilation, back] of [1, 2, 3, 9].flatMap((d) => [[d, 1] as const, [d, 2] as const])) {
    const unfolding = { units: 3, dilation, back, utteranceOffsets: Int32Array.of(0, 1, 6, 13) };
    const x = Float32Array.from({ length: 13 * 3 }, () => random.integer(9));
    const g = Float32Array.from({ length: 13 * 9 }, () => random.integer(9));
    const folded = new Float32Array(x.length);
    addFoldInto(folded, g, unfolding);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    assert.equal(dot(unfold(x, unfolding), g), dot(x, folded), `dilation ${dilation}`);
  }
});
