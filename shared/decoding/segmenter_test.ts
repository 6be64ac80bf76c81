import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSearcher, type SearchSetup } from './search_setup.ts';
import { createSegmenter, type Segment } from './segmenter.ts';

const tokens = ['sil', 'one', 'two'];
const lexicon = {
  words: ['one', 'two'],
  pronunciations: [
    { word: 0, tokens: Uint16Array.of(1) },
    { word: 1, tokens: Uint16Array.of(2) },
  ],
};
const frameSetup: SearchSetup = {
  tokens,
  prior: [0.4, 0.3, 0.3],
  selfLoop: [0.5, 0.5, 0.5],
  lexicon,
  beam: 1,
  nBest: 1,
};
const ctcSetup: SearchSetup = { tokens: ['<blk>', 'one', 'two'], prior: [0.4, 0.3, 0.3], lexicon, beam: 4, nBest: 1 };
const weights = { acousticScale: 1, priorScale: 0, languageModelScale: 1, insertionPenalty: 0 };

const said = (spoken: readonly number[]) =>
  Float32Array.from(spoken.flatMap((token) => [0, 1, 2].map((other) => Math.log(token === other ? 0.96 : 0.02))));

interface Settings {
  endSilenceFrames?: number;
  maxFrames?: number;
  /** Frames that come at once. */
  piece?: number;
}

function segmentsOf(setup: SearchSetup, spoken: readonly number[], { piece = 7, ...given }: Settings) {
  const settings = { endSilenceFrames: 0, maxFrames: 0, ...given };
  const segmenter = createSegmenter({ ...createSearcher(setup), weights, vocabularySize: 3, nBest: 1, ...settings });
  const found: Segment[] = [];
  for (let at = 0; at < spoken.length; at += piece) {
    const stable = segmenter.stableWords();
    const ended = segmenter.push(said(spoken.slice(at, at + piece)), at + piece);
    // what was stable is how the segment begins that ends next
    if (ended[0]) assert.deepEqual(ended[0].hypotheses[0]!.words.slice(0, stable.length), stable);
    found.push(...ended);
  }
  return [...found, ...segmenter.finish(spoken.length)];
}

const summary = (segments: readonly Segment[]) =>
  segments.map(({ firstFrame, frames, hypotheses }) => {
    const { words, startFrames } = hypotheses[0]!;
    return {
      firstFrame,
      frames,
      words: words.join(' '),
      starts: Array.from(startFrames, (start) => start + firstFrame),
    };
  });

const pause = new Array(12).fill(0);
const spoken = [0, 0, 1, 1, 0, 2, 2, ...pause, 1, 1, 0, 0, ...pause, ...pause, 2, 0];

for (const [name, setup] of Object.entries({ frames: frameSetup, ctc: ctcSetup })) {
  test(`createSegmenter() ends a segment of ${name} where silence is long enough, and begins one in the middle of it`, () => {
    const found = segmentsOf(setup, spoken, { endSilenceFrames: 8 });
    assert.deepEqual(
      summary(found).map(({ words, starts }) => [words, starts]),
      [
        ['one two', [2, 5]],
        ['one', [19]],
        ['two', [47]],
      ],
    );
    assert.deepEqual([found[0]!.firstFrame, found[0]!.frames], [0, 15]); // word until 7, silence until 15
    assert.equal(found[1]!.firstFrame, 15); // 11 at first, but that was silent for as long again
    for (const { knownAtSeconds, hypotheses } of found)
      assert.equal(knownAtSeconds.length, hypotheses[0]!.words.length);
  });

  test(`createSegmenter() of ${name} finds the same whatever the pieces`, () => {
    const at = (piece: number) => summary(segmentsOf(setup, spoken, { endSilenceFrames: 8, maxFrames: 30, piece }));
    assert.deepEqual(at(1), at(1000));
    assert.deepEqual(at(3), at(1000));
  });
}

test('createSegmenter() without end silence makes one segment, of silence alone none', () => {
  assert.deepEqual(
    summary(segmentsOf(frameSetup, spoken, {})).map(({ words, frames }) => [words, frames]),
    [['one two one two', spoken.length]],
  );
  assert.deepEqual(segmentsOf(frameSetup, [...pause, ...pause], { endSilenceFrames: 5 }), []);
  assert.deepEqual(segmentsOf(frameSetup, [], {}), []);
});

test('createSegmenter() ends a segment that becomes too long, and loses no frame', () => {
  const found = segmentsOf(frameSetup, [1, 1, 0, 2, 2, 0, 1, 1, 0, 2, 2], { maxFrames: 6 });
  assert.deepEqual(
    summary(found).map(({ firstFrame, frames, words }) => [firstFrame, frames, words]),
    [
      [0, 6, 'one two'],
      [6, 5, 'one two'],
    ],
  );
});
