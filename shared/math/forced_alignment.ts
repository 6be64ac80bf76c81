import { type StateGraph, type Transitions, viterbi } from './viterbi.ts';

/** A transcript as an aligner sees it: for each word its pronunciations, each a sequence of state tokens. */
export interface Transcript {
  words: readonly (readonly Uint16Array[])[];
  silence: number; // token of the optional silence before, between and after the words
}

/** Labels [frames] and where each word lies: frames startFrames[i] .. endFrames[i], the end excluded. */
export interface Alignment {
  labels: Uint16Array;
  startFrames: Int32Array; // [words]
  endFrames: Int32Array; // [words]
  score: number; // log score of the whole path; 0 for an alignment that no model scored
}

/** The fewest frames that hold the words: one frame a state, no silence, the shortest pronunciations. */
export function fewestFrames({ words }: Transcript): number {
  const states = words.reduce((sum, pronunciations) => sum + shortest(pronunciations).length, 0);
  return Math.max(1, states);
}

/**
 * Where the words lie, by the best path through their states with optional silence around each.
 *
 * @param scores [frames × vocabularySize], nats
 * @returns undefined when no path fits: too few frames, or tokens ruled out by the scores
 */
export function forcedAlignment(problem: {
  transcript: Transcript;
  scores: Float32Array;
  vocabularySize: number;
  transitions: Transitions;
}): Alignment | undefined {
  const { graph, wordOfState } = transcriptGraph(problem.transcript);
  const path = viterbi({ ...problem, graph });
  if (!path) return undefined;
  const startFrames = new Int32Array(problem.transcript.words.length).fill(-1);
  const endFrames = new Int32Array(problem.transcript.words.length);
  path.states.forEach((state, frame) => {
    const word = wordOfState[state]!;
    if (word < 0) return;
    if (startFrames[word] === -1) startFrames[word] = frame;
    endFrames[word] = frame + 1;
  });
  const labels = Uint16Array.from(path.states, (state) => graph.tokens[state]!);
  return { labels, startFrames, endFrames, score: path.score };
}

/**
 * Silence outside frames start .. end, and inside them the states of all words (first pronunciations), equally long.
 *
 * @returns undefined when there are more states than frames in start .. end
 */
export function linearAlignment(
  { words, silence }: Transcript,
  { frames, start, end }: { frames: number; start: number; end: number },
): Alignment | undefined {
  const states = words.flatMap(([first], word) => Array.from(first!, (token) => ({ token, word })));
  if (states.length > end - start || frames === 0) return undefined;
  const labels = new Uint16Array(frames).fill(silence);
  const startFrames = new Int32Array(words.length).fill(-1);
  const endFrames = new Int32Array(words.length);
  states.forEach(({ token, word }, i) => {
    const from = start + Math.floor((i * (end - start)) / states.length);
    const to = start + Math.floor(((i + 1) * (end - start)) / states.length);
    labels.fill(token, from, to);
    if (startFrames[word] === -1) startFrames[word] = from;
    endFrames[word] = to;
  });
  return { labels, startFrames, endFrames, score: 0 };
}

/** All state sequences of a transcript; wordOfState [states] is −1 in silence. */
export function transcriptGraph({ words, silence }: Transcript): { graph: StateGraph; wordOfState: Int32Array } {
  const tokens: number[] = [];
  const predecessors: number[][] = [];
  const wordOfState: number[] = [];
  const initial: number[] = [];
  const add = (token: number, word: number, from: number[], isInitial: boolean) => {
    if (isInitial) initial.push(tokens.length);
    predecessors.push(from);
    wordOfState.push(word);
    return tokens.push(token) - 1;
  };
  let ends = [add(silence, -1, [], true)]; // the states after which the next word may begin
  words.forEach((pronunciations, word) => {
    const wordEnds = pronunciations.map((states) => {
      let last = -1;
      states.forEach((token, i) => {
        last = add(token, word, i === 0 ? ends : [last], i === 0 && word === 0);
      });
      return last;
    });
    ends = [...wordEnds, add(silence, -1, wordEnds, false)];
  });
  const offsets = new Int32Array(tokens.length + 1);
  predecessors.forEach((from, s) => {
    offsets[s + 1] = offsets[s]! + from.length;
  });
  const graph = {
    tokens: Uint16Array.from(tokens),
    offsets,
    predecessors: Int32Array.from(predecessors.flat()),
    initial: marks(tokens.length, initial),
    final: marks(tokens.length, ends),
  };
  return { graph, wordOfState: Int32Array.from(wordOfState) };
}

function marks(length: number, indices: readonly number[]): Uint8Array {
  const marked = new Uint8Array(length);
  for (const i of indices) marked[i] = 1;
  return marked;
}

function shortest(pronunciations: readonly Uint16Array[]): Uint16Array {
  return pronunciations.reduce((a, b) => (b.length < a.length ? b : a));
}
