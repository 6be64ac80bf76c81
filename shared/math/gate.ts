/** How much a frame of the teachers is to be trusted: numbers in [0, 1] from one frame of log-posteriors. */

/** Token with the highest score in a frame; the lower id where two are equal. */
export function bestToken(row: Float32Array): number {
  let best = 0;
  for (let token = 1; token < row.length; token++) if (row[token]! > row[best]!) best = token;
  return best;
}

/** The posterior of the best token. */
export const confidence = (row: Float32Array): number => Math.exp(row[bestToken(row)]!);

/** One less the entropy (nats), where that of an even distribution counts as 1: certain is 1, undecided is 0. */
export const certaintyOf = (entropy: number, vocabularySize: number): number =>
  vocabularySize === 1 ? 1 : Math.min(1, Math.max(0, 1 - entropy / Math.log(vocabularySize)));

/** The same, of one frame of log-posteriors. */
export function certainty(row: Float32Array): number {
  let entropy = 0;
  for (let token = 0; token < row.length; token++) {
    if (row[token] !== -Infinity) entropy -= Math.exp(row[token]!) * row[token]!;
  }
  return certaintyOf(entropy, row.length);
}

/** The share of teachers whose best token is that of the ensemble. */
export function agreement(teachers: readonly Float32Array[], best: number): number {
  return teachers.filter((row) => bestToken(row) === best).length / teachers.length;
}

/** How far a gate is open on a frame of so much trust: as far as that, or wholly from a threshold on. */
export const gateWeight = (trust: number, threshold: number | undefined): number =>
  threshold === undefined ? Math.min(trust, 1) : trust >= threshold ? 1 : 0;

/** How far the gate is open on a frame of which the teachers say, with this posterior, that no word is in it. */
export const blankGateWeight = (ofBlank: number, threshold: number | undefined): number =>
  threshold === undefined ? Math.max(0, 1 - ofBlank) : ofBlank >= threshold ? 0 : 1;
