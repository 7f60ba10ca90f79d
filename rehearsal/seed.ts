import type { Send } from '../lambda/cache/redis-store.ts';
import { COLLECTIONS } from '../lambda/contract/families.ts';
import type { Database } from '../lambda/database/pool.ts';

/** Every user of a rehearsal begins with this, so that its rows and keys can be told from others'. */
const USER_PREFIX = 'rehearsal-';

/** Gives each user three items in each collection; what is there from an earlier run stays. */
export async function seedItems(database: Database, users: number): Promise<void> {
  for (const collection of COLLECTIONS) {
    await database.query(
      `INSERT INTO ${collection} (user_id, item_id, version, data)
       SELECT '${USER_PREFIX}' || u, 'item-' || i, 1, jsonb_build_object('title', 'Title ' || i, 'tags', jsonb_build_array('seed'))
       FROM generate_series(1, $1::int) u, generate_series(0, 2) i ON CONFLICT DO NOTHING`,
      [users],
    );
    await database.query(
      `INSERT INTO collection_versions (user_id, collection, version)
       SELECT '${USER_PREFIX}' || u, '${collection}', 1 FROM generate_series(1, $1::int) u ON CONFLICT DO NOTHING`,
      [users],
    );
  }
}

/** Removes the rehearsal's rows from a database that outlives it. */
export async function removeItems(database: Database): Promise<void> {
  for (const table of [...COLLECTIONS, 'collection_versions']) {
    await database.query(`DELETE FROM ${table} WHERE user_id LIKE '${USER_PREFIX}%'`);
  }
  // What the triggers have just reported, too.
  await database.query(`DELETE FROM cutover_outbox WHERE name LIKE '%:${USER_PREFIX}%'`);
}

const PRESERVED_FAMILIES = ['sessions', 'ratelimit', 'user-profiles'];
const KEYS_PER_FAMILY = 100;
const STATE_TTL_SECONDS = 24 * 3600;

export interface Preserved {
  /** @returns how many keys there are to check, and how many of them are gone or changed. */
  check(): Promise<{ checked: number; lost: number }>;
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
    async check() {
      const values = (await send(['MGET', ...keys])) as (string | null)[];
      return {
        checked: keys.length,
        lost: entries.filter(([, value], index) => values[index] !== value).length,
      };
    },
    remove: async () => void (await send(['UNLINK', ...keys])),
  };
}
