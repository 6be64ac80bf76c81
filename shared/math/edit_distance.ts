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
export function editOperations<Word>(words: WordPair<Word>): string {
  const steps: string[] = [];
  walkBack(words, (step) => steps.push(letters[step]!));
  return steps.reverse().join('');
}

/** Steps by number, and their letters. */
const [correct, substituted, inserted, deleted] = [0, 1, 2, 3];
const letters = ['C', 'S', 'I', 'D'];

function walkBack<Word>({ reference, hypothesis }: WordPair<Word>, visit: (step: number) => void): void {
  const width = hypothesis.length + 1;
  const cost = costTable({ reference, hypothesis });
  let row = reference.length;
  let column = hypothesis.length;
  while (row > 0 || column > 0) {
    const place = row * width + column;
    const here = cost[place]!;
    const same = row > 0 && column > 0 && reference[row - 1] === hypothesis[column - 1];
    if (row > 0 && column > 0 && cost[place - width - 1]! + (same ? 0 : SUBSTITUTION) === here) {
      visit(same ? correct : substituted);
      row--;
      column--;
    } else if (column > 0 && cost[place - 1]! + INSERTION === here) {
      visit(inserted);
      column--;
    } else {
      visit(deleted);
      row--;
    }
  }
}

export interface WordPair<Word> {
  reference: ArrayLike<Word>;
  hypothesis: ArrayLike<Word>;
}

/** Errors in the alignment of `editOperations`. Both empty: all zero. */
export function editCounts<Word>(words: WordPair<Word>): EditCounts {
  const counts = new Int32Array(4);
  walkBack(words, (step) => {
    counts[step]!++;
  });
  const [correct, substitutions, insertions, deletions] = counts as unknown as [number, number, number, number];
  const distance = SUBSTITUTION * substitutions + INSERTION * insertions + DELETION * deletions;
  return { correct, substitutions, insertions, deletions, distance };
}

/** The last table: used again where it is large enough. */
let table = new Int32Array(0);

/** Entry [i × (hypothesis + 1) + j]: the least cost of turning the first i reference words into the first j others. */
function costTable<Word>({ reference, hypothesis }: WordPair<Word>): Int32Array {
  const width = hypothesis.length + 1;
  const size = (reference.length + 1) * width;
  if (table.length < size) table = new Int32Array(size);
  const cost = table;
  for (let j = 0; j < width; j++) cost[j] = j * INSERTION;
  for (let i = 1; i <= reference.length; i++) {
    const word = reference[i - 1];
    const above = (i - 1) * width;
    let left = i * DELETION;
    cost[i * width] = left;
    for (let j = 1; j < width; j++) {
      const pair = cost[above + j - 1]! + (word === hypothesis[j - 1] ? 0 : SUBSTITUTION);
      const deletion = cost[above + j]! + DELETION;
      left = Math.min(pair, left + INSERTION, deletion);
      cost[i * width + j] = left;
    }
  }
  return cost;
}
