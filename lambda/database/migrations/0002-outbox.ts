import { type Kysely, sql } from 'kysely';
import { OUTBOX_TABLE } from '../outbox-table.ts';

/** The outbox; its triggers follow the registry, and are installed after the migrations. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of OUTBOX_TABLE) await sql.raw(statement).execute(db);
}
