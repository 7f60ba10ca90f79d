import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { createScope } from '../async/scope.ts';
import { CutoverError } from '../contract/errors.ts';

export type Database = pg.Pool;
export type Transaction = pg.PoolClient;
/** What statements can be sent to: a pool, or one of its connections. */
export type Queryable = Pick<pg.PoolClient, 'query'>;

export interface PoolOptions {
  readonly url: string;
  /** Asked at each connection for the password of the URL's user, instead of one in the URL. */
  readonly password?: (() => Promise<string>) | undefined;
  /**
   * What becomes of a connection that is not in use: `keep`, unless told, for the next one to use, or `close`, since a database
   * that pauses only does while nobody is connected, and a frozen process would stay connected.
   */
  readonly idle?: 'keep' | 'close';
  /** How the connection is named in pg_stat_activity: who writes, and whether it invalidates, is found by it. */
  readonly applicationName: string;
  readonly maxConnections?: number;
  /** For work that may take its time, as a migration: nothing but the connecting is bounded, and that waits for a paused database. */
  readonly patient?: boolean;
  /** Told when an idle connection breaks; the pool replaces it. */
  readonly onError?: (error: Error) => void;
  /** Told how long each statement on the pool took, the wait for a connection and failures included; not of transactions. */
  readonly onLatency?: (ms: number) => void;
}

const CONNECT_TIMEOUT_MS = 2000;
/** A paused database takes about 15 s to resume, and more than 30 s after a day (the guide of Aurora, "auto-pause"). */
const RESUME_TIMEOUT_MS = 60_000;
/** Below the loader's own 5 s, so that the database gives up before the reader does. */
const STATEMENT_TIMEOUT_MS = 4000;
/** For a connection that is silent: the server's own timeout does not arrive there. */
const QUERY_TIMEOUT_MS = 4500;

/** A pool of connections to PostgreSQL. Nothing is connected before the first query. */
export function createPool({
  url,
  password,
  idle = 'keep',
  applicationName,
  maxConnections = 10,
  patient = false,
  onError = () => {},
  onLatency,
}: PoolOptions): Database {
  const closes = idle === 'close';
  const pool = new pg.Pool({
    // A password beside a connection string is overwritten by that of the string, even where it has none.
    ...(password ? { ...parseIntoClientConfig(url), password } : { connectionString: url }),
    application_name: applicationName,
    max: maxConnections,
    connectionTimeoutMillis: patient && closes ? RESUME_TIMEOUT_MS : CONNECT_TIMEOUT_MS,
    ...(closes && { maxUses: 1 }),
    ...(!patient && { statement_timeout: STATEMENT_TIMEOUT_MS, query_timeout: QUERY_TIMEOUT_MS }),
    keepAlive: true,
  });
  pool.on('error', onError);
  return onLatency ? timed(pool, onLatency) : pool;
}

function timed(pool: Database, onLatency: (ms: number) => void): Database {
  // Of its many forms nobody here uses those with a callback.
  const query: (...args: never[]) => unknown = pool.query.bind(pool);
  pool.query = async (...args: never[]) => {
    const beganAt = performance.now();
    try {
      return (await query(...args)) as never;
    } finally {
      onLatency(performance.now() - beganAt);
    }
  };
  return pool;
}

const transactions = createScope<Transaction>();

/**
 * Whether the caller runs inside `withTransaction`.
 * @example
 * ```ts
 * import { isInTransaction } from 'cutover/outbox';
 *
 * isInTransaction(); // => false
 * ```
 */
export const isInTransaction = (): boolean => transactions.current() !== undefined;

/**
 * Where a reader's statement belongs: on the transaction that it runs inside of, whose own changes it has to see, else on
 * the pool.
 * @example
 * ```ts
 * import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
 * import { queryable } from 'cutover/outbox';
 *
 * const database = new pg.Pool({ connectionString: process.env.DATABASE_URL });
 * (await queryable(database).query('SELECT 1 AS one')).rows; // => [{ one: 1 }]
 * await database.end();
 * ```
 */
export const queryable = (pool: Database): Queryable => transactions.current() ?? pool;

/** COMMIT was sent, and the database rolled back: nothing of the transaction is stored. */
export class RolledBackError extends CutoverError {
  override readonly name = 'RolledBackError';
  readonly code = 'CUTOVER_ROLLED_BACK';
}

/** A transaction was begun inside another one, with which it would neither commit nor roll back. */
export class NestedTransactionError extends CutoverError {
  override readonly name = 'NestedTransactionError';
  readonly code = 'CUTOVER_NESTED_TRANSACTION';
}

/**
 * Runs `work` in a transaction: commits when it resolves, rolls back when it throws. Inside another transaction it is
 * refused: it would have a connection of its own, on which it stays when the outer one rolls back, and waits for the
 * outer one's locks for ever.
 * @param begin the statement that begins it.
 * @throws what `work` or the database throws. RolledBackError if `work` caught the error of a statement, after which the
 * database can only roll back. NestedTransactionError before anything is begun. After any other error of COMMIT the
 * outcome is unknown.
 */
export async function withTransaction<T>(
  pool: Database,
  work: (tx: Transaction) => Promise<T>,
  begin = 'BEGIN',
): Promise<T> {
  if (isInTransaction()) {
    throw new NestedTransactionError(
      'database: withTransaction was called inside withTransaction; pass the outer tx on to what writes with it',
    );
  }
  const connection = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  // A connection that the pool has lent out reports its loss to nobody else, and an unheard error ends the process.
  connection.on('error', onError);
  try {
    await connection.query(begin);
    const result = await transactions.run(connection, () => work(connection));
    // COMMIT of a transaction in which a statement failed is no error: it answers ROLLBACK.
    const { command } = await connection.query('COMMIT');
    if (command !== 'COMMIT') {
      throw new RolledBackError(
        `database: COMMIT answered ${command}: a statement failed and its error was caught; let it through, or guard the statement with a SAVEPOINT`,
      );
    }
    return result;
  } catch (error) {
    await connection.query('ROLLBACK').catch(onError);
    throw error;
  } finally {
    connection.off('error', onError);
    connection.release(broken);
  }
}
