/** The routes of the flags on a Redis and a PostgreSQL of their own, asked as API Gateway would ask them. */
import { afterAll } from '@jest/globals';
import { createCache } from '../../lambda/cache/cache.ts';
import { createKeyspace } from '../../lambda/cache/keyspace.ts';
import type { Phase } from '../../lambda/cache/phase.ts';
import { redisStore } from '../../lambda/cache/redis-store.ts';
import { FLAGS_SCOPE } from '../../lambda/contract/flag-routes.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../lambda/database/pool.ts';
import { rememberLastGood } from '../../lambda/flags/last-good.ts';
import { flagAdminRoutes, flagRoutes } from '../../lambda/flags/routes.ts';
import { createFlags } from '../../lambda/flags/service.ts';
import { createApi } from '../../lambda/http/app.ts';
import { createWrites } from '../../lambda/outbox/writes.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { lookInto } from './redis.ts';
import { freshDatabase, ownRedis } from './servers.ts';

/** What an authorizer has found in a token. */
export type Claims = Readonly<Record<string, unknown>>;

export const ADMIN: Claims = { sub: 'ada', scope: `openid ${FLAGS_SCOPE}` };

export interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null: no token. Default: `ADMIN`. */
  readonly claims?: Claims | null;
}

export interface FlagsApi {
  /** Asks, with the body as JSON. */
  ask(
    path: string,
    asked?: Asked,
  ): Promise<{ status: number; headers: Record<string, string>; body: unknown }>;
  /** Errors that were no client's fault. */
  readonly errors: unknown[];
  readonly redis: RedisConnection;
  readonly database: Database;
  /** No flag, nothing in Redis, and nothing in the outbox. */
  clear(): Promise<void>;
}

let servers: Promise<{ redis: RedisConnection; database: Database }> | undefined;

async function openServers() {
  const [{ url: redisUrl }, { url: databaseUrl }] = await Promise.all([ownRedis(), freshDatabase()]);
  await migrate(databaseUrl);
  return {
    redis: await lookInto(redisUrl),
    database: createPool({ url: databaseUrl, applicationName: 'test' }),
  };
}

afterAll(async () => (await servers)?.database.end());

/** The API in a phase; all of a test file share one Redis and one PostgreSQL. */
export async function flagsApi(phase: Phase = 'isolated'): Promise<FlagsApi> {
  servers ??= openServers();
  const { redis, database } = await servers;
  const keyspace = createKeyspace({ phase, env: 'test' });
  const cache = createCache({ keyspace, store: redisStore(redis.send, redis) });
  const writes = createWrites({ database, keyspace, cache });
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const resolve = rememberLastGood({ cache, onError });
  const flags = createFlags({ environment: 'test', resolve, database, writes });
  const app = createApi({
    routes: { '/api/config/flags': flagRoutes(flags), '/api/admin/flags': flagAdminRoutes(flags) },
    probes: {},
    onError,
  });
  return {
    errors,
    redis,
    database,
    async clear() {
      await redis.send(['FLUSHALL']);
      await database.query('TRUNCATE feature_flags, feature_flag_overrides, cutover_outbox');
    },
    async ask(path, { method = 'GET', body, headers = {}, claims = ADMIN } = {}) {
      const init = {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      };
      const env = { event: { requestContext: { ...(claims && { authorizer: { jwt: { claims } } }) } } };
      const answer = await app.request(path, init, env);
      const text = await answer.text();
      return {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: text === '' ? undefined : JSON.parse(text),
      };
    },
  };
}
