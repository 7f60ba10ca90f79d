import type { Acknowledgement } from '../cache/cache.ts';
import type { Database, Queryable } from '../database/pool.ts';
import type { StatePlaces } from './places.ts';
import { createSessionEntries, type Found } from './session-entries.ts';
import {
  type Entry,
  entryOf,
  hashOf,
  isSecret,
  newSecret,
  type Role,
  SAVE_AFTER_MS,
  SESSION_LIMITS,
  type Session,
  type SessionData,
  type SessionLimits,
  sessionKey,
  TOUCH_AFTER_MS,
} from './session-record.ts';
import {
  insertSession,
  mergeData,
  readSession,
  replaceSession,
  revokeSession,
  type SavedSession,
  saveUse,
} from './session-rows.ts';
import type { StateRedis } from './state-redis.ts';
import { createStateWrite } from './state-writes.ts';

/** What an id is good for. `unavailable`: neither Redis nor the database can tell, and the request is to be denied. */
export type SessionLookup =
  | { readonly kind: 'live'; readonly session: Session; readonly source: 'redis' | 'database' }
  | { readonly kind: 'none'; readonly why: 'malformed' | 'unknown' | 'ended' }
  | { readonly kind: 'unavailable' };

/** A session that has just begun; the id and the token are told to its user now and never again. */
export interface Begun {
  readonly id: string;
  readonly csrfToken: string;
  readonly session: Session;
  /** Of the session that this one replaces: `pending` as in `Ending`. */
  readonly invalidation: Acknowledgement;
}

/** `pending`: Redis could not be told everywhere, and until the dispatcher has run the old state may be believed. */
export interface Ending {
  readonly invalidation: Acknowledgement;
}

/**
 * The sessions of users. PostgreSQL has the truth and Redis answers; ids are 256 random bits, of which only hashes are stored.
 * Errors of Redis are never thrown. StateUnavailableError where the database would have to decide and is away.
 */
export interface Sessions {
  /** @param replacing the id of a session that ends in the same transaction, if it is a live one. */
  begin(who: { userId: string; role: Role; data?: SessionData }, replacing?: string): Promise<Begun>;
  /** What an id is good for, and notes that it is in use. Never throws because of Redis or the database. */
  resolve(id: string): Promise<SessionLookup>;
  /** Merges data into a session's. @returns undefined for one that is not live. */
  update(hash: string, data: SessionData): Promise<(Ending & { readonly session: Session }) | undefined>;
  /** A new id and token for a session; the old ones are of no use from now on. @returns undefined for one that is not live. */
  rotate(id: string): Promise<Begun | undefined>;
  /** Ends a session for good. @returns undefined for an unknown one. */
  revoke(hash: string): Promise<Ending | undefined>;
}

export interface SessionsOptions {
  readonly redis: StateRedis;
  readonly database: Database;
  readonly limits?: SessionLimits;
  /** The wall clock, in milliseconds. */
  readonly now?: () => number;
  /** Told of errors of the database that a lookup was answered without. */
  readonly onError?: (error: unknown) => void;
}

type Inserted = Pick<Begun, 'id' | 'csrfToken'> & { readonly session: SavedSession };

/** A use that the database could not be told of is tried again after so long. */
const SAVE_AGAIN_AFTER_MS = 60_000;

