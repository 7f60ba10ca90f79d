import { type Kysely, sql } from 'kysely';

/** What writes have made outdated: inserted in their own transactions, confirmed when every backend has forgotten it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE IF NOT EXISTS cutover_outbox (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      kind text NOT NULL CHECK (kind IN ('key', 'tag')),
      name text NOT NULL,
      by_trigger boolean NOT NULL DEFAULT false,
      writer text NOT NULL DEFAULT current_setting('application_name'),
      created_at timestamptz NOT NULL DEFAULT now(),
      confirmed_at timestamptz
    )`.execute(db);
  await sql`
    CREATE INDEX IF NOT EXISTS cutover_outbox_unconfirmed ON cutover_outbox (id) WHERE confirmed_at IS NULL`.execute(
    db,
  );
  await sql`
    CREATE INDEX IF NOT EXISTS cutover_outbox_confirmed ON cutover_outbox (confirmed_at) WHERE confirmed_at IS NOT NULL`.execute(
    db,
  );
}
