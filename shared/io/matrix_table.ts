/** A matrix of one utterance, row-major. */
export interface Matrix {
  rows: number;
  columns: number;
  /** [rows × columns] */
  values: Float32Array;
}

/** Matrices by utterance, as other toolkits keep them; one in memory at a time. */
export interface MatrixTable {
  readonly path: string;
  readonly utterances: readonly string[];
  /** Files that it reads, for digests. */
  readonly files: readonly string[];
  has(utterance: string): boolean;
  /** @throws {InputError} when it is not there, is cut off or is none */
  read(utterance: string): Matrix;
  close(): void;
}
