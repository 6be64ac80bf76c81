/**
 * A left-to-right graph of states, in an order in which each predecessor comes before its successor; a state may
 * always be stayed in. Predecessors of state s: predecessors[offsets[s] .. offsets[s + 1]], at most 254 of them.
 */
export interface StateGraph {
  tokens: Uint16Array; // [states] the token that each state emits
  offsets: Int32Array; // [states + 1]
  predecessors: Int32Array;
  initial: Uint8Array; // [states] 1 where a path may begin
  final: Uint8Array; // [states] 1 where a path may end
}

/** Log-probabilities [tokens] of staying in a token's state for another frame and of leaving it. */
export interface Transitions {
  stay: Float64Array;
  leave: Float64Array;
}

export interface ViterbiProblem {
  graph: StateGraph;
  scores: Float32Array; // [frames × vocabularySize] score of each token in each frame, nats
  vocabularySize: number;
  transitions: Transitions;
}

/** From self-loop probabilities [tokens], each in [0, 1). */
export function transitionsOf(selfLoop: ArrayLike<number>): Transitions {
  const probabilities = Float64Array.from(selfLoop);
  const wrong = probabilities.findIndex((p) => !(p >= 0 && p < 1));
  if (wrong >= 0) {
    throw new RangeError(`Cannot use self-loop probability ${probabilities[wrong]} of token ${wrong}: not in [0, 1)`);
  }
  return { stay: probabilities.map((p) => Math.log(p)), leave: probabilities.map((p) => Math.log1p(-p)) };
}

/**
 * The best path through the graph: one state per frame, from an initial to a final state, one frame a state at least.
 *
 * Of equally good moves staying wins, then the predecessor listed first; of equally good ends the lower state.
 *
 * @returns states [frames] and the log score of the path; undefined when no path of finite score has that many frames
 * @throws {RangeError} when scores do not divide into frames
 * @see Rabiner (1989), A Tutorial on Hidden Markov Models, sec. III.B
 */
export function viterbi({
  graph,
  scores,
  vocabularySize,
  transitions,
}: ViterbiProblem): { states: Int32Array; score: number } | undefined {
  const { tokens, offsets, predecessors, initial, final } = graph;
  const stateCount = tokens.length;
  const frames = scores.length / vocabularySize;
  if (!Number.isInteger(frames)) {
    throw new RangeError(`Cannot align ${scores.length} scores: not a multiple of ${vocabularySize} tokens`);
  }
  if (frames === 0) return undefined;
  const stay = Float64Array.from(tokens, (token) => transitions.stay[token]!);
  const leave = Float64Array.from(tokens, (token) => transitions.leave[token]!);
  const best = new Float64Array(stateCount).fill(-Infinity);
  const moves = new Uint8Array(frames * stateCount); // 0 stayed, n came from predecessor n − 1
  for (let s = 0; s < stateCount; s++) if (initial[s]) best[s] = scores[tokens[s]!]!;
  for (let frame = 1; frame < frames; frame++) {
    // Downwards, so that best[] of a predecessor is still that of the frame before.
    for (let s = stateCount - 1; s >= 0; s--) {
      let score = best[s]! + stay[s]!;
      let move = 0;
      for (let i = offsets[s]!; i < offsets[s + 1]!; i++) {
        const from = predecessors[i]!;
        const candidate = best[from]! + leave[from]!;
        if (candidate > score) {
          score = candidate;
          move = i - offsets[s]! + 1;
        }
      }
      best[s] = score + scores[frame * vocabularySize + tokens[s]!]!;
      moves[frame * stateCount + s] = move;
    }
  }
  let state = -1;
  let score = -Infinity;
  for (let s = 0; s < stateCount; s++) {
    if (final[s] && best[s]! > score) {
      score = best[s]!;
      state = s;
    }
  }
  if (state < 0) return undefined;
  const states = new Int32Array(frames);
  for (let frame = frames - 1; frame >= 0; frame--) {
    states[frame] = state;
    const move = moves[frame * stateCount + state]!;
    if (move > 0) state = predecessors[offsets[state]! + move - 1]!;
  }
  return { states, score };
}
