import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileSha256 } from './digest.ts';
import { InputError } from './errors.ts';
import type { Timing } from './stopwatch.ts';

/** What a finished file holds. */
export interface FileEntry {
  bytes: number;
  sha256: string;
}

/** What a stage leaves in `report.json`; the stage's own counts and figures stand beside these fields. */
export interface StageReport {
  schemaVersion: number;
  stage: string;
  /** Key of the work: hash of stage, version, options, inputs' ids, engine and code. */
  id: string;
  options: Record<string, unknown>;
  /** Folders read, by option; paths as given on the command line. */
  inputs: Record<string, { path: string; id: string }[]>;
  files: Record<string, FileEntry>;
  timing: Timing;
  [figure: string]: unknown;
}

/** A folder another stage made. */
export interface InputFolder {
  path: string;
  id: string;
  report: StageReport;
}

/** The report of a folder, or of one of its parts; undefined where there is none (or half of one). */
export function readReport(path: string, name = 'report.json'): StageReport | undefined {
  try {
    const report = JSON.parse(readFileSync(join(path, name), 'utf8'));
    return typeof report?.id === 'string' && typeof report.stage === 'string' ? report : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a folder holds the finished work of this key, or a finished part of it. */
export function isFresh(path: string, id: string, name?: string): boolean {
  const report = readReport(path, name);
  if (report?.id !== id) return false;
  try {
    checkFiles(path, report.files);
    return true;
  } catch {
    return false;
  }
}

/** @throws {InputError} where there is nothing at a path, naming the flag it was given with */
export function checkIsThere(path: string, flag?: string): void {
  if (existsSync(path)) return;
  throw new InputError(`Cannot read ${path}${flag ? ` (--${flag})` : ''}: it is not there; check the path`);
}

/**
 * The folder of a stage, for reading.
 *
 * @throws {InputError} where there is no finished report or a file is missing or cut off
 */
export function openInputFolder(path: string): InputFolder {
  checkIsThere(path);
  const report = readReport(path);
  if (!report) {
    throw new InputError(
      `Cannot read ${path}: it has no report.json of a finished stage; make it first, or check the path`,
    );
  }
  checkFiles(path, report.files);
  return { path, id: report.id, report };
}

/** The same, or a file that no stage made: its digest is its id. */
export function openFolderOrFile(path: string): InputFolder {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return openInputFolder(path);
  const id = fileSha256(path);
  return { path, id, report: { stage: 'file', id } as StageReport };
}

/** Refuses a folder whose files are not what its report says: by size, which costs nothing. */
function checkFiles(path: string, files: Record<string, FileEntry>): void {
  for (const [name, { bytes }] of Object.entries(files)) {
    const file = join(path, name);
    const found = existsSync(file) ? statSync(file).size : undefined;
    if (found !== bytes) {
      const state = found === undefined ? 'is missing' : `has ${found} bytes instead of ${bytes}`;
      throw new InputError(
        `Cannot use ${path}: ${name} ${state}; remove ${join(path, 'report.json')} and make it again`,
      );
    }
  }
}
