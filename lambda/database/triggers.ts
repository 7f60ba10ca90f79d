import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { CutoverError } from '../contract/errors.ts';
import type { Family } from '../contract/families.ts';
import { columnsOf } from '../contract/template.ts';
import { type Database, type Queryable, type Transaction, withTransaction } from './pool.ts';
import { FUNCTION_PREFIX, functionNameOf, functionOf, type Rule, rulesOf } from './trigger-functions.ts';

export { INVALIDATES_ITSELF } from './trigger-functions.ts';

/** The registry names what the database does not have or cannot report, or a table was in use for too long. */
export class TriggerError extends CutoverError {
  override readonly name = 'TriggerError';
  readonly code = 'CUTOVER_TRIGGER';
}

export interface InstallOptions {
  /** How often a table that others use is tried, each time for half a second and half a second after the last. */
  readonly attempts?: number;
}

/** The names of the triggers of every table: for rows, and for TRUNCATE. */
export const [ROWS, TRUNCATE] = ['cutover_outbox_rows', 'cutover_outbox_truncate'] as const;

/** Who waits for the lock of a table lets every writer that comes later wait behind it. */
const LOCK_TIMEOUT_MS = 500;
const PAUSE_MS = 500;
const LOCK_NOT_AVAILABLE = '55P03';
/** One process at a time; the number is of no meaning, and Cutover's alone. */
const LOCK = 7_281_364_500;
const BEGIN = `BEGIN; SELECT pg_advisory_xact_lock(${LOCK}); SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`;

/**
 * Makes the tables of the registry report their changes to the outbox, whoever makes them: a trigger for rows and one for
 * TRUNCATE, the latter also on each partition that is there now. Triggers of tables that the registry no longer names go.
 * What is right already is not touched; a trigger that was dropped, disabled or made for another function is made again.
 * Each table has a transaction of its own: after an error the tables before it are done, and the next call does the others.
 * @throws TriggerError naming family, table and column before anything is changed, or the table whose lock was not to be had.
 */
export async function installTriggers(
  database: Database,
  families: readonly Family[],
  { attempts = 20 }: InstallOptions = {},
): Promise<void> {
  const rules = rulesOf(families);
  const schema = await currentSchema(database);
  await requireColumns(database, schema, rules);
  const change = (table: string, work: (tx: Transaction) => Promise<unknown>) =>
    withoutBlocking({ database, table, attempts }, work);
  const tables = [...new Set(rules.map(({ table }) => table))];
  for (const { trigger, relation } of await straysIn(database, schema, tables)) {
    await change(relation, (tx) => tx.query(`DROP TRIGGER IF EXISTS ${trigger} ON ${relation}`));
  }
  for (const table of tables) {
    const own = rules.filter((rule) => rule.table === table);
    await change(table, async (tx) => {
      await tx.query(functionOf(schema, table, own));
      await restoreTriggers(tx, schema, table);
    });
  }
}

/** Tries again while others hold the table, and lets them work in between. */
async function withoutBlocking(
  { database, table, attempts }: { database: Database; table: string; attempts: number },
  work: (tx: Transaction) => Promise<unknown>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await withTransaction(database, work, BEGIN);
      return;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
      if (attempt >= attempts) {
        throw new TriggerError(
          `outbox: table ${table} was locked by other transactions in each of ${attempts} attempts to change its triggers; end those that pg_locks shows on it, or wait for them, and migrate again`,
          { cause: error },
        );
      }
    }
    await sleep(PAUSE_MS);
  }
}

/** Where the tables of the registry are. */
async function currentSchema(database: Queryable): Promise<string> {
  const { rows } = await database.query<{ schema: string | null }>('SELECT current_schema() AS schema');
  return rows[0]?.schema ?? '';
}

/** @throws TriggerError for a table or a column that a trigger cannot report. */
async function requireColumns(database: Queryable, schema: string, rules: readonly Rule[]): Promise<void> {
  const { rows } = await database.query<{ table: string; column: string; isVirtual: boolean }>(
    `SELECT relname AS table, attname AS column, attgenerated = 'v' AS "isVirtual"
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname = $1 AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped`,
    [schema],
  );
  for (const { family, table, template } of rules) {
    const columns = rows.filter((row) => row.table === table);
    if (columns.length === 0) {
      throw new TriggerError(
        `outbox: family ${family} names table ${table}, which is not there; migrate it first`,
      );
    }
    for (const name of columnsOf(template)) {
      const found = columns.find(({ column }) => column === name);
      if (!found) {
        throw new TriggerError(
          `outbox: family ${family}: ${template} names column ${name}, which table ${table} does not have`,
        );
      }
      if (found.isVirtual) {
        throw new TriggerError(
          `outbox: family ${family}: ${template} names column ${name} of table ${table}, which is generated when it is read and unknown to a trigger; make it STORED, or name the columns that it is made of`,
        );
      }
    }
  }
}

/** A trigger of a table or of a partition, both as SQL names them. */
interface Placed {
  readonly relation: string;
  readonly trigger: string;
}

/**
 * The triggers on what is neither in the registry nor a partition of what is. Those that a partition has from its parent go
 * with the parent's, and cannot go alone.
 */
async function straysIn(database: Queryable, schema: string, tables: readonly string[]): Promise<Placed[]> {
  const { rows } = await database.query<Placed>(
    `WITH named AS (
       SELECT pg_class.oid FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
       WHERE nspname = $1 AND relname = ANY($2))
     SELECT tgrelid::regclass::text AS relation, quote_ident(tgname) AS trigger
     FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid JOIN pg_namespace ON pg_namespace.oid = pronamespace
     WHERE nspname = $1 AND starts_with(proname, $3) AND tgparentid = 0
       AND tgrelid NOT IN (SELECT oid FROM named UNION SELECT relid FROM named, pg_partition_tree(named.oid))`,
    [schema, tables, FUNCTION_PREFIX],
  );
  return rows;
}

/** Makes the triggers that a table or a partition of it lacks, or that do not fire, or not for the function of the table. */
async function restoreTriggers(tx: Queryable, schema: string, table: string): Promise<void> {
  const target = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  const functionName = functionNameOf(table);
  const { rows } = await tx.query<Placed>(
    `SELECT relation::text, trigger
     FROM (SELECT $1::regclass UNION SELECT relid FROM pg_partition_tree($1)) AS tree (relation),
       unnest($2::text[]) AS trigger
     WHERE NOT EXISTS (
       SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
       WHERE tgrelid = relation AND tgname = trigger AND proname = $3 AND tgenabled IN ('O', 'A'))`,
    [target, [ROWS, TRUNCATE], functionName],
  );
  const execute = `EXECUTE FUNCTION ${pg.escapeIdentifier(schema)}.${functionName}()`;
  // PostgreSQL itself gives a trigger for rows to every partition, and one for statements to none.
  if (rows.some(({ trigger }) => trigger === ROWS)) {
    await tx.query(
      `CREATE OR REPLACE TRIGGER ${ROWS} AFTER INSERT OR UPDATE OR DELETE ON ${target} FOR EACH ROW ${execute}`,
    );
  }
  for (const { relation } of rows.filter(({ trigger }) => trigger === TRUNCATE)) {
    await tx.query(
      `CREATE OR REPLACE TRIGGER ${TRUNCATE} BEFORE TRUNCATE ON ${relation} FOR EACH STATEMENT ${execute}`,
    );
  }
}
