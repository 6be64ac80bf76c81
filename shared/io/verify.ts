import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileSha256 } from './digest.ts';
import { InputError } from './errors.ts';
import { createOutputFolder, type OutputFolder } from './output_folder.ts';
import { type FileEntry, readReport } from './report_file.ts';
import { isPartName, parseTableName, type Shard, tableName } from './shard.ts';
import { openUtterances, type Row } from './utterance_table.ts';

/** What was looked at and found right. */
export interface Verified {
  files: number;
  bytes: number;
  /** Utterances that were made again, and came out the same. */
  utterancesRemade: number;
}

/** Computes one part of the output once more, into another folder. */
export type Remake = (shard: Shard, out: OutputFolder) => Promise<unknown>;

/**
 * Checks an output, or the finished parts of one, against the digests of its files, and a few utterances of each table
 * against what the stage makes of them now. What fails is moved into `quarantine/`, so that the next run makes it again.
 *
 * @param remake where the stage can compute its output in parts
 * @throws {InputError} naming what failed, and why
 */
export async function verifyOutput(path: string, id: string, remake?: Remake): Promise<Verified> {
  const reports = reportsOf(path, id);
  const files = Object.assign({}, ...Object.values(reports)) as Record<string, FileEntry>;
  const verified = { files: 0, bytes: 0, utterancesRemade: 0 };
  const wrong: string[] = [];
  for (const [name, entry] of Object.entries(files)) {
    const file = join(path, name);
    let why = faultOf(file, entry);
    if (!why && remake && parseTableName(name)) {
      const { utterances, fault } = await compareAgain(path, name, remake);
      verified.utterancesRemade += utterances;
      why = fault;
    }
    if (why) {
      wrong.push(`${name} ${why}`);
      quarantine(path, name, reports);
    } else {
      verified.files++;
      verified.bytes += entry.bytes;
    }
  }
  if (wrong.length === 0) return verified;
  throw new InputError(
    `Cannot trust ${path}: ${wrong.length} of ${Object.keys(files).length} files do not verify, and are in ${join(path, 'quarantine')} now: ${wrong.join('; ')}; run the same command without --verify to make them again`,
  );
}

/** Files of each report of this key: that of the whole, or those of its parts. */
function reportsOf(path: string, id: string): Record<string, Record<string, FileEntry>> {
  const names = existsSync(path) ? readdirSync(path) : [];
  const found = names
    .filter((name) => name === 'report.json' || (isPartName(name) && name.endsWith('.json')))
    .flatMap((name) => {
      const report = readReport(path, name);
      return report?.id === id ? [[name, report.files] as const] : [];
    });
  if (found.length === 0) {
    throw new InputError(
      `Cannot verify ${path}: nothing in it was finished with these options, inputs and code; run the command without --verify`,
    );
  }
  const reports = Object.fromEntries(found);
  // the texts of parts are gone where the whole has been put together
  if (reports['report.json']) {
    for (const [name, files] of found) {
      reports[name] = Object.fromEntries(Object.entries(files).filter(([file]) => file in reports['report.json']!));
    }
  }
  return reports;
}

function faultOf(file: string, { sha256 }: FileEntry): string | undefined {
  if (!existsSync(file)) return 'is missing';
  const found = fileSha256(file);
  return found === sha256 ? undefined : `has the digest ${found.slice(0, 12)}… instead of ${sha256.slice(0, 12)}…`;
}

/** Moved aside, and none of the reports vouches for it any more. */
function quarantine(path: string, name: string, reports: Record<string, Record<string, FileEntry>>): void {
  for (const [report, files] of Object.entries(reports)) {
    if (name in files) rmSync(join(path, report), { force: true });
  }
  if (!existsSync(join(path, name))) return;
  const folder = join(path, 'quarantine');
  mkdirSync(folder, { recursive: true });
  renameSync(join(path, name), join(folder, `${basename(name)}.${new Date().toISOString().replace(/[:.]/g, '')}`));
}

/** Utterances that are made again of each table. */
const remadeAtOnce = 4;

/** Makes a few utterances of a table again. */
async function compareAgain(
  path: string,
  name: string,
  remake: Remake,
): Promise<{ utterances: number; fault?: string }> {
  const stored = await openUtterances(join(path, name), { mayBeEmpty: true });
  const folder = mkdtempSync(join(tmpdir(), 'verify-'));
  const out = createOutputFolder(folder);
  try {
    const { index, count } = parseTableName(name)!;
    const finer = Math.max(1, Math.ceil(stored.utterances.length / remadeAtOnce));
    const shard = { index: index * finer + Math.floor(Math.random() * finer), count: count * finer };
    await remake(shard, out);
    out.commit({ id: 'remade', files: { ...out.files } });
    const remade = join(dirname(name), tableName(shard));
    if (!(remade in out.files)) return { utterances: 0 };
    const again = await openUtterances(join(folder, remade), { mayBeEmpty: true });
    try {
      for await (const row of again.rows()) {
        const fault = stored.has(row.utterance) ? differenceOf(await stored.read(row.utterance), row) : 'is not in it';
        if (fault)
          return { utterances: 0, fault: `does not hold what its inputs give: utterance "${row.utterance}" ${fault}` };
      }
      return { utterances: again.utterances.length };
    } finally {
      await again.close();
    }
  } finally {
    out.discard();
    rmSync(folder, { recursive: true, force: true });
    await stored.close();
  }
}

/** Two units in the last place of a half float: what another processor may make of the same sums. */
const tolerance = 2 / 1024;

/** What differs between two rows, if anything does. */
function differenceOf(stored: Row, again: Row): string | undefined {
  for (const [column, cell] of Object.entries(again)) {
    const [a, b] = [stored[column], cell].map((value) => (typeof value === 'object' ? value : [value]));
    if (a!.length !== b!.length) return `has ${a!.length} values in ${column} instead of ${b!.length}`;
    const isNear = (x: unknown, y: unknown): boolean =>
      x === y ||
      (cell instanceof Float32Array && Math.abs(Number(x) - Number(y)) <= tolerance * Math.max(1, Math.abs(Number(y))));
    for (let i = 0; i < b!.length; i++) {
      if (!isNear(a![i], b![i])) return `has ${a![i]} in ${column}, at ${i}, instead of ${b![i]}`;
    }
  }
  return undefined;
}
