/**
 * Soft targets of N frames. Frame i keeps tokens `offsets[i]` to `offsets[i + 1]`.
 *
 * A frame that keeps no token has nothing to say: with weight 0 because the gate was shut on it, with weight 1 because
 * no teacher was asked (`noTargets`).
 */
export interface SparseTargets {
  /** [frames + 1] */
  offsets: Int32Array;
  /** Best first, ties by lower id; no token twice in a frame. */
  tokens: Uint16Array;
  /** Nats, at the temperature of the essence; they may be off by rounding: the loss rescales them to 1 − tail. */
  logPosteriors: Float32Array;
  /** [frames] Log of the mass not kept; −∞ where nothing is lost. */
  logTail: Float32Array;
  /** [frames] How far the gate is open, g in [0, 1]. */
  weight: Float32Array;
}

/** What the mass not kept means; see `addSparseKlInto`. */
export type Tail = 'renormalise' | 'ghost' | 'to-label' | 'uniform';

/** Targets of frames that no teacher was asked about: they are learnt from hard labels alone. */
export const noTargets = (frames: number): SparseTargets => ({
  offsets: new Int32Array(frames + 1),
  tokens: new Uint16Array(0),
  logPosteriors: new Float32Array(0),
  logTail: new Float32Array(frames),
  weight: new Float32Array(frames).fill(1),
});

/** The frames of all parts, one after another. */
export function concatenateTargets(parts: readonly SparseTargets[]): SparseTargets {
  const count = (lengthOf: (part: SparseTargets) => number) => parts.reduce((sum, part) => sum + lengthOf(part), 0);
  const frames = count(({ weight }) => weight.length);
  const kept = count(({ tokens }) => tokens.length);
  const all: SparseTargets = {
    offsets: new Int32Array(frames + 1),
    tokens: new Uint16Array(kept),
    logPosteriors: new Float32Array(kept),
    logTail: new Float32Array(frames),
    weight: new Float32Array(frames),
  };
  let frame = 0;
  let token = 0;
  for (const { offsets, tokens, logPosteriors, logTail, weight } of parts) {
    for (let i = 0; i < weight.length; i++) all.offsets[frame + i + 1] = token + offsets[i + 1]!;
    all.tokens.set(tokens, token);
    all.logPosteriors.set(logPosteriors, token);
    all.logTail.set(logTail, frame);
    all.weight.set(weight, frame);
    frame += weight.length;
    token += tokens.length;
  }
  return all;
}
