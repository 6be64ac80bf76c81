/** Errors that choose an exit code. Everything else is a fault of ours: exit code 1, with its stack. */

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
  readonly exitCode = 2;
}

/** A file or its content is wrong: exit code 3. */
export class InputError extends Error {
  override name = 'InputError';
  readonly exitCode = 3;
}

/** The loss left the finite numbers: exit code 4. */
export class TrainingDiverged extends Error {
  override name = 'TrainingDiverged';
  readonly exitCode = 4;
}

/** The exit code an error stands for. */
export function exitCodeOf(error: unknown): number {
  const code = (error as { exitCode?: unknown } | null)?.exitCode;
  return typeof code === 'number' ? code : 1;
}

/**
 * The one line a person should read for a failing system call, or undefined when it is not one of those.
 */
export function describeSystemError(error: unknown): string | undefined {
  const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (!code || !syscall) return undefined;
  const place = path ?? 'a file';
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `Cannot access ${place}: permission denied; choose another folder or change its permissions`;
    case 'ENOENT':
      return `Cannot open ${place}: there is no such file or folder; check the path`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `Cannot write ${place}: the disk is full; free some space and run the same command again`;
    case 'ELOOP':
      return `Cannot open ${place}: symbolic links lead in a circle; remove them`;
    case 'ENAMETOOLONG':
      return `Cannot open ${place}: the name is too long; choose a shorter one`;
    case 'ENOTDIR':
    case 'EEXIST':
      return syscall === 'scandir'
        ? `Cannot read ${place}: it is not a folder; check the path`
        : `Cannot use ${place} as a folder: a file of that name is in the way; remove it or choose another folder`;
    case 'EISDIR':
      return `Cannot read ${place}: it is a folder, not a file; name the file inside it`;
    case 'EMFILE':
      return `Cannot open ${place}: too many open files; raise the limit with "ulimit -n"`;
    default:
      return undefined;
  }
}
