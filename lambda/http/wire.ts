import { handle } from 'hono/aws-lambda';
import { type Cache, type CacheOptions, createCache } from '../cache/cache.ts';
import { type Environment, environmentName } from '../cache/phase.ts';
import type { Send } from '../cache/redis-store.ts';
import { wireClassroom } from '../classroom/wire.ts';
import { collectionRoutes } from '../collections/routes.ts';
import { createCollections } from '../collections/service.ts';
import { READY_PATH } from '../contract/hooks.ts';
import { API_SERVICE, METRICS_NAMESPACE } from '../contract/metrics.ts';
import { ProblemError } from '../contract/problem.ts';
import { databaseOptionsOf } from '../database/options.ts';
import { createPool } from '../database/pool.ts';
import { flagAdminRoutes, flagRoutes } from '../flags/routes.ts';
import { wireFlags } from '../flags/wire.ts';
import { wireCache } from '../outbox/wire-cache.ts';
import { createWrites } from '../outbox/writes.ts';
import { createLogger, errorFields } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createApi } from './app.ts';
import { type HttpApiEvent, problemResult, toRequestEvent } from './event.ts';
import { createRuntimeMetrics } from './runtime-metrics.ts';

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
  const target = databaseOptionsOf(environment, 'api');
  const logger = createLogger(API_SERVICE);
  const metrics = createMetrics({
    namespace: METRICS_NAMESPACE,
    serviceName: API_SERVICE,
    environment: environmentName(environment['NODE_ENV']),
  });
  const runtime = createRuntimeMetrics({ metrics, reads: () => cache.getCacheMetrics() });
  const database = createPool({
    ...target,
    applicationName: API_SERVICE,
    onError: (error) => logger.warn('database connection error', errorFields(error)),
    onLatency: runtime.databaseTook,
  });
  const { options, send, hasRedis, state } = await wireCache(environment, {
    ...{ logger, database },
    onConnectionFailure: runtime.redisFailed,
  });
  const cache = create(options, send);
  const writes = createWrites({ database, keyspace: options.keyspace, cache });
  const flags = wireFlags({ environment: options.keyspace.env, cache, database, writes, logger, metrics });
  const app = createApi({
    routes: {
      '/api/users': collectionRoutes(createCollections({ cache, database, writes })),
      '/api/config/flags': flagRoutes(flags),
      '/api/admin/flags': flagAdminRoutes(flags),
      ...wireClassroom({ keyspace: options.keyspace, connections: state, database, logger }),
    },
    probes: {
      ...(hasRedis && { redis: () => send(['PING']) }),
      postgres: () => database.query('SELECT 1'),
    },
    onError: (error) => logger.error('request failed', errorFields(error)),
  });
  const answer = handle(app);
  return async (event: HttpApiEvent) => {
    try {
      const result = await answer(toRequestEvent(event));
      // Of the readiness it is the servers' failure, and what asks for it has no user behind it.
      if (result.statusCode > 499 && event.rawPath !== READY_PATH) runtime.serverFailed();
      return result;
    } catch (error) {
      if (error instanceof ProblemError) return problemResult(error);
      throw error;
    } finally {
      runtime.requestEnded();
    }
  };
}
