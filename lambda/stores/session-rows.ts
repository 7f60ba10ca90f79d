import type { Queryable } from '../database/pool.ts';
import {
  type Role,
  SAVE_AFTER_MS,
  type Session,
  type SessionData,
  type SessionLimits,
} from './session-record.ts';

interface Row {
  readonly id_hash: string;
  readonly user_id: string;
  readonly role: Role;
  readonly data: SessionData;
  readonly version: number;
  readonly expires_at_ms: number;
  readonly used_at_ms: number;
}

const msOf = (column: string) => `floor(extract(epoch FROM ${column}) * 1000)::float8`;
const COLUMNS = `id_hash, user_id, role, data, version,
  ${msOf('absolute_expires_at')} AS expires_at_ms, ${msOf('used_at')} AS used_at_ms`;
const IS_LIVE = 'revoked_at IS NULL AND idle_expires_at > now() AND absolute_expires_at > now()';

/** Expired sessions that go with each new one: more than come, so that they do not pile up. */
const PRUNED_AT_ONCE = 10;

/** What a session begins with. */
export interface NewSession {
  readonly hash: string;
  readonly csrfHash: string;
  readonly userId: string;
  readonly role: Role;
  readonly data: SessionData;
}

/** A session with when the database was last told that it is in use. */
export interface SavedSession extends Session {
  readonly savedAtMs: number;
}

/** A session that has ended, and when it would have ended by itself. */
export interface Ended {
  readonly version: number;
  readonly expiresAtMs: number;
}

/** How long a session may be idle as the database notes it: it learns of use late. */
const idleSecondsOf = ({ idleSeconds }: SessionLimits) => idleSeconds + SAVE_AFTER_MS / 1000;

/** @param expiresAtMs when it ends; null: as the limits say. */
export async function insertSession(
  tx: Queryable,
  { hash, csrfHash, userId, role, data }: NewSession,
  { limits, expiresAtMs }: { limits: SessionLimits; expiresAtMs: number | null },
): Promise<SavedSession> {
  const { rows } = await tx.query<Row>({
    name: 'session-insert',
    text: `WITH expired AS (
        SELECT id_hash FROM secure_sessions WHERE absolute_expires_at < now()
        ORDER BY absolute_expires_at LIMIT ${PRUNED_AT_ONCE} FOR UPDATE SKIP LOCKED),
      pruned AS (DELETE FROM secure_sessions USING expired WHERE secure_sessions.id_hash = expired.id_hash)
      INSERT INTO secure_sessions (id_hash, csrf_hash, user_id, role, data, idle_expires_at, absolute_expires_at)
      VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6),
        coalesce(to_timestamp($8::float8 / 1000), now() + make_interval(secs => $7)))
      RETURNING ${COLUMNS}`,
    values: [
      ...[hash, csrfHash, userId, role, JSON.stringify(data)],
      ...[idleSecondsOf(limits), limits.absoluteSeconds, expiresAtMs],
    ],
  });
  return only(rows);
}

/** @returns undefined for one that is unknown or expired. */
export async function readSession(
  db: Queryable,
  hash: string,
): Promise<(SavedSession & { readonly isRevoked: boolean }) | undefined> {
  const { rows } = await db.query<Row & { is_live: boolean; is_revoked: boolean }>({
    name: 'session',
    text: `SELECT ${COLUMNS}, ${IS_LIVE} AS is_live, revoked_at IS NOT NULL AS is_revoked
      FROM secure_sessions WHERE id_hash = $1`,
    values: [hash],
  });
  const [row] = rows;
  if (!row || (!row.is_live && !row.is_revoked)) return undefined;
  return { ...sessionOf(row), isRevoked: row.is_revoked };
}

/** Notes that a session is in use. @returns undefined for one that is not live: use revives nobody. */
export async function saveUse(
  db: Queryable,
  hash: string,
  limits: SessionLimits,
): Promise<SavedSession | undefined> {
  const { rows } = await db.query<Row>({
    name: 'session-use',
    text: `UPDATE secure_sessions SET used_at = now(), idle_expires_at = now() + make_interval(secs => $2)
      WHERE id_hash = $1 AND ${IS_LIVE} RETURNING ${COLUMNS}`,
    values: [hash, idleSecondsOf(limits)],
  });
  return rows[0] && sessionOf(rows[0]);
}

/** Merges data into that of a live session. */
export async function mergeData(
  tx: Queryable,
  hash: string,
  data: SessionData,
): Promise<SavedSession | undefined> {
  const { rows } = await tx.query<Row>(
    `UPDATE secure_sessions SET data = data || $2::jsonb, version = version + 1
     WHERE id_hash = $1 AND ${IS_LIVE} RETURNING ${COLUMNS}`,
    [hash, JSON.stringify(data)],
  );
  return rows[0] && sessionOf(rows[0]);
}

/** Ends a session; one that has ended already stays as it is. @returns undefined for an unknown one. */
export async function revokeSession(tx: Queryable, hash: string): Promise<Ended | undefined> {
  const { rows } = await tx.query<Row>(
    `UPDATE secure_sessions SET version = version + (revoked_at IS NULL)::int, revoked_at = coalesce(revoked_at, now())
     WHERE id_hash = $1 RETURNING ${COLUMNS}`,
    [hash],
  );
  return rows[0] && sessionOf(rows[0]);
}

/** Ends a live session, to be followed by another one. @returns it as it was. */
export async function replaceSession(tx: Queryable, hash: string): Promise<SavedSession | undefined> {
  const { rows } = await tx.query<Row>(
    `UPDATE secure_sessions SET version = version + 1, revoked_at = now()
     WHERE id_hash = $1 AND ${IS_LIVE} RETURNING ${COLUMNS}`,
    [hash],
  );
  return rows[0] && sessionOf(rows[0]);
}

/** The hash of the token of a live session. */
export async function readCsrfHash(db: Queryable, hash: string): Promise<string | undefined> {
  const { rows } = await db.query<{ csrf_hash: string }>({
    name: 'session-csrf',
    text: `SELECT csrf_hash FROM secure_sessions WHERE id_hash = $1 AND ${IS_LIVE}`,
    values: [hash],
  });
  return rows[0]?.csrf_hash;
}

const sessionOf = (row: Row): SavedSession => ({
  hash: row.id_hash,
  userId: row.user_id,
  role: row.role,
  data: row.data,
  version: row.version,
  expiresAtMs: row.expires_at_ms,
  savedAtMs: row.used_at_ms,
});

function only([row]: readonly Row[]): SavedSession {
  if (!row) throw new Error('sessions: a statement that returns a row returned none');
  return sessionOf(row);
}
