import { fastFromHalf, fastToHalfInto } from './kernels/fast_half.ts';

/**
 * Ranked tokens as small numbers, which compress better: a token that the frame before has as well is its place among
 * those there that this frame has not had yet, any other one is k + token. Frames of one utterance are much alike.
 *
 * @param tokens [frames × k], no token twice in a frame; k + token stays below 65,536
 */
export function encodeTokens(tokens: Uint16Array, k: number): Uint16Array {
  const codes = new Uint16Array(tokens.length);
  const left = new Uint16Array(k);
  for (let start = 0; start < tokens.length; start += k) {
    let remaining = start > 0 ? k : 0;
    if (start > 0) for (let i = 0; i < k; i++) left[i] = tokens[start - k + i]!;
    for (let i = start; i < start + k; i++) {
      const token = tokens[i]!;
      let place = 0;
      while (place < remaining && left[place] !== token) place++;
      codes[i] = place < remaining ? place : k + token;
      if (place < remaining) takeOut(left, place, remaining--);
    }
  }
  return codes;
}

/**
 * Tokens from what `encodeTokens` made of them.
 *
 * @throws {RangeError} when a code names a place that is not there
 */
export function decodeTokens(codes: Uint16Array, k: number): Uint16Array {
  const tokens = new Uint16Array(codes.length);
  const left = new Uint16Array(k);
  for (let start = 0; start < codes.length; start += k) {
    let remaining = start > 0 ? k : 0;
    if (start > 0) for (let i = 0; i < k; i++) left[i] = tokens[start - k + i]!;
    for (let i = start; i < start + k; i++) {
      const code = codes[i]!;
      tokens[i] = code < k ? left[code]! : code - k;
      if (code >= k) continue;
      if (code >= remaining)
        throw new RangeError(`Cannot decode token ${i - start} of frame ${start / k}: no place ${code}`);
      takeOut(left, code, remaining--);
    }
  }
  return tokens;
}

function takeOut(list: Uint16Array, place: number, length: number): void {
  for (let i = place + 1; i < length; i++) list[i - 1] = list[i]!;
}

/**
 * Ranked log-posteriors as the steps from one to the next, in units of the last place of a half: the bits of the first one
 * of a frame, then the differences of the bits (modulo 2¹⁶), which are small.
 *
 * @param logPosteriors [frames × k]
 */
export function encodeSteps(logPosteriors: Float32Array, k: number): Uint16Array {
  const steps = new Uint16Array(logPosteriors.length);
  fastToHalfInto(steps, logPosteriors);
  for (let start = 0; start < steps.length; start += k) {
    for (let i = start + k - 1; i > start; i--) steps[i] = steps[i]! - steps[i - 1]!;
  }
  return steps;
}

/** Log-posteriors, in half precision, from what `encodeSteps` made of them. */
export function decodeSteps(steps: Uint16Array, k: number): Float32Array {
  const halves = steps.slice();
  for (let start = 0; start < halves.length; start += k) {
    for (let i = start + 1; i < start + k; i++) halves[i] = halves[i]! + halves[i - 1]!;
  }
  return fastFromHalf(halves);
}
