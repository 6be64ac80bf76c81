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
  const whole = { start: 0, rows: words.reference.length, columns: words.hypothesis.length };
  walkBack(words, whole, (step) => steps.push(letters[step]!));
  return steps.reverse().join('');
}

/** Steps by number, and their letters. */
const [correct, substituted, inserted, deleted] = [0, 1, 2, 3];
const letters = ['C', 'S', 'I', 'D'];

/** The part of both sequences that is aligned: so many reference words (rows) and others (columns) from `start` on. */
interface Part {
  start: number;
  rows: number;
  columns: number;
}

function walkBack<Word>(words: WordPair<Word>, part: Part, visit: (step: number) => void): void {
  const { reference, hypothesis } = words;
  const { start } = part;
  const width = part.columns + 1;
  const cost = costTable(words, part);
  let row = part.rows;
  let column = part.columns;
  while (row > 0 || column > 0) {
    const place = row * width + column;
    const here = cost[place]!;
    const same = row > 0 && column > 0 && reference[start + row - 1] === hypothesis[start + column - 1];
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
  const part = differentPart(words);
  const counts: [number, number, number, number] = [words.reference.length - part.rows, 0, 0, 0];
  walkBack(words, part, (step) => {
    counts[step]!++;
  });
  const [correct, substitutions, insertions, deletions] = counts;
  const distance = SUBSTITUTION * substitutions + INSERTION * insertions + DELETION * deletions;
  return { correct, substitutions, insertions, deletions, distance };
}

/**
 * What is left without the words that both start and end with: counts of the alignment need no more. A common end is
 * paired in any case, as a pair of equal words costs nothing and wins; a path that reaches the common start at a lead
 * of n words has n insertions or deletions to come, no other error, on every cheapest way.
 */
function differentPart<Word>({ reference, hypothesis }: WordPair<Word>): Part {
  let rows = reference.length;
  let columns = hypothesis.length;
  while (rows > 0 && columns > 0 && reference[rows - 1] === hypothesis[columns - 1]) {
    rows--;
    columns--;
  }
  let start = 0;
  while (start < rows && start < columns && reference[start] === hypothesis[start]) start++;
  return { start, rows: rows - start, columns: columns - start };
}

/** The last table: used again where it is large enough. */
let table = new Int32Array(0);

/** Entry [i × (columns + 1) + j]: the least cost of turning the first i reference words of the part into the first j others. */
function costTable<Word>({ reference, hypothesis }: WordPair<Word>, { start, rows, columns }: Part): Int32Array {
  const width = columns + 1;
  const size = (rows + 1) * width;
  if (table.length < size) table = new Int32Array(size);
  const cost = table;
  for (let j = 0; j < width; j++) cost[j] = j * INSERTION;
  for (let i = 1; i <= rows; i++) {
    const word = reference[start + i - 1];
    const above = (i - 1) * width;
    let left = i * DELETION;
    cost[i * width] = left;
    for (let j = 1; j < width; j++) {
      const pair = cost[above + j - 1]! + (word === hypothesis[start + j - 1] ? 0 : SUBSTITUTION);
      const deletion = cost[above + j]! + DELETION;
      left = Math.min(pair, left + INSERTION, deletion);
      cost[i * width + j] = left;
    }
  }
  return cost;
}
