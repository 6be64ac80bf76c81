import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fewestFrames,
  forcedAlignment,
  linearAlignment,
  type Transcript,
  transcriptGraph,
} from './forced_alignment.ts';
import { createRandom } from './random.ts';
import { type StateGraph, transitionsOf, type ViterbiProblem, viterbi } from './viterbi.ts';

const pronunciation = (...tokens: number[]) => Uint16Array.from(tokens);

/** Every path of a graph, scored one by one. */
function bestByEnumeration({ graph, scores, vocabularySize, transitions }: ViterbiProblem): number {
  const frames = scores.length / vocabularySize;
  const { tokens, offsets, predecessors, initial, final } = graph;
  const scoreOf = (frame: number, state: number) => scores[frame * vocabularySize + tokens[state]!]!;
  const walk = (state: number, frame: number, score: number): number => {
    if (frame === frames - 1) return final[state] ? score : -Infinity;
    let best = -Infinity;
    for (let next = 0; next < tokens.length; next++) {
      const comesFrom = predecessors.subarray(offsets[next]!, offsets[next + 1]!);
      if (next === state) {
        best = Math.max(
          best,
          walk(next, frame + 1, score + transitions.stay[tokens[state]!]! + scoreOf(frame + 1, next)),
        );
      } else if (comesFrom.includes(state)) {
        best = Math.max(
          best,
          walk(next, frame + 1, score + transitions.leave[tokens[state]!]! + scoreOf(frame + 1, next)),
        );
      }
    }
    return best;
  };
  let best = -Infinity;
  initial.forEach((isInitial, state) => {
    if (isInitial) best = Math.max(best, walk(state, 0, scoreOf(0, state)));
  });
  return best;
}

/** The score of a path, from the definition. */
function scoreOfPath(states: Int32Array, { graph, scores, vocabularySize, transitions }: ViterbiProblem): number {
  let score = 0;
  states.forEach((state, frame) => {
    const token = graph.tokens[state]!;
    score += scores[frame * vocabularySize + token]!;
    if (frame === 0) return;
    const before = states[frame - 1]!;
    score += (before === state ? transitions.stay : transitions.leave)[graph.tokens[before]!]!;
  });
  return score;
}

const transcripts: { name: string; transcript: Transcript }[] = [
  { name: 'no word', transcript: { words: [], silence: 0 } },
  { name: 'one word', transcript: { words: [[pronunciation(1, 2)]], silence: 0 } },
  { name: 'the same word twice', transcript: { words: [[pronunciation(1, 2)], [pronunciation(1, 2)]], silence: 0 } },
  {
    name: 'a word of two pronunciations',
    transcript: { words: [[pronunciation(1, 2), pronunciation(3)], [pronunciation(2)]], silence: 0 },
  },
];
for (const { name, transcript } of transcripts) {
  test(`viterbi() finds the score of the best of all paths: ${name}`, () => {
    const { graph } = transcriptGraph(transcript);
    for (let seed = 0; seed < 20; seed++) {
      const random = createRandom(seed, name);
      for (let frames = 1; frames <= 6; frames++) {
        const problem = {
          graph,
          scores: Float32Array.from({ length: frames * 4 }, () => random.normal() * 3),
          vocabularySize: 4,
          transitions: transitionsOf([0.5, 0.3, 0.9, 0].map((p) => p + 0.05 * random.uniform())),
        };
        const path = viterbi(problem);
        const expected = bestByEnumeration(problem);
        if (expected === -Infinity) assert.equal(path, undefined, `seed ${seed}, ${frames} frames`);
        else {
          assert.ok(Math.abs(path!.score - expected) < 1e-9, `seed ${seed}, ${frames} frames`);
          assert.ok(Math.abs(scoreOfPath(path!.states, problem) - expected) < 1e-9, `seed ${seed}, ${frames} frames`);
        }
      }
    }
  });
}

test('viterbi() stays where staying is as good as moving on, and ends in the lower state', () => {
  const graph: StateGraph = {
    tokens: Uint16Array.of(0, 1),
    offsets: Int32Array.of(0, 0, 1),
    predecessors: Int32Array.of(0),
    initial: Uint8Array.of(1, 0),
    final: Uint8Array.of(0, 1),
  };
  const transitions = transitionsOf([0.5, 0.5]);
  const path = (final: Uint8Array) =>
    viterbi({ graph: { ...graph, final }, scores: new Float32Array(8), vocabularySize: 2, transitions });
  assert.deepEqual([...path(graph.final)!.states], [0, 1, 1, 1]);
  assert.deepEqual([...path(Uint8Array.of(1, 1))!.states], [0, 0, 0, 0]);
});

test('viterbi() refuses scores that are no whole frames, transitionsOf() a probability of 1', () => {
  const { graph } = transcriptGraph({ words: [], silence: 0 });
  const transitions = transitionsOf([0.5, 0]);
  assert.throws(() => viterbi({ graph, scores: new Float32Array(3), vocabularySize: 2, transitions }), /multiple of 2/);
  assert.equal(viterbi({ graph, scores: new Float32Array(0), vocabularySize: 2, transitions }), undefined);
  for (const wrong of [1, -0.1, Number.NaN]) assert.throws(() => transitionsOf([0.5, wrong]), /token 1: not in/);
});

test('forcedAlignment() labels the frames that each token explains, silence only where it is', () => {
  const transcript = { words: [[pronunciation(1, 2)], [pronunciation(3)]], silence: 0 };
  const spoken = [0, 1, 1, 2, 0, 0, 3, 3];
  const scores = Float32Array.from(spoken.flatMap((said) => [0, 1, 2, 3].map((token) => (token === said ? 0 : -9))));
  const aligned = forcedAlignment({
    transcript,
    scores,
    vocabularySize: 4,
    transitions: transitionsOf([0.5, 0.5, 0.5, 0.5]),
  })!;
  assert.deepEqual([...aligned.labels], spoken);
  assert.deepEqual([...aligned.startFrames], [1, 6]);
  assert.deepEqual([...aligned.endFrames], [4, 8]);
  assert.ok(Math.abs(aligned.score - 7 * Math.log(0.5)) < 1e-9);
});

test('forcedAlignment() needs one frame a state of the shortest pronunciations', () => {
  const transcript = { words: [[pronunciation(1, 2, 3), pronunciation(3)], [pronunciation(1, 2)]], silence: 0 };
  const align = (frames: number) =>
    forcedAlignment({
      transcript,
      scores: new Float32Array(frames * 4),
      vocabularySize: 4,
      transitions: transitionsOf([0.5, 0.5, 0.5, 0.5]),
    });
  assert.equal(fewestFrames(transcript), 3);
  assert.equal(align(2), undefined);
  assert.deepEqual([...align(3)!.labels], [3, 1, 2]);
});

test('linearAlignment() divides the speech equally over the states', () => {
  const transcript = { words: [[pronunciation(1, 2)], [pronunciation(3)]], silence: 0 };
  const aligned = linearAlignment(transcript, { frames: 10, start: 1, end: 8 })!;
  assert.deepEqual([...aligned.labels], [0, 1, 1, 2, 2, 3, 3, 3, 0, 0]);
  assert.deepEqual([...aligned.startFrames], [1, 5]);
  assert.deepEqual([...aligned.endFrames], [5, 8]);
  assert.equal(linearAlignment(transcript, { frames: 10, start: 1, end: 3 }), undefined);
  assert.deepEqual([...linearAlignment({ words: [], silence: 0 }, { frames: 2, start: 0, end: 2 })!.labels], [0, 0]);
});
