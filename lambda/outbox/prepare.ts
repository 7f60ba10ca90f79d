import type { Family } from '../contract/families.ts';
import { COVERAGE_TABLE } from '../database/coverage-table.ts';
import { OUTBOX_TABLE } from '../database/outbox-table.ts';
import type { Database } from '../database/pool.ts';
import { installTriggers } from '../database/triggers.ts';

/**
 * Makes the tables of the outbox where they are missing, and the triggers of the tables that the registry names. Cutover's own
 * API does so with its migrations; a service with migrations of its own calls this after them, as often as it likes.
 * @throws TriggerError naming family, table and column where the registry names what is not there.
 * @example
 * ```ts
 * import pg from 'pg';
 * import { prepareOutbox } from 'cutover/outbox';
 *
 * const database = new pg.Pool({ connectionString: process.env.DATABASE_URL });
 * await database.query('CREATE TABLE notes (user_id text, title text)');
 * const source = { table: 'notes', keyTemplate: 'notes:{user_id}' };
 * await prepareOutbox(database, [{ name: 'notes', kind: 'cache', onFlush: 'flush', ttlSeconds: 60, source }]);
 * await database.query("INSERT INTO notes VALUES ('123', 'written by whoever')");
 * (await database.query('SELECT kind, name FROM cutover_outbox WHERE by_trigger')).rows; // => [{ kind: 'key', name: 'notes:123' }]
 * await database.end();
 * ```
 */
export async function prepareOutbox(database: Database, families: readonly Family[]): Promise<void> {
  for (const statement of [...OUTBOX_TABLE, ...COVERAGE_TABLE]) await database.query(statement);
  await installTriggers(database, families);
}
