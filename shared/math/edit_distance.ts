/** Word errors of one utterance; the weighted distance counts a substitution 4, an insertion or a deletion 3. */
export interface EditCounts {
  correct: number;
  substitutions: number;
  insertions: number;
  deletions: number;
  distance: number;
}

const SUBSTITUTION = 4;
const INSERTION = 3;
const DELETION = 3;

/**
 * The cheapest alignment of two word sequences, one letter a step: C correct, S substituted, I inserted, D deleted.
 *
 * Walked from the end; of equally cheap steps a pair wins over an insertion, an insertion over a deletion.
 * Words are compared with `===`. Time and memory: words × words.
 *
 * @see NIST SCTK, sclite: substitutions cost 4, insertions and deletions 3
 */
export function editOperations<Word>({ reference, hypothesis }: WordPair<Word>): string {
  const width = hypothesis.length + 1;
  const cost = costTable({ reference, hypothesis });
  const steps: string[] = [];
  let row = reference.length;
  let column = hypothesis.length;
  while (row > 0 || column > 0) {
    const here = cost[row * width + column]!;
    const same = row > 0 && column > 0 && reference[row - 1] === hypothesis[column - 1];
    const pair = same ? 0 : SUBSTITUTION;
    if (row > 0 && column > 0 && cost[(row - 1) * width + column - 1]! + pair === here) {
      steps.push(same ? 'C' : 'S');
      row--;
      column--;
    } else if (column > 0 && cost[row * width + column - 1]! + INSERTION === here) {
      steps.push('I');
      column--;
    } else {
      steps.push('D');
      row--;
    }
  }
  return steps.reverse().join('');
}

export interface WordPair<Word> {
  reference: ArrayLike<Word>;
  hypothesis: ArrayLike<Word>;
}

/** Errors in the alignment of `editOperations`. Both empty: all zero. */
export function editCounts<Word>(words: WordPair<Word>): EditCounts {
  const counts = { correct: 0, substitutions: 0, insertions: 0, deletions: 0, distance: 0 };
  for (const step of editOperations(words)) {
    if (step === 'C') counts.correct++;
    else if (step === 'S') counts.substitutions++;
    else if (step === 'I') counts.insertions++;
    else counts.deletions++;
  }
  counts.distance = SUBSTITUTION * counts.substitutions + INSERTION * counts.insertions + DELETION * counts.deletions;
  return counts;
}

/** Entry [i × (hypothesis + 1) + j]: the least cost of turning the first i reference words into the first j others. */
function costTable<Word>({ reference, hypothesis }: WordPair<Word>): Int32Array {
  const width = hypothesis.length + 1;
  const cost = new Int32Array((reference.length + 1) * width);
  for (let j = 1; j < width; j++) cost[j] = j * INSERTION;
  for (let i = 1; i <= reference.length; i++) {
    cost[i * width] = i * DELETION;
    for (let j = 1; j < width; j++) {
      const pair = cost[(i - 1) * width + j - 1]! + (reference[i - 1] === hypothesis[j - 1] ? 0 : SUBSTITUTION);
      const insertion = cost[i * width + j - 1]! + INSERTION;
      const deletion = cost[(i - 1) * width + j]! + DELETION;
      cost[i * width + j] = Math.min(pair, insertion, deletion);
    }
  }
  return cost;
}
