import { decodeSteps, decodeTokens, encodeSteps, encodeTokens } from '../math/frame_codes.ts';
import type { CachedFrames } from '../math/sparse_cache.ts';
import type { ColumnType } from './arrow_file.ts';
import { InputError } from './errors.ts';
import type { Row } from './utterance_table.ts';

/** What a sparse cache says of itself, the same for all its rows. */
export interface SparseHeader {
  k: number;
  vocabularySize: number;
  /** Declared when it was made. */
  temperatures: readonly number[];
  hasBlank: boolean;
  hasLabels: boolean;
  hasAgreement: boolean;
  /** Whether it is the mean of the posteriors of several teachers. */
  isMean: boolean;
  /** Whether tokens and log-posteriors are coded so that they compress better. */
  isCoded: boolean;
}

/** Whether coding pays, and can be done: long lists of tokens take long to look through. */
export const canCode = ({ k, vocabularySize }: Pick<SparseHeader, 'k' | 'vocabularySize'>): boolean =>
  k <= 64 && k + vocabularySize <= 65536;

const columnOf = (temperature: number): string => `logZ_${temperature}`;

/**
 * The rows of a sparse cache: frames of one utterance each, one after another.
 *
 * | column | per frame |
 * |---|---|
 * | `tokens`, `logPosteriors` | the `kd.k` best tokens, best first, and their log-posteriors at temperature 1 |
 * | `tokenCodes`, `logPosteriorSteps` | in their place where the file is compressed: see `encodeTokens`, `encodeSteps` |
 * | `logZ_T` | one column a temperature of `kd.temperatures`: p_T(v) = exp(logPosterior / T − logZ_T) |
 * | `entropy` | of all tokens at temperature 1, nats |
 * | `agreeing` | how many teachers have that best token; where there are several |
 * | `logPosteriorOfBlank`, `logPosteriorOfLabel` | at temperature 1, whether among the best or not; where there is one |
 *
 * At temperature 1 the normaliser only makes up for rounding, and half precision holds so small a number to 3e-7.
 */
export function sparseColumns(
  header: Omit<SparseHeader, 'k' | 'vocabularySize' | 'isMean'>,
): Record<string, ColumnType> {
  return {
    ...(header.isCoded
      ? { tokenCodes: 'list<uint16>', logPosteriorSteps: 'list<uint16>' }
      : { tokens: 'list<uint16>', logPosteriors: 'list<float16>' }),
    ...Object.fromEntries(
      header.temperatures.map((temperature) => [
        columnOf(temperature),
        temperature === 1 ? ('list<float16>' as const) : ('list<float32>' as const),
      ]),
    ),
    entropy: 'list<float16>',
    ...(header.hasAgreement && { agreeing: 'list<uint8>' }),
    ...(header.hasBlank && { logPosteriorOfBlank: 'list<float16>' }),
    ...(header.hasLabels && { logPosteriorOfLabel: 'list<float16>' }),
  };
}

/** Cached frames of an utterance as a row to write. */
export function rowOfCachedFrames(
  utterance: string,
  frames: CachedFrames,
  { isCoded }: Pick<SparseHeader, 'isCoded'>,
): Row {
  const { k, tokens, logPosteriors, logZ, entropy, agreeing, ofBlank, ofLabel } = frames;
  return {
    ...{ utterance, frames: entropy.length, entropy },
    ...(isCoded
      ? { tokenCodes: encodeTokens(tokens, k), logPosteriorSteps: encodeSteps(logPosteriors, k) }
      : { tokens, logPosteriors }),
    ...Object.fromEntries([...logZ].map(([temperature, values]) => [columnOf(temperature), values])),
    ...(agreeing && { agreeing }),
    ...(ofBlank && { logPosteriorOfBlank: ofBlank }),
    ...(ofLabel && { logPosteriorOfLabel: ofLabel }),
  } as unknown as Row;
}

/** The header as metadata of a file. */
export const metadataOfSparse = ({
  k,
  vocabularySize,
  temperatures,
}: Pick<SparseHeader, 'k' | 'vocabularySize' | 'temperatures'>): Record<string, string> => ({
  'kd.format': 'sparse-logits',
  'kd.version': '1',
  'kd.k': String(k),
  'kd.vocabularySize': String(vocabularySize),
  'kd.temperatures': JSON.stringify(temperatures),
});

