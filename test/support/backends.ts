/** Both backends in this process, on one Redis and one PostgreSQL, until the test file has ended. */
import { createServer } from 'node:http';
import { afterAll } from '@jest/globals';
import { createClient } from '@redis/client';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../lambda/database/pool.ts';
import { mirror } from '../../lambda/mirror/mirror.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { createHost } from '../../rehearsal/host/host.ts';
import { believeEverybody } from '../../rehearsal/host/login-gate.ts';
import { legacyApp } from '../../rehearsal/legacy/app.ts';
import { createLegacyStores } from '../../rehearsal/legacy/stores.ts';
import { wiredApi } from './deployed.ts';
import { listen } from './http.ts';
import { lookInto } from './redis.ts';
import { freshDatabase, ownRedis } from './servers.ts';

export interface TwoBackends {
  /** Where each of them listens. */
  readonly url: Readonly<Record<BackendName, string>>;
  readonly redis: RedisConnection;
  readonly database: Database;
}

export const BACKENDS = ['express', 'serverless'] as const;
export type BackendName = (typeof BACKENDS)[number];

const closing: (() => unknown)[] = [];

afterAll(() => Promise.all(closing.map((close) => close())));

/** Starts the legacy backend behind its mirror, and the serverless one in the phase `isolated`. */
export async function twoBackends(): Promise<TwoBackends> {
  const [{ url: databaseUrl }, { url: redisUrl }] = await Promise.all([freshDatabase(), ownRedis()]);
  await migrate(databaseUrl);
  const database = createPool({ url: databaseUrl, applicationName: 'test' });
  const client = createClient({ url: redisUrl });
  closing.push(
    () => database.ending || database.end(),
    () => client.destroy(),
  );
  client.on('error', () => {});
  await client.connect();
  const handler = await wiredApi({
    NODE_ENV: 'test',
    MIGRATION_MODE: 'true',
    REDIS_URL: redisUrl,
    DATABASE_URL: databaseUrl,
  });
  const stores = createLegacyStores({
    ...{ database, phase: 'legacy', env: 'test' },
    send: (command) => client.sendCommand([...command]),
  });
  const legacy = legacyApp({ redis: mirror(client, { env: 'test' }), database, stores });
  const [express, serverless, redis] = await Promise.all([
    listen(createServer(legacy)),
    listen(createHost(handler, { gates: [believeEverybody] })),
    lookInto(redisUrl),
  ]);
  return { url: { express, serverless }, redis, database };
}
