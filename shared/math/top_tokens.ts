/** From this many on, sorting all tokens is faster than inserting into a short list. */
const longList = 24;

/**
 * The tokens of a frame with the highest scores, best first, ties by lower id.
 *
 * @param scores [tokens]; −∞ comes last
 * @param count 1 to the number of tokens (up to 65,536)
 * @throws {RangeError} when there are not that many tokens
 */
export function topTokens(scores: Float32Array, count: number): Uint16Array {
  if (!(count >= 1 && count <= scores.length && scores.length <= 65536)) {
    throw new RangeError(`Cannot take the best ${count} of ${scores.length} tokens; give 1 to ${scores.length}`);
  }
  if (count >= longList) return rankTokens(scores).subarray(0, count);
  const best = new Uint16Array(count);
  let filled = 0;
  for (let token = 0; token < scores.length; token++) {
    const score = scores[token]!;
    if (filled === count && !(score > scores[best[count - 1]!]!)) continue;
    if (filled < count) filled++;
    let place = filled - 1;
    for (; place > 0 && score > scores[best[place - 1]!]!; place--) best[place] = best[place - 1]!;
    best[place] = token;
  }
  return best;
}

/** All tokens by score. Bits of a score and id make one whole number below 2⁵³, which sorts without a comparator. */
function rankTokens(scores: Float32Array): Uint16Array {
  const bits = new Int32Array(Float32Array.from(scores, (score) => score + 0).buffer); // + 0: −0 is 0
  const keys = new Float64Array(scores.length);
  for (let token = 0; token < scores.length; token++) {
    const ascending = bits[token]! < 0 ? bits[token]! ^ 0x7fffffff : bits[token]!;
    keys[token] = (2147483647 - ascending) * 65536 + token;
  }
  keys.sort();
  return Uint16Array.from(keys, (key) => key % 65536);
}

/** The best tokens of some frames, [frames × count] each, and log Σ exp of all scores of each frame. */
export interface TopOfFrames {
  tokens: Uint16Array;
  scores: Float32Array;
  logSums: Float32Array;
}

/**
 * `topTokens` of one frame after another, with their scores and what normalises them.
 *
 * @param scores [frames × vocabularySize]
 * @throws {RangeError} as `topTokens`, and when the scores are no whole number of frames
 */
export function topTokensOfFrames(scores: Float32Array, vocabularySize: number, count: number): TopOfFrames {
  const frames = scores.length / vocabularySize;
  if (!Number.isInteger(frames)) {
    throw new RangeError(
      `Cannot take frames of ${vocabularySize} tokens from ${scores.length} scores; give whole frames`,
    );
  }
  const top = {
    tokens: new Uint16Array(frames * count),
    scores: new Float32Array(frames * count),
    logSums: new Float32Array(frames),
  };
  for (let frame = 0; frame < frames; frame++) {
    const row = scores.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
    const best = topTokens(row, count);
    top.tokens.set(best, frame * count);
    best.forEach((token, i) => {
      top.scores[frame * count + i] = row[token]!;
    });
    const largest = row[best[0]!]!;
    let sum = 0;
    for (let token = 0; token < vocabularySize; token++) sum += Math.exp(row[token]! - largest);
    top.logSums[frame] = largest + Math.log(sum);
  }
  return top;
}
