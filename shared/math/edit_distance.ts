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

/** Steps of an alignment, as the ASCII codes of their letters: C correct, S substituted, I inserted, D deleted. */
export const editStep = { correct: 67, substituted: 83, inserted: 73, deleted: 68 } as const;
const { correct, substituted, inserted, deleted } = editStep;

export interface WordPair<Word> {
  reference: ArrayLike<Word>;
  hypothesis: ArrayLike<Word>;
}

/**
 * The cheapest alignment of two word sequences: an `editStep` for each place of it, in order.
 *
 * Found from the end; of equally cheap steps a pair wins over an insertion, an insertion over a deletion.
 * Words are compared with `===`. Time and memory: words × words.
 *
 * @returns a view that the next call writes over
 * @see NIST SCTK, sclite: substitutions cost 4, insertions and deletions 3
 */
export function editSteps<Word>(words: WordPair<Word>): Uint8Array {
  const longest = words.reference.length + words.hypothesis.length;
  if (path.length < longest) path = new Uint8Array(2 * longest);
  path.fill(correct, 0, longest);
  const part = differentPart(words);
  let place = longest - (words.reference.length - part.start - part.rows);
  const before = walkBack(words, part, (step) => {
    path[--place] = step;
  });
  return path.subarray(place - before, longest);
}

/** Errors in the alignment of `editSteps`, which takes longer. Both empty: all zero. */
export function editCounts<Word>(words: WordPair<Word>): EditCounts {
  const part = differentPart(words);
  let [substitutions, insertions, deletions] = [0, 0, 0];
  walkBack(words, part, (step) => {
    if (step === substituted) substitutions++;
    else if (step === inserted) insertions++;
    else if (step === deleted) deletions++;
  });
  const distance = SUBSTITUTION * substitutions + INSERTION * insertions + DELETION * deletions;
  return {
    correct: words.reference.length - substitutions - deletions,
    ...{ substitutions, insertions, deletions, distance },
  };
}

/** The part of both sequences that is aligned: so many reference words (rows) and others (columns) from `start` on. */
interface Part {
  start: number;
  rows: number;
  columns: number;
}

/** What is left without the words that both start and end with; a common end is paired in any case. */
function differentPart<Word>(words: WordPair<Word>): Part {
  const { reference, hypothesis } = words;
  const end = sameEnd(words);
  const [rows, columns] = [reference.length - end, hypothesis.length - end];
  let start = 0;
  while (start < rows && start < columns && reference[start] === hypothesis[start]) start++;
  return { start, rows: rows - start, columns: columns - start };
}

/** How many words both end with. */
function sameEnd<Word>({ reference, hypothesis }: WordPair<Word>): number {
  const [rows, columns] = [reference.length, hypothesis.length];
  let end = 0;
  while (end < rows && end < columns && reference[rows - 1 - end] === hypothesis[columns - 1 - end]) end++;
  return end;
}

/**
 * Calls `visit` with the steps of the cheapest alignment of a part, last one first, and with those before it until what
 * is left are pairs of equal words.
 *
 * A path that comes out of the part with a lead of n words has n insertions or deletions to come and no other error, each
 * where the words differ first: in what both start with, the cheapest way from a lead of n costs n of them.
 *
 * @returns how many pairs are left
 */
function walkBack<Word>(words: WordPair<Word>, part: Part, visit: (step: number) => void): number {
  const { reference, hypothesis } = words;
  const { start } = part;
  const width = part.columns + 1;
  const cost = costTable(words, part);
  let row = part.rows;
  let column = part.columns;
  while (row > 0 && column > 0) {
    const place = row * width + column;
    const here = cost[place]!;
    const same = reference[start + row - 1] === hypothesis[start + column - 1];
    if (cost[place - width - 1]! + (same ? 0 : SUBSTITUTION) === here) {
      visit(same ? correct : substituted);
      row--;
      column--;
    } else if (cost[place - 1]! + INSERTION === here) {
      visit(inserted);
      column--;
    } else {
      visit(deleted);
      row--;
    }
  }
  row += start;
  column += start;
  while (row !== column) {
    if (row > 0 && column > 0 && reference[row - 1] === hypothesis[column - 1]) {
      visit(correct);
      row--;
      column--;
    } else if (row < column) {
      visit(inserted);
      column--;
    } else {
      visit(deleted);
      row--;
    }
  }
  return row;
}

/** Memory of the last call, used again where it is large enough. */
let path = new Uint8Array(0);
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
