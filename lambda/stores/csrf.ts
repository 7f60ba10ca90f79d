import type { Database } from '../database/pool.ts';
import { hashOf, isSameHash, isSecret, SESSION_LIMITS, type Session } from './session-record.ts';
import { readCsrfHash } from './session-rows.ts';
import type { StateRedis } from './state-redis.ts';

/** `unavailable`: nobody can tell now, and the request is to be denied. */
export type CsrfVerdict = 'accepted' | 'refused' | 'unavailable';

/**
 * The token against cross-site requests of each session: random, told once when the session begins, the same until it ends. Of it a
 * hash is stored, in the session's row and under `csrf:{hash of the session's id}`.
 */
export interface Csrf {
  /** Tells Redis of a token, where this phase stores. Never fails: the database has it. */
  remember(session: Pick<Session, 'hash'>, token: string): Promise<void>;
  /** Whether a token is that of a session, in whichever place it was stored; what no place has the database decides. */
  verify(session: Pick<Session, 'hash'>, token: string): Promise<CsrfVerdict>;
}

export interface CsrfOptions {
  readonly redis: StateRedis;
  readonly database: Database;
  /** Told of errors of the database. */
  readonly onError?: (error: unknown) => void;
}

export const csrfKey = (sessionHash: string): string => `csrf:${sessionHash}`;

const TTL_MS = String(SESSION_LIMITS.idleSeconds * 1000);

export function createCsrf({ redis, database, onError = () => {} }: CsrfOptions): Csrf {
  const store = async (sessionHash: string, tokenHash: string) => {
    const { family, write } = redis.locate(csrfKey(sessionHash));
    await Promise.all(write.map((place) => redis.ask(family, ['SET', place, tokenHash, 'PX', TTL_MS])));
  };

  return {
    remember: ({ hash }, token) => store(hash, hashOf(token)),
    async verify({ hash }, token) {
      if (!isSecret(token)) return 'refused';
      const given = hashOf(token);
      const places = redis.locate(csrfKey(hash));
      const known: string[] = [];
      for (const look of await redis.look(places)) {
        if (look.kind !== 'value') continue;
        if (isSecret(look.bytes)) known.push(look.bytes);
        else redis.foundForeign(places.family);
      }
      if (known.some((each) => isSameHash(each, given))) return 'accepted';
      // A session's token never changes: what one place has says enough.
      if (known.length > 0) return 'refused';
      try {
        const stored = await readCsrfHash(database, hash);
        if (stored === undefined) return 'refused';
        await store(hash, stored);
        return isSameHash(stored, given) ? 'accepted' : 'refused';
      } catch (error) {
        onError(error);
        return 'unavailable';
      }
    },
  };
}