/**
 * The header of a sparse cache.
 *
 * @throws {InputError} when its metadata or columns are not those of one
 */
export function readSparseHeader({
  path,
  metadata,
  columns,
}: {
  path: string;
  metadata: Record<string, string>;
  columns: Record<string, string>;
}): SparseHeader {
  const [k, vocabularySize] = [Number(metadata['kd.k']), Number(metadata['kd.vocabularySize'])];
  const temperatures = numbersOf(metadata['kd.temperatures']);
  const weights = numbersOf(metadata['kd.weights']);
  const hasAgreement = 'agreeing' in columns;
  const header = {
    ...{ k, vocabularySize, temperatures, hasAgreement },
    isMean: metadata['kd.combine'] === 'linear' && hasAgreement && weights.filter((weight) => weight > 0).length !== 1,
    hasBlank: 'logPosteriorOfBlank' in columns,
    hasLabels: 'logPosteriorOfLabel' in columns,
    isCoded: 'tokenCodes' in columns,
  };
  const expected = Object.entries(sparseColumns(header));
  const lacking = expected.filter(([name, type]) => columns[name] !== type).map(([name]) => name);
  const isSound = k >= 1 && k <= vocabularySize && temperatures.length > 0 && temperatures.every((t) => t > 0);
  if (!isSound) lacking.push('kd.k, kd.temperatures');
  if (lacking.length === 0) return header;
  throw new InputError(`Cannot read ${path}: a sparse cache needs ${lacking.join(', ')}; cache again`);
}

function numbersOf(text: string | undefined): number[] {
  try {
    const found = JSON.parse(text ?? '[]');
    return Array.isArray(found) && found.every(Number.isFinite) ? found : [];
  } catch {
    return [];
  }
}

/**
 * Cached frames of a row.
 *
 * @throws {InputError} when its columns do not fit each other, naming the utterance
 */
export function cachedFramesOfRow(row: Row, header: SparseHeader): CachedFrames {
  const { k, vocabularySize, temperatures } = header;
  const { utterance, frames } = row;
  const { entropy, agreeing, logPosteriorOfBlank: ofBlank, logPosteriorOfLabel: ofLabel } = row as unknown as Columns;
  const logZ = new Map(temperatures.map((temperature) => [temperature, row[columnOf(temperature)] as Float32Array]));
  const refuse = () =>
    new InputError(
      `Cannot filter utterance "${utterance}": its columns do not describe ${frames} frames of ${k} of ${vocabularySize} tokens; cache again`,
    );
  const perFrame = [entropy, agreeing, ofBlank, ofLabel, ...logZ.values()];
  if (!perFrame.every((list) => list === undefined || list.length === frames)) throw refuse();
  const { tokens, logPosteriors } = rankedOf(row as unknown as Columns, header) ?? {};
  if (tokens?.length !== frames * k || logPosteriors?.length !== frames * k || isBeyond(tokens, vocabularySize)) {
    throw refuse();
  }
  return {
    ...{ k, vocabularySize, tokens, logPosteriors, logZ, entropy },
    ...(agreeing && { agreeing }),
    ...(ofBlank && { ofBlank }),
    ...(ofLabel && { ofLabel }),
  };
}

/** The columns whose names do not depend on the temperatures. */
interface Columns extends Pick<CachedFrames, 'tokens' | 'logPosteriors' | 'entropy' | 'agreeing'> {
  tokenCodes: Uint16Array;
  logPosteriorSteps: Uint16Array;
  logPosteriorOfBlank?: Float32Array;
  logPosteriorOfLabel?: Float32Array;
}

/** @returns undefined where codes are spoilt */
function rankedOf({ tokens, logPosteriors, tokenCodes, logPosteriorSteps }: Columns, { k, isCoded }: SparseHeader) {
  if (!isCoded) return { tokens, logPosteriors };
  try {
    return { tokens: decodeTokens(tokenCodes, k), logPosteriors: decodeSteps(logPosteriorSteps, k) };
  } catch {
    return undefined;
  }
}

function isBeyond(tokens: Uint16Array, vocabularySize: number): boolean {
  for (let i = 0; i < tokens.length; i++) if (tokens[i]! >= vocabularySize) return true;
  return false;
}
