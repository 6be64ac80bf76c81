import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type FileEntry, isFresh, readReport } from './report_file.ts';
import { isPartName } from './shard.ts';

/** A file being written, front to back. */
export interface Sink {
  /** Appends the bytes. */
  write(bytes: Uint8Array): void;
  /** Bytes that wait to be written, where they are collected first; for estimates. */
  pending?: number;
  /** Ends the file: its bytes are on the disk afterwards, though not yet under its name. */
  close(): void;
}

/**
 * The folder a stage writes: files appear in it all at once, `report.json` last.
 *
 * Each file goes to a unique temporary name beside its final one, is flushed, and gets its name at `commit`.
 * `report.json` is removed before the first file changes and written after the last, so that where it stands,
 * all files of the folder belong to it. A part of an output has its own report among the others', for which the same holds.
 */
export interface OutputFolder {
  readonly path: string;
  /** A new file of the folder; `name` may lie in a subfolder. */
  createFile(name: string): Sink;
  writeText(name: string, text: string): void;
  writeJson(name: string, value: unknown): void;
  /** Files closed so far, by name. */
  readonly files: Record<string, FileEntry>;
  /** Bytes of all files so far, open ones and what they wait for included. */
  bytesWritten(): number;
  /** Keeps where a long run stands for one that goes on from there, should this one be killed; gone with `commit`. */
  writeCheckpoint(parts: readonly Uint8Array[]): void;
  /** What the last run kept that did not get to its end, whatever it was. */
  readCheckpoint(): Buffer | undefined;
  /**
   * Gives all files their names, writes the report, and removes what earlier reports and parts left beside its files.
   * Where another run was first with the same id, ours goes.
   *
   * @param keep more files that stay
   */
  commit(report: Committed, keep?: readonly string[]): void;
  /** The same for a part: its report has a name of its own, and nothing is removed but the report of the whole. */
  commitPart(report: Committed, name: string): void;
  /** Removes what was written and not committed. */
  discard(): void;
}

export interface Committed {
  id: string;
  files: Record<string, FileEntry>;
}

/** A name that no other process uses, and that tells a later run whether its maker still lives. */
const suffix = () => `.tmp-${hostname()}-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
const temporaryName = /\.tmp-(?<host>.+)-(?<pid>\d+)-[a-z0-9]+$/;

/** Files of parts, of whatever key and number, in a folder; not those of other outputs below it. */
function partsIn(path: string): string[] {
  const all = readdirSync(path, { recursive: true, encoding: 'utf8' });
  const isReport = (name: string) => basename(name) === 'report.json' || (isPartName(name) && name.endsWith('.json'));
  const others = all.filter((name) => name.includes('/') && isReport(name)).map(dirname);
  return all
    .filter((name) => isPartName(name) && !temporaryName.test(name) && !name.startsWith('quarantine/'))
    .filter((name) => !others.some((other) => name.startsWith(`${other}/`)));
}

export function createOutputFolder(path: string): OutputFolder {
  mkdirSync(path, { recursive: true });
  removeLeftOvers(path);
  const files: Record<string, FileEntry> = {};
  const checkpoint = join(path, 'checkpoint.bin');
  const temporary = new Map<string, string>();
  const open = new Set<number>();
  const sinks: { sink: Sink; bytes: number }[] = [];

  const createFile = (name: string): Sink => {
    const target = join(path, name);
    mkdirSync(dirname(target), { recursive: true });
    const place = target + suffix();
    const file = openSync(place, 'wx');
    temporary.set(name, place);
    open.add(file);
    const onDisk = <T>(work: () => T): T => naming(target, work);
    const hash = createHash('sha256');
    const sink: Sink = {
      write(chunk) {
        onDisk(() => writeWhole(file, chunk));
        hash.update(chunk);
        state.bytes += chunk.length;
      },
      close() {
        onDisk(() => fsyncSync(file));
        closeSync(file);
        open.delete(file);
        files[name] = { bytes: state.bytes, sha256: hash.digest('hex') };
      },
    };
    const state = { sink, bytes: 0 };
    sinks.push(state);
    return sink;
  };
  const writeText = (name: string, text: string): void => {
    const sink = createFile(name);
    sink.write(Buffer.from(text));
    sink.close();
  };
  const discard = (): void => {
    for (const file of open) closeSync(file);
    open.clear();
    for (const place of temporary.values()) rmSync(place, { force: true });
    temporary.clear();
  };
  /** Everything under its name, the report last; nothing where another run was first. */
  const publish = (report: Committed, name: string, stale: () => string[]): void => {
    if (open.size > 0) throw new Error(`Cannot commit ${path}: ${open.size} files are still open`);
    if (isFresh(path, report.id) || isFresh(path, report.id, name)) {
      discard();
      return;
    }
    writeText(name, `${JSON.stringify(report, null, 1)}\n`);
    rmSync(join(path, name), { force: true });
    // a part of what the whole is of may come late, and changes nothing
    if (readReport(path)?.id !== report.id) rmSync(join(path, 'report.json'), { force: true });
    for (const [file, place] of temporary) if (file !== name) renameSync(place, join(path, file));
    for (const old of stale()) rmSync(join(path, old), { force: true });
    renameSync(temporary.get(name)!, join(path, name));
    temporary.clear();
    flushFolder(path);
  };
  return {
    path,
    files,
    createFile,
    bytesWritten: () => sinks.reduce((sum, { sink, bytes }) => sum + bytes + (sink.pending ?? 0), 0),
    writeText,
    writeJson: (name, value) => writeText(name, `${JSON.stringify(value, null, 1)}\n`),
    discard,
    writeCheckpoint(parts) {
      const place = checkpoint + suffix();
      const file = openSync(place, 'wx');
      try {
        naming(checkpoint, () => {
          for (const part of parts) writeWhole(file, part);
          fsyncSync(file);
        });
        renameSync(place, checkpoint);
      } finally {
        closeSync(file);
        rmSync(place, { force: true });
      }
    },
    readCheckpoint: () => (existsSync(checkpoint) ? readFileSync(checkpoint) : undefined),
    commit(report, keep = []) {
      const earlier = Object.keys(readReport(path)?.files ?? {});
      const stays = new Set([...Object.keys(report.files), ...keep]);
      publish(report, 'report.json', () => [...earlier, ...partsIn(path)].filter((name) => !stays.has(name)));
      rmSync(checkpoint, { force: true });
    },
    commitPart: (report, name) => publish(report, name, () => []),
  };
}

/** What the system says of an open file lacks its name. */
function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw Object.assign(error as Error, { path });
  }
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done);
}

/** Renames reach the disk with their folder. */
function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Temporary files of runs that were killed on this machine. */
function removeLeftOvers(path: string): void {
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    const match = temporaryName.exec(name)?.groups;
    if (match?.host === hostname() && !isAlive(Number(match.pid))) rmSync(join(path, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const status = `/proc/${pid}/stat`;
    // killed, but its parent has not looked yet: the state stands behind the name in brackets
    return !existsSync(status) || !/\) [ZX] /.test(readFileSync(status, 'latin1'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
