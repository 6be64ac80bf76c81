/** Nats a frame that better weights could gain at most, and are not looked for. */
const tolerance = 1e-6;
/** Teachers that hardly differ take long to rank, and gain nothing by it. */
const maxRounds = 5000;

/**
 * Weights of a linear combination of teachers under which hard labels are likeliest, by expectation maximisation:
 * w_i ← mean over frames of w_i p_i(label) / Σ_j w_j p_j(label).
 *
 * Log-likelihood is concave in the weights, so there is one maximum; mean p_i / Σ_j w_j p_j, the largest over the
 * teachers, bounds what it is ahead. A frame whose label all teachers rule out says nothing.
 *
 * @param logPosteriors of the label in each frame: one array [frames] a teacher
 * @returns one a teacher, ≥ 0, sum 1; equal where no frame tells
 * @throws {RangeError} when there is no teacher, or their numbers of frames differ
 * @see Cover (1984), An Algorithm for Maximizing Expected Log Investment Return, which is the same problem
 */
export function mixtureWeights(logPosteriors: readonly Float32Array[]): number[] {
  const teachers = logPosteriors.length;
  const ratios = ratiosOf(logPosteriors);
  const frames = ratios.length / teachers;
  let weights = new Array<number>(teachers).fill(1 / teachers);
  for (let round = 0; frames > 0 && round < maxRounds; round++) {
    const gains = new Float64Array(teachers);
    for (let start = 0; start < ratios.length; start += teachers) {
      let mixed = 0;
      for (let i = 0; i < teachers; i++) mixed += weights[i]! * ratios[start + i]!;
      for (let i = 0; i < teachers; i++) gains[i]! += ratios[start + i]! / mixed;
    }
    if (Math.log(Math.max(...gains) / frames) <= tolerance) break;
    weights = weights.map((weight, i) => (weight * gains[i]!) / frames);
  }
  return weights;
}

/** Posteriors [frames × teachers] as shares of the largest of each frame, which is all that counts. */
function ratiosOf(logPosteriors: readonly Float32Array[]): Float32Array {
  const teachers = logPosteriors.length;
  const frames = logPosteriors[0]?.length ?? 0;
  if (teachers === 0 || logPosteriors.some(({ length }) => length !== frames)) {
    throw new RangeError(
      `Cannot weigh teachers of ${logPosteriors.map(({ length }) => length)} frames; give each the same`,
    );
  }
  const ratios = new Float32Array(frames * teachers);
  let end = 0;
  for (let frame = 0; frame < frames; frame++) {
    const largest = logPosteriors.reduce((most, values) => Math.max(most, values[frame]!), -Infinity);
    if (largest === -Infinity) continue;
    for (const values of logPosteriors) ratios[end++] = Math.exp(values[frame]! - largest);
  }
  return ratios.subarray(0, end);
}
