/** Both backends on one Redis that is killed, frozen and restarted under them, and the dispatcher. */
import { afterAll } from '@jest/globals';
import { createClient } from 'redis';
import { createCache } from '../../../lambda/cache/cache.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import { putItem, readList } from '../../../lambda/collections/repository.ts';
import { listKey, type Owner } from '../../../lambda/collections/schema.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database, withTransaction } from '../../../lambda/database/pool.ts';
import { mirror } from '../../../lambda/mirror/mirror.ts';
import { type Dispatcher, openDispatcher } from '../../../lambda/outbox/dispatcher.ts';
import { wireCache } from '../../../lambda/outbox/wire-cache.ts';
import { createWrites } from '../../../lambda/outbox/writes.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';

export interface Written {
  readonly version: number;
  readonly invalidation: 'done' | 'pending';
}

/** What a user does: reads the version of a list, or raises it. */
export interface Backend {
  read(userId: string): Promise<number>;
  write(userId: string): Promise<Written>;
}

export interface Outage {
  readonly server: RedisServer;
  readonly databaseUrl: string;
  readonly database: Database;
  /** The serverless backend, in phase `isolated`. */
  readonly runtime: Backend;
  /** The same without the gate: it reads a Redis that was restarted as if nothing had happened. */
  readonly ungated: Backend;
  /** The legacy backend behind the mirror. */
  readonly legacy: Backend;
  dispatcher(): Promise<Dispatcher>;
}

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };
const closing: (() => unknown)[] = [];

afterAll(() => Promise.all(closing.map((close) => close())));

export async function backends(args: readonly string[] = []): Promise<Outage> {
  const [server, { url: databaseUrl }] = await Promise.all([ownRedis({ args }), freshDatabase()]);
  await migrate(databaseUrl);
  const database = createPool({ url: databaseUrl, applicationName: 'test' });
  closing.push(() => database.end());
  return {
    server,
    databaseUrl,
    database,
    runtime: await openRuntime(server.url, database),
    ungated: await openRuntime(server.url, database, 'ungated'),
    legacy: await openLegacy(server.url, database),
    async dispatcher() {
      const environment = { REDIS_URL: server.url, DATABASE_URL: databaseUrl, NODE_ENV: 'test' };
      const dispatcher = await openDispatcher(environment, SILENT);
      closing.unshift(() => dispatcher.close());
      return dispatcher;
    },
  };
}

const ownerOf = (userId: string): Owner => ({ userId, collection: 'mocs' });
const ITEM = { id: 'item', data: {} };

async function openRuntime(url: string, database: Database, gate?: 'ungated'): Promise<Backend> {
  const environment = { NODE_ENV: 'test', MIGRATION_MODE: 'true', REDIS_URL: url };
  const { options, send, close } = await wireCache(environment, { logger: SILENT, database });
  closing.unshift(close);
  const cache = createCache(gate === 'ungated' ? { ...options, store: redisStore(send) } : options);
  const writes = createWrites({ database, keyspace: options.keyspace, cache });
  return {
    async read(userId) {
      const owner = ownerOf(userId);
      return (await cache.getOrLoad(listKey(owner), () => readList(database, owner))).version;
    },
    async write(userId) {
      const owner = ownerOf(userId);
      const { value: version, invalidation } = await writes.withTransaction((tx) => {
        tx.invalidate(listKey(owner));
        return putItem(tx, owner, ITEM);
      });
      return { version, invalidation };
    },
  };
}

async function openLegacy(url: string, database: Database): Promise<Backend> {
  // A request that waits for a connection for ever is the legacy backend's own business.
  const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: 20 } });
  client.on('error', () => {});
  await client.connect();
  closing.unshift(() => client.destroy());
  const redis = mirror(client, { env: 'test' });
  const load = (userId: string) => readList(database, ownerOf(userId));
  return {
    async read(userId) {
      const key = listKey(ownerOf(userId));
      try {
        const cached = await redis.get(key);
        if (cached !== null) return JSON.parse(cached).version;
      } catch {
        return (await load(userId)).version;
      }
      const list = await load(userId);
      await redis.setEx(key, 300, JSON.stringify(list)).catch(() => {});
      return list.version;
    },
    async write(userId) {
      const version = await withTransaction(database, (tx) => putItem(tx, ownerOf(userId), ITEM));
      return redis.del(listKey(ownerOf(userId))).then(
        () => ({ version, invalidation: 'done' }),
        () => ({ version, invalidation: 'pending' }),
      );
    },
  };
}
