import { type Cache, createCache } from '../cache/cache.ts';
import type { Environment } from '../cache/phase.ts';
import type { Database } from '../database/pool.ts';
import { type WireOptions, wireCache } from './wire-cache.ts';
import { createWrites, type Writes } from './writes.ts';

/** All that a service needs: reads, and writes whose invalidation cannot get lost. */
export interface OpenedCache {
  readonly cache: Cache;
  readonly writes: Writes;
  /** Ends the connections to Redis. */
  close(): void;
}

/**
 * The cache that the environment describes, with everything that its promise needs: the connection with its deadline and
 * breaker, the check on each new connection that the outbox is replayed, and the outbox itself.
 * @throws ConfigurationError naming the variable; also when the Redis is in use under another NODE_ENV.
 * @example
 * ```ts
 * import pg from 'pg';
 * import { openCache, prepareOutbox, queryable } from 'cutover/outbox';
 *
 * const database = new pg.Pool({ connectionString: process.env.DATABASE_URL });
 * await database.query('CREATE TABLE lists (user_id text, title text)');
 * const source = { table: 'lists', keyTemplate: 'lists:{user_id}' };
 * const families = [{ name: 'lists', kind: 'cache', onFlush: 'flush', ttlSeconds: 60, source }] as const;
 * await prepareOutbox(database, families);
 *
 * const environment = { NODE_ENV: 'production', MIGRATION_MODE: 'true', REDIS_URL: process.env.REDIS_URL };
 * const { cache, writes, close } = await openCache(environment, { database, families });
 * const count = async () => (await queryable(database).query('SELECT FROM lists')).rowCount;
 * await cache.getOrLoad('lists:123', count); // => 0
 * const written = await writes.withTransaction(async (tx) => {
 *   await tx.query("INSERT INTO lists VALUES ('123', 'first')");
 *   tx.invalidate('lists:123');
 *   return 'stored';
 * });
 * written; // => { value: 'stored', invalidation: 'done' }
 * await cache.getOrLoad('lists:123', count); // => 1
 * close();
 * await database.end();
 * ```
 */
export async function openCache(
  environment: Environment,
  { database, ...more }: WireOptions & { readonly database: Database },
): Promise<OpenedCache> {
  const { options, close } = await wireCache(environment, { database, ...more });
  const cache = createCache(options);
  return { cache, writes: createWrites({ database, keyspace: options.keyspace, cache }), close };
}
