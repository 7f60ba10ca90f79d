import { type Kysely, sql } from 'kysely';
import { COVERAGE_TABLE } from '../coverage-table.ts';

/** Who changes which table without an invalidation; the triggers, which tell of it, are installed after the migrations. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of COVERAGE_TABLE) await sql.raw(statement).execute(db);
}