export function createSessions(options: SessionsOptions): Sessions {
  const { redis, database, limits = SESSION_LIMITS, now = Date.now, onError = () => {} } = options;
  const entries = createSessionEntries({ redis, now });
  const write = createStateWrite(database);
  const placesOf = (hash: string) => redis.locate(sessionKey(hash));

  /** @param expiresAtMs when it ends; null: as the limits say. */
  const insert = async (
    tx: Queryable,
    { userId, role, data }: Pick<Session, 'userId' | 'role' | 'data'>,
    expiresAtMs: number | null,
  ): Promise<Inserted> => {
    const [id, csrfToken] = [newSecret(), newSecret()];
    const fields = { hash: hashOf(id), csrfHash: hashOf(csrfToken), userId, role, data };
    return { id, csrfToken, session: await insertSession(tx, fields, { limits, expiresAtMs }) };
  };

  /** Tells Redis of a session that has begun, and of the one that it replaces. */
  const tell = async (
    { begun, old }: { begun: Inserted; old: Session | undefined },
    acknowledge: (isConfirmed: boolean) => Acknowledgement,
  ): Promise<Begun> => {
    const { session } = begun;
    const [isBuried] = await Promise.all([
      old ? entries.bury(placesOf(old.hash), old) : true,
      entries.fill(placesOf(session.hash), entryOf(session, now())),
    ]);
    return { ...begun, invalidation: acknowledge(isBuried) };
  };

  const lookUp = async (hash: string, places: StatePlaces): Promise<SessionLookup> => {
    try {
      const session = await readSession(database, hash);
      if (!session) return { kind: 'none', why: 'unknown' };
      const { isRevoked, ...live } = session;
      if (isRevoked) {
        // Whoever asks again is told by Redis.
        await entries.bury(places, live);
        return { kind: 'none', why: 'ended' };
      }
      const isSaveDue = now() - live.savedAtMs >= SAVE_AFTER_MS;
      const saved = isSaveDue ? await saveUse(database, hash, limits) : live;
      if (!saved) return { kind: 'none', why: 'ended' };
      const entry = entryOf(saved, now());
      await entries.fill(places, entry);
      return { kind: 'live', session: sessionOf(hash, entry), source: 'database' };
    } catch (error) {
      onError(error);
      return { kind: 'unavailable' };
    }
  };

  /** Notes use, at most once a minute in Redis and each five in the database, which may know that the session has ended. */
  const noteUse = async (
    hash: string,
    places: StatePlaces,
    seen: { newest: Entry; found: readonly Found[] },
  ) => {
    const { newest, found } = seen;
    const at = now();
    if (at - newest.touchedAtMs < TOUCH_AFTER_MS) return newest;
    const isSaveDue = at - newest.savedAtMs >= SAVE_AFTER_MS;
    // Whoever is first takes the turn of telling the database; where that fails it is another one's in a minute.
    const savedAtMs = isSaveDue ? at - SAVE_AFTER_MS + SAVE_AGAIN_AFTER_MS : newest.savedAtMs;
    const touched: Entry = { ...newest, touchedAtMs: at, savedAtMs };
    const isFirst = await entries.touch(found, touched);
    if (!isFirst || !isSaveDue) return newest;
    try {
      const session = await saveUse(database, hash, limits);
      if (!session) return undefined;
      const saved = entryOf(session, at);
      if (session.version > newest.version) await entries.fill(places, saved);
      else await entries.touch(seenAs(found, touched), saved);
      return saved;
    } catch (error) {
      onError(error);
      return newest;
    }
  };

  return {
    async begin({ userId, role, data = {} }, replacing) {
      const oldHash = replacing !== undefined && isSecret(replacing) ? hashOf(replacing) : undefined;
      const { value, acknowledge } = await write(async (tx, outdate) => {
        const old = oldHash === undefined ? undefined : await replaceSession(tx, oldHash);
        if (old) outdate(sessionKey(old.hash));
        return { begun: await insert(tx, { userId, role, data }, null), old };
      });
      return tell(value, acknowledge);
    },

    async rotate(id) {
      if (!isSecret(id)) return undefined;
      const { value, acknowledge } = await write(async (tx, outdate) => {
        const old = await replaceSession(tx, hashOf(id));
        if (!old) return undefined;
        outdate(sessionKey(old.hash));
        return { begun: await insert(tx, old, old.expiresAtMs), old };
      });
      return value && tell(value, acknowledge);
    },

    async resolve(id) {
      if (!isSecret(id)) return { kind: 'none', why: 'malformed' };
      const hash = hashOf(id);
      const places = placesOf(hash);
      const verdict = await entries.read(places);
      if (verdict.kind === 'revoked') return { kind: 'none', why: 'ended' };
      if (verdict.kind !== 'live' || verdict.newest.expiresAtMs <= now()) return lookUp(hash, places);
      const entry = await noteUse(hash, places, verdict);
      if (entry) return { kind: 'live', session: sessionOf(hash, entry), source: 'redis' };
      // The database does not know it as live, whatever Redis has.
      const { version, expiresAtMs } = verdict.newest;
      await entries.bury(places, { version: version + 1, expiresAtMs });
      return { kind: 'none', why: 'ended' };
    },

    async update(hash, data) {
      const { value: session, acknowledge } = await write(async (tx, outdate) => {
        const merged = await mergeData(tx, hash, data);
        if (merged) outdate(sessionKey(hash));
        return merged;
      });
      if (!session) return undefined;
      const isTold = await entries.replace(placesOf(hash), entryOf(session, now()));
      return { session, invalidation: acknowledge(isTold) };
    },

    async revoke(hash) {
      const { value: ended, acknowledge } = await write(async (tx, outdate) => {
        const revoked = await revokeSession(tx, hash);
        if (revoked) outdate(sessionKey(hash));
        return revoked;
      });
      if (!ended) return undefined;
      return { invalidation: acknowledge(await entries.bury(placesOf(hash), ended)) };
    },
  };
}

/** What those places hold now that use was noted. */
const seenAs = (found: readonly Found[], entry: Entry): Found[] =>
  found.map(({ place }) => ({ place, bytes: JSON.stringify(entry), entry }));

const sessionOf = (hash: string, { touchedAtMs: _, savedAtMs: __, ...session }: Entry): Session => ({
  hash,
  ...session,
});
