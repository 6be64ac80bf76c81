import { UsageError } from './errors.ts';

/** One of the parts that an output is computed in: whole utterances, in their order, each part about as many. */
export interface Shard {
  /** From 0. */
  index: number;
  count: number;
}

/** All of it, in one part. */
export const whole: Shard = { index: 0, count: 1 };

/** Where a part of so many utterances begins, and the next one. A part in several of these is these of all parts. */
export function rangeOf(utterances: number, { index, count }: Shard): { start: number; end: number } {
  const border = (i: number): number => Math.floor((i * utterances) / count);
  return { start: border(index), end: border(index + 1) };
}

/** The utterances of a part, of a list of all. */
export function shareOf<T>(all: readonly T[], shard: Shard): T[] {
  const { start, end } = rangeOf(all.length, shard);
  return all.slice(start, end);
}

/** What all files of parts are called, in whatever folder of an output. */
const partPattern = /(^|\/)part-\d{5,}-of-\d{5,}\./;

export const isPartName = (name: string): boolean => partPattern.test(name);

/** The file of all parts that a part is a piece of. */
export const nameOfWhole = (part: string): string => part.replace(partPattern, '$1');

const prefixOf = ({ index, count }: Shard): string =>
  `part-${String(index).padStart(5, '0')}-of-${String(count).padStart(5, '0')}`;

/** The Arrow file of a part: it stays as it is, a table is a folder of them. */
export const tableName = (shard: Shard): string => `${prefixOf(shard)}.arrow`;

/** The part that an Arrow file is of; undefined for a file of another name. */
export function parseTableName(name: string): Shard | undefined {
  const [, index, count] = /(?:^|\/)part-(\d{5,})-of-(\d{5,})\.arrow$/.exec(name) ?? [];
  return count === undefined ? undefined : { index: Number(index), count: Number(count) };
}

/** A part of a text file, which is put together once all of them are there; of one part the file itself. */
export const textName = (name: string, shard: Shard): string =>
  shard.count === 1 ? name : `${prefixOf(shard)}.${name}`;

/** The report of a part, written last: where it stands, the part is whole. */
export const partReportName = (shard: Shard): string => `${prefixOf(shard)}.json`;

/**
 * Reads `--shard i/n`.
 *
 * @throws {UsageError} when it is not one of n parts
 */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index < shard.count && shard.count <= 99999) return shard;
  throw new UsageError(`--shard ${text} is not i/n, the part i of n, counted from 0: 0/4 to 3/4`);
}
