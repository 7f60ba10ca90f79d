import { handle } from 'hono/aws-lambda';
import { type Cache, type CacheOptions, createCache } from '../cache/cache.ts';
import type { Environment } from '../cache/phase.ts';
import type { Send } from '../cache/redis-store.ts';
import { createCollections } from '../collections/service.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { ProblemError } from '../contract/problem.ts';
import { createPool } from '../database/pool.ts';
import { wireCache } from '../outbox/wire-cache.ts';
import { createWrites } from '../outbox/writes.ts';
import { createLogger, errorFields } from '../telemetry/logger.ts';
import { createApi } from './app.ts';
import { type HttpApiEvent, problemResult, toRequestEvent } from './event.ts';

/** What the API's domains use of the cache. */
export type ApiCache = Pick<Cache, 'resolve' | 'invalidate' | 'invalidateTag' | 'getCacheMetrics'>;

/** Makes a cache; the rehearsal's naive variant sends commands of its own. */
export type CreateCache = (options: CacheOptions, send: Send) => ApiCache;

/**
 * Wires the API from its environment: a handler of API Gateway's HTTP API events (payload 2.0).
 * @param create makes the cache; the rehearsal's naive variant passes its own.
 * @throws ConfigurationError naming the variable.
 */
export async function apiHandler(environment: Environment, create: CreateCache = createCache) {
  const { DATABASE_URL: url } = environment;
  if (!url) {
    throw new ConfigurationError(
      'api: DATABASE_URL is not set; it is postgresql://user:password@host:5432/name',
    );
  }
  const logger = createLogger('cutover-api');
  const database = createPool({
    url,
    applicationName: 'cutover-api',
    onError: (error) => logger.warn('database connection error', errorFields(error)),
  });
  const { options, send, hasRedis } = await wireCache(environment, { logger, database });
  const cache = create(options, send);
  const writes = createWrites({ database, keyspace: options.keyspace, cache });
  const app = createApi({
    collections: createCollections({ cache, database, writes }),
    probes: {
      ...(hasRedis && { redis: () => send(['PING']) }),
      postgres: () => database.query('SELECT 1'),
    },
    onError: (error) => logger.error('request failed', errorFields(error)),
  });
  const answer = handle(app);
  return async (event: HttpApiEvent) => {
    try {
      return await answer(toRequestEvent(event));
    } catch (error) {
      if (error instanceof ProblemError) return problemResult(error);
      throw error;
    }
  };
}
