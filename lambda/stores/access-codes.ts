import type { PhysicalKey } from '../cache/keyspace.ts';
import type { Queryable } from '../database/pool.ts';
import { isCode, newCode } from './access-code.ts';
import type { StateRedis } from './state-redis.ts';

/** What Redis says of a code; `unknown` where the database decides. */
export type CodeLookup = 'unused' | 'used' | 'unknown';

/** A code that admits one user to a classroom session. */
export interface AccessCode {
  readonly code: string;
  readonly expiresAtMs: number;
}

export interface Admission {
  readonly code: string;
  readonly userId: string;
}

/**
 * The codes of classroom sessions: `access_code:{code}` says whether it is used, and `session:{id}:access_code` which is the
 * latest of a session. Redis spares the database what is known to be of no use; whether a code is good the database decides, in
 * one statement, whatever Redis says.
 */
export interface AccessCodes {
  /** Makes a code in a transaction. */
  issue(tx: Queryable, classroomId: string): Promise<AccessCode>;
  /** Tells Redis of a code, after the commit. Never fails. */
  remember(classroomId: string, code: AccessCode): Promise<void>;
  /** The latest code of a session as Redis knows it; undefined where the database decides. */
  known(classroomId: string): Promise<string | undefined>;
  /** The unused code of a session that was made last. @throws what the database throws. */
  latest(db: Queryable, classroomId: string): Promise<AccessCode | undefined>;
  /** What Redis knows of a code. */
  look(code: string): Promise<CodeLookup>;
  /** Uses a code, in a transaction: at most one ever succeeds. @returns the session that it admits to. */
  use(tx: Queryable, admission: Admission): Promise<string | undefined>;
  /** Tells Redis that a code is used, after the commit. Never fails. */
  forget(classroomId: string, code: string): Promise<void>;
}

/** For how long a code is good. */
export const CODE_SECONDS = 60 * 60;
/** Codes that nobody can use any more go, so many with each new one. */
const PRUNED_AT_ONCE = 10;
/** Two codes in so many are equal once in 10^11 times. */
const ATTEMPTS = 3;
const USED = 'used';
const EXPIRES_AT = '(extract(epoch FROM expires_at) * 1000)::float8 AS "expiresAtMs"';

const latestKey = (classroomId: string) => `session:${classroomId}:access_code`;
const codeKey = (code: string) => `access_code:${code}`;

export interface AccessCodesOptions {
  readonly redis: StateRedis;
  /** The wall clock, in milliseconds. */
  readonly now?: () => number;
}

export function createAccessCodes({ redis, now = Date.now }: AccessCodesOptions): AccessCodes {
  const inEach = async (
    key: string,
    command: (place: PhysicalKey) => readonly string[],
    where: 'write' | 'everywhere',
  ) => {
    const places = redis.locate(key);
    await Promise.all(places[where].map((place) => redis.ask(places.family, command(place))));
  };
  /** What the places hold, the same thing once. */
  const valuesOf = async (key: string): Promise<readonly string[] | 'unknown'> => {
    const looks = await redis.look(redis.locate(key));
    if (looks.some(({ kind }) => kind === 'foreign' || kind === 'unavailable')) return 'unknown';
    return [...new Set(looks.flatMap((look) => (look.kind === 'value' ? [look.bytes] : [])))];
  };

  const look = async (code: string): Promise<CodeLookup> => {
    const values = await valuesOf(codeKey(code));
    if (values === 'unknown' || values.length === 0) return 'unknown';
    return values.includes(USED) ? 'used' : 'unused';
  };

  return {
    look,
    async issue(tx, classroomId) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const { rows } = await tx.query<AccessCode>({
          name: 'access-code-insert',
          text: `WITH expired AS (
              SELECT code FROM access_codes WHERE expires_at < now() - interval '1 day'
              ORDER BY expires_at LIMIT ${PRUNED_AT_ONCE} FOR UPDATE SKIP LOCKED),
            pruned AS (DELETE FROM access_codes USING expired WHERE access_codes.code = expired.code)
            INSERT INTO access_codes (code, classroom_id, expires_at)
            VALUES ($1, $2, now() + make_interval(secs => $3))
            ON CONFLICT DO NOTHING RETURNING code, ${EXPIRES_AT}`,
          values: [newCode(), classroomId, CODE_SECONDS],
        });
        if (rows[0]) return rows[0];
      }
      throw new Error(`access codes: ${ATTEMPTS} random codes were taken; its random numbers are none`);
    },

    async remember(classroomId, { code, expiresAtMs }) {
      const ttlMs = Math.floor(expiresAtMs - now());
      if (ttlMs <= 0) return;
      const expiry = ['PX', String(ttlMs)];
      // NX: a code that was used meanwhile stays so.
      await inEach(codeKey(code), (place) => ['SET', place, classroomId, 'NX', ...expiry], 'write');
      await inEach(latestKey(classroomId), (place) => ['SET', place, code, ...expiry], 'write');
    },

    async known(classroomId) {
      const values = await valuesOf(latestKey(classroomId));
      const [code = ''] = values.length === 1 ? values : [];
      // Places that differ were written by two phases, and which one was later they do not say.
      return isCode(code) && (await look(code)) === 'unused' ? code : undefined;
    },

    async latest(db, classroomId) {
      const { rows } = await db.query<AccessCode>({
        name: 'access-code-latest',
        text: `SELECT code, ${EXPIRES_AT} FROM access_codes
          WHERE classroom_id = $1 AND used_at IS NULL AND expires_at > now() ORDER BY created_at DESC LIMIT 1`,
        values: [classroomId],
      });
      return rows[0];
    },

    async use(tx, { code, userId }) {
      const { rows } = await tx.query<{ classroom_id: string }>({
        name: 'access-code-use',
        text: `UPDATE access_codes SET used_at = now(), used_by = $2
          WHERE code = $1 AND used_at IS NULL AND expires_at > now()
            AND EXISTS (SELECT FROM classroom_sessions WHERE id = classroom_id AND ended_at IS NULL)
          RETURNING classroom_id`,
        values: [code, userId],
      });
      return rows[0]?.classroom_id;
    },

    async forget(classroomId, code) {
      const expiry = ['PX', String(CODE_SECONDS * 1000)];
      await inEach(codeKey(code), (place) => ['SET', place, USED, ...expiry], 'everywhere');
      await inEach(latestKey(classroomId), (place) => ['UNLINK', place], 'everywhere');
    },
  };
}
