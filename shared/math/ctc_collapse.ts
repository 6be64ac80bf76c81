/** The fewest frames that a path through these labels has: one each, and a blank between equal neighbours. */
export function fewestCtcFrames(labels: ArrayLike<number>): number {
  let frames = labels.length;
  for (let i = 1; i < labels.length; i++) if (labels[i] === labels[i - 1]) frames++;
  return frames;
}

/** A label that a path says, in frames `start` to `end`, the end excluded. */
export interface Spoken {
  token: number;
  start: number;
  end: number;
}

/**
 * What a path says: repeated tokens are one, then blanks are left out.
 *
 * @param path [frames] tokens
 * @see Graves et al. (2006), Connectionist Temporal Classification, sec. 3.1: the map B
 */
export function collapse(path: ArrayLike<number>, blank = 0): Spoken[] {
  const spoken: Spoken[] = [];
  for (let frame = 0; frame < path.length; frame++) {
    const token = path[frame]!;
    if (token === blank) continue;
    if (frame > 0 && path[frame - 1] === token) spoken.at(-1)!.end = frame + 1;
    else spoken.push({ token, start: frame, end: frame + 1 });
  }
  return spoken;
}
