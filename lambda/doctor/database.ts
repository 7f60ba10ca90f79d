import { ConfigurationError } from '../contract/errors.ts';
import type { Environment } from '../contract/switches.ts';
import { type DatabaseOptions, databaseOptionsOf } from '../database/options.ts';
import { createPool, type Database } from '../database/pool.ts';
import { codeOf } from './codes.ts';
import { type Examination, type Finding, fail, pass } from './examination.ts';
import { addressOf, listens, resolves } from './reach.ts';
import { clockOf } from './redis-server.ts';
import { migrationsOf, outboxOf, triggersOf } from './schema.ts';
import { refused } from './variables.ts';

const OLDEST = 14;

/**
 * Examines the PostgreSQL of DATABASE_URL as its role, step by step from the name to the outbox.
 * @returns connections for what comes after, where it can be reached; to be ended.
 */
export async function examineDatabase(
  { check }: Examination,
  environment: Environment,
): Promise<Database | undefined> {
  let options: DatabaseOptions | undefined;
  await check('database url', [], () => {
    try {
      options = databaseOptionsOf(environment, 'database');
      if (isPostgres(options.url)) return pass('is one');
      return fail('DATABASE_URL is no URL of PostgreSQL', 'write postgresql://user:password@host:5432/name');
    } catch (error) {
      if (error instanceof ConfigurationError) return refused(error);
      throw error;
    }
  });
  const isUrl = options !== undefined && isPostgres(options.url);
  const address = addressOf(isUrl ? (options?.url ?? '') : 'postgresql://nowhere', 5432, 'DATABASE_URL');
  await check('database address', ['database url'], () => resolves(address));
  await check('database port', ['database address'], () => listens(address));
  const database = openDatabase(isUrl ? options : undefined);
  const asked = (): Database => {
    if (database) return database;
    throw new Error('DATABASE_URL is not set');
  };
  await check('database login', ['database port'], () => loginTo(asked()));
  await check('database version', ['database login'], () => versionOf(asked()));
  await check('database migrations', ['database login'], () => migrationsOf(asked()));
  await check('database triggers', ['database migrations'], () => triggersOf(asked()));
  await check('outbox', ['database migrations'], () => outboxOf(asked()));
  await check('database clock', ['database login'], async () => {
    const beganAt = Date.now();
    const { rows } = await asked().query<{ ms: number }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
    );
    return clockOf(rows[0]?.ms ?? 0, { beganAt, endedAt: Date.now() });
  });
  return database;
}

/** A pool of one connection for the doctor, or who else asks once. Nothing is connected before the first query. */
export function openDatabase(options: DatabaseOptions | undefined): Database | undefined {
  if (!options) return undefined;
  return createPool({
    ...{ ...options, applicationName: 'cutover-doctor', maxConnections: 1 },
    // One that pauses takes a minute to resume.
    patient: options.idle === 'close',
  });
}

const isPostgres = (url: string): boolean =>
  URL.canParse(url) && /^postgres(ql)?:\/\//.test(url) && new URL(url).hostname !== '';

async function loginTo(database: Database): Promise<Finding> {
  try {
    const { rows } = await database.query<{ role: string; name: string }>(
      'SELECT current_user AS role, current_database() AS name',
    );
    return pass(`as ${rows[0]?.role} in ${rows[0]?.name}`);
  } catch (error) {
    const { message } = error as Error;
    const [, remedy] =
      LOGIN_REMEDIES.find(([fault]) => fault.test(codeOf(error)) || fault.test(message)) ?? [];
    return fail(message, remedy ?? 'look at the log of the server');
  }
}

const LOGIN_REMEDIES: readonly [fault: RegExp, remedy: string][] = [
  [/no encryption/, 'it takes connections with TLS only: end DATABASE_URL with ?sslmode=verify-full'],
  [/does not support SSL/, 'switch TLS on at the server, or leave ?sslmode out of DATABASE_URL'],
  [
    /^(28P01|28000)$/,
    'correct the user and the password of DATABASE_URL, or what DATABASE_AUTH and DATABASE_PASSWORD say',
  ],
  [/^3D000$/, 'correct the name of the database at the end of DATABASE_URL, or create it'],
  [/^53300$/, 'raise max_connections, or close connections: pg_stat_activity says whose they are'],
  [/^57P03$/, 'wait: it starts, or recovers'],
  [
    /^(SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_)/,
    'set NODE_EXTRA_CA_CERTS to the PEM file of the CA that signed its certificate',
  ],
  [/timeout/, 'it accepts connections and does not answer: is it frozen, or is it a PostgreSQL at all?'],
];

async function versionOf(database: Database): Promise<Finding> {
  const { rows } = await database.query<{ server_version: string }>('SHOW server_version');
  const version = rows[0]?.server_version ?? 'unknown';
  if (Number.parseInt(version, 10) >= OLDEST) return pass(`PostgreSQL ${version}`);
  return fail(`PostgreSQL ${version} is too old`, `upgrade it to ${OLDEST} or newer`);
}
