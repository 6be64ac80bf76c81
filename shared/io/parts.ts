import { join } from 'node:path';
import { fileSha256, readPieces } from './digest.ts';
import { InputError, UsageError } from './errors.ts';
import type { OptionTable } from './options.ts';
import type { OutputFolder } from './output_folder.ts';
import { isFresh, readReport, type StageReport } from './report_file.ts';
import { isPartName, nameOfWhole, parseShard, partReportName, type Shard } from './shard.ts';

/** Options of a stage whose output can be computed in parts. */
export const partOptions = {
  shards: {
    type: 'number',
    integer: true,
    min: 1,
    max: 99999,
    describe: 'parts that the output is written in, one after another, those that are there left alone; 1 unless given',
    role: 'execution',
  },
  shard: { type: 'string', describe: 'i/n: part i of n alone, counted from 0; see --finish', role: 'execution' },
  finish: {
    type: 'boolean',
    default: false,
    describe: 'computes none of --shards: checks that all are there and belong together, and writes the report',
    role: 'execution',
  },
} as const satisfies OptionTable;

/** What a call is to compute, and whether that completes the output. */
export interface Division {
  /** The parts of the whole. */
  all: Shard[];
  compute: Shard[];
  completes: boolean;
}

/** @throws {UsageError} when options of one part and of all are mixed */
export function divisionOf({ shard, shards, finish }: Record<string, unknown>): Division {
  const partsOf = (count: number): Shard[] => Array.from({ length: count }, (_, index) => ({ index, count }));
  if (shard === undefined) {
    if (finish && shards === undefined) throw new UsageError('--finish wants to know of how many parts: give --shards');
    const all = partsOf((shards as number | undefined) ?? 1);
    return { all, compute: finish ? [] : all, completes: true };
  }
  if (shards !== undefined || finish) {
    throw new UsageError('--shard computes one part alone: leave out --shards and --finish');
  }
  const one = parseShard(shard as string);
  return { all: partsOf(one.count), compute: [one], completes: one.count === 1 };
}

/** An utterance that was left out. */
export interface Skipped {
  utterance: string;
  why: string;
}

/** The report of a part: what its stage counted, for the figures of the whole. */
export interface PartReport extends StageReport {
  shard: string;
  counted: unknown;
  skipped?: Skipped[];
}

/** JSON has no numbers for these. */
const spelled: Record<string, number> = { NaN: Number.NaN, Infinity: Number.POSITIVE_INFINITY };
const spell = (_: string, value: unknown): unknown =>
  typeof value === 'number' && String(value) in spelled ? String(value) : value;
const read = (_: string, value: unknown): unknown => (typeof value === 'string' ? (spelled[value] ?? value) : value);

/** Gives a part its names. */
export function commitPart(out: OutputFolder, report: StageReport, shard: Shard): StageReport {
  const counted = JSON.parse(JSON.stringify(report.counted, spell));
  const named = { ...report, shard: nameOf(shard), counted };
  out.commitPart(named, partReportName(shard));
  return named;
}

const nameOf = ({ index, count }: Shard): string => `${index}/${count}`;

/** The finished part of this key, if it is there. Files that parts share are small, and compared by content. */
export function readPart(path: string, id: string, shard: Shard): PartReport | undefined {
  const name = partReportName(shard);
  if (!isFresh(path, id, name)) return undefined;
  const report = readReport(path, name) as PartReport;
  const isShared = ([file]: [string, unknown]): boolean => !isPartName(file);
  const shared = Object.entries(report.files).filter(isShared);
  if (shared.some(([file, { sha256 }]) => fileSha256(join(path, file)) !== sha256)) return undefined;
  return { ...report, counted: JSON.parse(JSON.stringify(report.counted), read) };
}

/**
 * All parts of an output.
 *
 * @throws {InputError} naming those that are missing, or were made by other options
 */
export function readParts(path: string, id: string, all: readonly Shard[]): PartReport[] {
  const found = all.map((shard) => readPart(path, id, shard));
  const missing = all.filter((_, i) => !found[i]).map(nameOf);
  if (missing.length === 0) return found as PartReport[];
  throw new InputError(
    `Cannot finish ${path}: ${missing.length} of ${all.length} parts are missing, or made from something else, first: ${missing.slice(0, 3).join(', ')}; compute each with --shard, or all without --finish`,
  );
}

/**
 * Puts the text files of parts together in the folder.
 *
 * @returns the files of the parts that stay: tables, and what parts share
 */
export function joinTexts(out: OutputFolder, parts: readonly PartReport[]): StageReport['files'] {
  const isPiece = (file: string): boolean => isPartName(file) && !file.endsWith('.arrow');
  const files = parts.flatMap((part) => Object.entries(part.files));
  const pieces = files.map(([file]) => file).filter(isPiece);
  for (const name of new Set(pieces.map(nameOfWhole))) {
    const sink = out.createFile(name);
    for (const piece of pieces.filter((piece) => nameOfWhole(piece) === name)) {
      readPieces(join(out.path, piece), (bytes) => sink.write(bytes));
    }
    sink.close();
  }
  return Object.fromEntries(files.filter(([file]) => !isPiece(file)));
}

/** What all parts left out; a fault that several of them met counts once. */
export function skippedOf(parts: readonly PartReport[]): Skipped[] {
  const all = parts.flatMap(({ skipped = [] }) => skipped);
  return [...new Map(all.map((one) => [one.utterance, one])).values()].sort((a, b) =>
    a.utterance < b.utterance ? -1 : 1,
  );
}

/**
 * The figures of a whole whose parts each have some: sums of some of them, while all others are the same in each part.
 *
 * @throws {InputError} naming a figure that differs
 */
export function withSums<Figures extends Record<string, unknown>, Sum extends keyof Figures & string>(
  parts: readonly Figures[],
  sums: readonly Sum[],
): Figures {
  const total = Object.fromEntries(
    sums.map((name) => [name, parts.reduce((sum, part) => sum + (part[name] as number), 0)]),
  );
  for (const [name, value] of Object.entries(parts[0]!)) {
    const other = parts.findIndex((part) => JSON.stringify(part[name]) !== JSON.stringify(value));
    if (name in total || other < 0) continue;
    throw new InputError(
      `Cannot put parts together: ${name} is ${JSON.stringify(value)} in part 0 and ${JSON.stringify(parts[other]![name])} in part ${other}; make all of them from the same data`,
    );
  }
  return { ...parts[0]!, ...total };
}
