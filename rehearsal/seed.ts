import type { Send } from '../lambda/cache/redis-store.ts';
import { COLLECTIONS } from '../lambda/contract/families.ts';
import { type Database, withTransaction } from '../lambda/database/pool.ts';
import { INVALIDATES_ITSELF } from '../lambda/database/trigger-functions.ts';
import { csrfKey } from '../lambda/stores/csrf.ts';
import { sessionKey } from '../lambda/stores/session-record.ts';

/** Every user of a rehearsal begins with this, so that its rows and keys can be told from others'. */
const USER_PREFIX = 'rehearsal-';

/** Gives each user three items in each collection; what is there from an earlier run stays. Nobody has cached what it adds. */
export function seedItems(database: Database, users: number): Promise<void> {
  return withTransaction(database, async (tx) => {
    // Otherwise this is a writer that forgets its invalidations, and the dispatcher says so.
    await tx.query("SELECT set_config($1, 'on', true)", [INVALIDATES_ITSELF]);
    for (const collection of COLLECTIONS) {
      await tx.query(
        `INSERT INTO ${collection} (user_id, item_id, version, data)
         SELECT '${USER_PREFIX}' || u, 'item-' || i, 1, jsonb_build_object('title', 'Title ' || i, 'tags', jsonb_build_array('seed'))
         FROM generate_series(1, $1::int) u, generate_series(0, 2) i ON CONFLICT DO NOTHING`,
        [users],
      );
      await tx.query(
        `INSERT INTO collection_versions (user_id, collection, version)
         SELECT '${USER_PREFIX}' || u, '${collection}', 1 FROM generate_series(1, $1::int) u ON CONFLICT DO NOTHING`,
        [users],
      );
    }
  });
}

/** The keys of the users' sessions, those that have ended included. */
export async function sessionKeysIn(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ hash: string }>(
    `SELECT id_hash AS hash FROM secure_sessions WHERE user_id LIKE '${USER_PREFIX}%'`,
  );
  return rows.flatMap(({ hash }) => [sessionKey(hash), csrfKey(hash)]);
}

/** Removes the rehearsal's rows from a database that outlives it. */
export async function removeRows(database: Database): Promise<void> {
  const sessionKeys = await sessionKeysIn(database);
  for (const table of [...COLLECTIONS, 'collection_versions', 'secure_sessions']) {
    await database.query(`DELETE FROM ${table} WHERE user_id LIKE '${USER_PREFIX}%'`);
  }
  // What the triggers have just reported, too.
  await database.query(`DELETE FROM cutover_outbox WHERE name LIKE '%:${USER_PREFIX}%' OR name = ANY($1)`, [
    sessionKeys,
  ]);
}

const PRESERVED_FAMILIES = ['sessions', 'ratelimit', 'user-profiles'];
const KEYS_PER_FAMILY = 100;
const STATE_TTL_SECONDS = 24 * 3600;

export interface Preserved {
  /** @returns how many keys there are to check, and how many of them are gone or changed, in a home that is before their names. */
  check(home?: string): Promise<{ checked: number; lost: number }>;
  remove(): Promise<void>;
}

/** Puts state beside the caches, which every flush has to leave alone (R4). */
export async function seedPreserved(send: Send): Promise<Preserved> {
  const entries = PRESERVED_FAMILIES.flatMap((family) =>
    Array.from({ length: KEYS_PER_FAMILY }, (_, index) => [
      `${family}:${USER_PREFIX}${index}`,
      `${family} of ${index}`,
    ]),
  );
  const keys = entries.map(([key = '']) => key);
  await Promise.all(
    entries.map(([key = '', value = '']) => send(['SET', key, value, 'EX', String(STATE_TTL_SECONDS)])),
  );
  return {
    async check(home = '') {
      const values = (await send(['MGET', ...keys.map((key) => home + key)])) as (string | null)[];
      return {
        checked: keys.length,
        lost: entries.filter(([, value], index) => values[index] !== value).length,
      };
    },
    remove: async () => void (await send(['UNLINK', ...keys])),
  };
}
