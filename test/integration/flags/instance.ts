/** An instance of the API that serves flags, in a process of its own as far as anybody can tell. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hono } from 'hono';
import { type Cache, createCache } from '../../../lambda/cache/cache.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import type { Database } from '../../../lambda/database/pool.ts';
import { rememberLastGood } from '../../../lambda/flags/last-good.ts';
import { flagAdminRoutes, flagRoutes } from '../../../lambda/flags/routes.ts';
import { createFlags } from '../../../lambda/flags/service.ts';
import { createApi } from '../../../lambda/http/app.ts';
import { createWrites, type Writes } from '../../../lambda/outbox/writes.ts';
import { afterReads } from '../../support/held-database.ts';
import { lookInto } from '../../support/redis.ts';

export interface InstanceOptions {
  readonly redisUrl: string;
  readonly database: Database;
  /** When its writes invalidate; before the commit is the naive variant. */
  readonly invalidates: 'after the commit' | 'before the commit';
  /** How much longer a read of the database takes, or a commit, in milliseconds. */
  readonly delayMs: () => number;
}

/** Wires the flags' routes to a connection, a cache and a memory of its own. */
export async function openInstance(options: InstanceOptions): Promise<Hono> {
  const { redisUrl, database, invalidates, delayMs } = options;
  const { send } = await lookInto(redisUrl);
  const keyspace = createKeyspace({ phase: 'isolated', env: 'test' });
  const cache = createCache({ keyspace, store: redisStore(send) });
  const pause = async () => void (await sleep(delayMs()));
  const writes = committingLate(createWrites({ database, keyspace, cache }), pause);
  const flags = createFlags({
    environment: 'test',
    resolve: rememberLastGood({ cache, onError: console.error }),
    database: afterReads(database, pause),
    writes: invalidates === 'after the commit' ? writes : invalidatingFirst(writes, cache),
  });
  const routes = { '/api/config/flags': flagRoutes(flags), '/api/admin/flags': flagAdminRoutes(flags) };
  return createApi({ routes, probes: {}, onError: console.error });
}

/** A commit takes its time, as on a disk. */
const committingLate = ({ withTransaction }: Writes, pause: () => Promise<void>): Writes => ({
  withTransaction: (work) =>
    withTransaction(async (tx) => {
      const result = await work(tx);
      await pause();
      return result;
    }),
});

/** What a transaction names is forgotten while it is still open. */
const invalidatingFirst = ({ withTransaction }: Writes, cache: Cache): Writes => ({
  withTransaction: (work) =>
    withTransaction(async (tx) => {
      const named: string[] = [];
      const result = await work({ ...tx, invalidate: (...keys) => void named.push(...keys) });
      await cache.invalidate(...named);
      return result;
    }),
});
