/** What losses need to know of the student in one frame; filled by `readStudentRow`, its arrays used again each time. */
export interface StudentRow {
  readonly logits: Float32Array;
  readonly vocabularySize: number;
  readonly temperature: number;
  /** Place of the frame's first logit. */
  start: number;
  /** exp(z/T − largest z/T) of each token: the posterior is this over `sum`. */
  readonly exponentials: Float64Array;
  sum: number;
  /** log Σ exp(z/T): the log-posterior is z/T less this. */
  logSum: number;
}

export function createStudentRow(logits: Float32Array, vocabularySize: number, temperature: number): StudentRow {
  const exponentials = new Float64Array(vocabularySize);
  return { logits, vocabularySize, temperature, start: 0, exponentials, sum: 0, logSum: 0 };
}

/** Turns to a frame: one exponential a token. */
export function readStudentRow(row: StudentRow, frame: number): void {
  const { logits, vocabularySize, temperature, exponentials } = row;
  const start = frame * vocabularySize;
  let largest = -Infinity;
  for (let token = 0; token < vocabularySize; token++) {
    if (logits[start + token]! > largest) largest = logits[start + token]!;
  }
  const inverse = 1 / temperature;
  let sum = 0;
  for (let token = 0; token < vocabularySize; token++) {
    const exponential = Math.exp((logits[start + token]! - largest) * inverse);
    exponentials[token] = exponential;
    sum += exponential;
  }
  row.start = start;
  row.sum = sum;
  row.logSum = largest * inverse + Math.log(sum);
}
