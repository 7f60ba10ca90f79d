import { type Kysely, sql } from 'kysely';

/**
 * The feature flags of each environment, and what differs for single users. Versions are drawn from one sequence, so that
 * a flag that is deleted and made again does not repeat one.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE SEQUENCE IF NOT EXISTS feature_flag_versions AS integer`.execute(db);
  await sql`
    CREATE TABLE IF NOT EXISTS feature_flags (
      environment text NOT NULL,
      flag_key text NOT NULL,
      description text NOT NULL DEFAULT '',
      enabled boolean NOT NULL,
      value jsonb,
      version integer NOT NULL DEFAULT nextval('feature_flag_versions'),
      updated_at timestamptz NOT NULL DEFAULT now(),
      updated_by text NOT NULL,
      PRIMARY KEY (environment, flag_key)
    )`.execute(db);
  await sql`
    CREATE TABLE IF NOT EXISTS feature_flag_overrides (
      environment text NOT NULL,
      flag_key text NOT NULL,
      user_id text NOT NULL,
      enabled boolean,
      value jsonb,
      version integer NOT NULL DEFAULT nextval('feature_flag_versions'),
      updated_at timestamptz NOT NULL DEFAULT now(),
      updated_by text NOT NULL,
      PRIMARY KEY (environment, flag_key, user_id),
      FOREIGN KEY (environment, flag_key) REFERENCES feature_flags ON DELETE CASCADE
    )`.execute(db);
  // Whoever changes a row, by hand too: who holds an older version has to learn of it.
  await sql`
    CREATE OR REPLACE FUNCTION feature_flag_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.version := nextval('feature_flag_versions');
      NEW.updated_at := clock_timestamp();
      RETURN NEW;
    END $$`.execute(db);
  for (const table of ['feature_flags', 'feature_flag_overrides']) {
    await sql`
      CREATE OR REPLACE TRIGGER feature_flag_changed BEFORE UPDATE ON ${sql.table(table)}
      FOR EACH ROW EXECUTE FUNCTION feature_flag_changed()`.execute(db);
  }
}
