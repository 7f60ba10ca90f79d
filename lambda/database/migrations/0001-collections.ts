import { type Kysely, sql } from 'kysely';

const TABLES = ['mocs', 'gallery', 'wishlist', 'albums'];

/** The four collections: a table each, and one row per user and collection that counts its versions. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE IF NOT EXISTS collection_versions (
      user_id text NOT NULL,
      collection text NOT NULL,
      version integer NOT NULL,
      PRIMARY KEY (user_id, collection)
    )`.execute(db);
  for (const table of TABLES) {
    await sql`
      CREATE TABLE IF NOT EXISTS ${sql.table(table)} (
        user_id text NOT NULL,
        item_id text NOT NULL,
        version integer NOT NULL,
        data jsonb NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (user_id, item_id)
      )`.execute(db);
  }
}
