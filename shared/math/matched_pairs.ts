import { normalTails } from './normal_tails.ts';

/** Alignments of one utterance by two systems, a letter a step: C, S, I or D. */
export interface AlignedPair {
  first: string;
  second: string;
}

/** Whether two systems differ in their errors per segment. */
export interface MatchedPairs {
  segments: number;
  /** Errors a segment of the first, less those of the second. */
  meanDifference: number;
  z: number;
  /** Two-sided. */
  p: number;
}

/** Words right in both that part two segments. */
const apart = 2;

/**
 * The matched-pair sentence-segment word-error test: errors of two systems in segments that both begin and end between
 * words that both have right, so that errors of different segments are nearly independent.
 *
 * As in `sc_stats`, z is 0 where all differences are equal.
 *
 * @throws {RangeError} when the alignments are not of the same references
 * @see Gillick, Cox (1989), Some statistical issues in the comparison of speech recognition algorithms; NIST SCTK, sc_stats -t mapsswe
 */
export function matchedPairs(pairs: Iterable<AlignedPair>): MatchedPairs {
  const differences: number[] = [];
  for (const pair of pairs) for (const [first, second] of segmentsOf(pair)) differences.push(first - second);
  const segments = differences.length;
  const meanDifference = segments === 0 ? 0 : differences.reduce((sum, value) => sum + value, 0) / segments;
  const squares = differences.reduce((sum, value) => sum + (value - meanDifference) ** 2, 0);
  const z = squares === 0 ? 0 : meanDifference / Math.sqrt(squares / (segments - 1) / segments);
  return { segments, meanDifference, z, p: normalTails(z) };
}

/** Errors of both in each segment that has some. */
export function segmentsOf({ first, second }: AlignedPair): [first: number, second: number][] {
  const segments: [number, number][] = [];
  let errors: [number, number] = [0, 0];
  let [inside, right] = [false, 0];
  const end = (): void => {
    if (errors[0] + errors[1] > 0) segments.push(errors);
    errors = [0, 0];
    inside = false;
  };
  const fail = (): void => {
    inside = true;
    right = 0;
  };
  const places: [number, number] = [0, 0];
  const passInsertions = (operations: string, system: 0 | 1): void => {
    for (; operations[places[system]] === 'I'; places[system]++) {
      errors[system]++;
      fail();
    }
  };
  while (places[0] < first.length || places[1] < second.length) {
    passInsertions(first, 0);
    passInsertions(second, 1);
    const [a, b] = [first[places[0]++], second[places[1]++]];
    if ((a === undefined) !== (b === undefined)) {
      throw new RangeError(`Cannot pair the alignments ${first} and ${second}: their references differ in length`);
    }
    if (a === undefined) break;
    if (a !== 'C') errors[0]++;
    if (b !== 'C') errors[1]++;
    if (a !== 'C' || b !== 'C') fail();
    else if (inside && ++right === apart) end();
  }
  if (inside) end();
  return segments;
}
