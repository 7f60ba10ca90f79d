import { type Kysely, sql } from 'kysely';

/**
 * Sessions of users, whose ids are kept as hashes; classroom sessions with who has joined them, and the codes that admit one each.
 * The outbox may name keys of state.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE IF NOT EXISTS secure_sessions (
      id_hash text PRIMARY KEY,
      csrf_hash text NOT NULL,
      user_id text NOT NULL,
      role text NOT NULL,
      data jsonb NOT NULL DEFAULT '{}',
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      used_at timestamptz NOT NULL DEFAULT now(),
      idle_expires_at timestamptz NOT NULL,
      absolute_expires_at timestamptz NOT NULL,
      revoked_at timestamptz
    )`.execute(db);
  await sql`
    CREATE TABLE IF NOT EXISTS classroom_sessions (
      id text PRIMARY KEY,
      teacher_id text NOT NULL,
      title text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      ended_at timestamptz
    )`.execute(db);
  await sql`
    CREATE TABLE IF NOT EXISTS classroom_members (
      classroom_id text NOT NULL REFERENCES classroom_sessions ON DELETE CASCADE,
      user_id text NOT NULL,
      joined_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (classroom_id, user_id)
    )`.execute(db);
  await sql`
    CREATE TABLE IF NOT EXISTS access_codes (
      code text PRIMARY KEY,
      classroom_id text NOT NULL REFERENCES classroom_sessions ON DELETE CASCADE,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      used_at timestamptz,
      used_by text
    )`.execute(db);
  await sql`CREATE INDEX IF NOT EXISTS secure_sessions_expired ON secure_sessions (absolute_expires_at)`.execute(
    db,
  );
  await sql`
    CREATE INDEX IF NOT EXISTS classroom_sessions_open ON classroom_sessions (teacher_id, created_at)
    WHERE ended_at IS NULL`.execute(db);
  await sql`CREATE INDEX IF NOT EXISTS access_codes_expired ON access_codes (expires_at)`.execute(db);
  await sql`
    CREATE INDEX IF NOT EXISTS access_codes_unused ON access_codes (classroom_id, created_at)
    WHERE used_at IS NULL`.execute(db);
  await sql`
    ALTER TABLE cutover_outbox DROP CONSTRAINT IF EXISTS cutover_outbox_kind_check,
      ADD CONSTRAINT cutover_outbox_kind_check CHECK (kind IN ('key', 'tag', 'state')) NOT VALID`.execute(db);
}
