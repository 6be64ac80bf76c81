import type { SparseTargets } from '../math/sparse_targets.ts';
import type { ColumnType } from './arrow_file.ts';
import { InputError } from './errors.ts';
import type { Row } from './utterance_table.ts';

/**
 * The rows of an essence: soft targets of one utterance each, all its frames one after another.
 *
 * | column | per frame |
 * |---|---|
 * | `tokens`, `logPosteriors` | the tokens kept, best first, and their log-posteriors |
 * | `logTail` | log of the mass not kept |
 * | `weight` | how far the gate is open; 0 comes without tokens where there are offsets |
 * | `offsets` | one more than frames: where its tokens begin; absent where each frame keeps `kd.k` tokens |
 *
 * @param k tokens of each frame, where it is the same number for all
 */
export const essenceColumns = (k?: number): Record<string, ColumnType> => ({
  tokens: 'list<uint16>',
  logPosteriors: 'list<float16>',
  logTail: 'list<float32>',
  weight: 'list<float16>',
  ...(k === undefined ? { offsets: 'list<int32>' } : {}),
});

/** Soft targets of an utterance as a row to write. */
export const rowOfSparseTargets = (utterance: string, targets: SparseTargets): Row =>
  ({ utterance, frames: targets.weight.length, ...targets }) as Row;

/**
 * Soft targets of a row.
 *
 * @param metadata of the file, for `kd.k`
 * @throws {InputError} when the columns do not fit each other
 */
export function sparseTargetsOfRow(row: Row, metadata: Record<string, string>): SparseTargets {
  const { utterance, frames } = row;
  const { tokens, logPosteriors, logTail, weight } = row as Row & SparseTargets;
  const offsets = (row.offsets as Int32Array | undefined) ?? evenOffsets(frames, Number(metadata['kd.k']));
  const fits =
    tokens instanceof Uint16Array &&
    logPosteriors?.length === tokens.length &&
    logTail?.length === frames &&
    weight?.length === frames &&
    offsets.length === frames + 1 &&
    offsets[0] === 0 &&
    offsets[frames] === tokens.length &&
    offsets.every((offset, i) => i === 0 || offset >= offsets[i - 1]!);
  if (!fits) throw refuse(utterance, `its columns do not describe ${frames} frames`);
  return { offsets, tokens, logPosteriors, logTail, weight };
}

const evenOffsets = (frames: number, k: number): Int32Array => Int32Array.from({ length: frames + 1 }, (_, i) => i * k);

/**
 * Log-posteriors of a row that keeps all tokens, in the order of their ids, [frames × vocabularySize].
 *
 * @throws {InputError} when a frame does not keep all tokens
 */
export function denseLogPosteriorsOfRow(row: Row, vocabularySize: number): Float32Array {
  const { utterance, frames } = row;
  const { tokens, logPosteriors } = row as Row & SparseTargets;
  const dense = new Float32Array(frames * vocabularySize).fill(Number.NaN);
  const complete = tokens?.length === dense.length && logPosteriors?.length === dense.length;
  if (complete) {
    for (let i = 0; i < dense.length; i++) {
      if (tokens[i]! < vocabularySize) dense[i - (i % vocabularySize) + tokens[i]!] = logPosteriors[i]!;
    }
  }
  if (!complete || dense.some(Number.isNaN)) {
    throw refuse(utterance, `it does not keep all ${vocabularySize} tokens in each of ${frames} frames (--select all)`);
  }
  return dense;
}

const refuse = (utterance: string, why: string): InputError =>
  new InputError(`Cannot use the soft targets of utterance "${utterance}": ${why}; run filter_targets again`);
