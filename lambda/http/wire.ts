import { handle } from 'hono/aws-lambda';
import { type Cache, type CacheOptions, createCache } from '../cache/cache.ts';
import { type Environment, environmentName, phaseOf } from '../cache/phase.ts';
import type { Send } from '../cache/redis-store.ts';
import { wireClassroom } from '../classroom/wire.ts';
import { collectionRoutes } from '../collections/routes.ts';
import { createCollections } from '../collections/service.ts';
import { HEALTH_PATH, READY_PATH } from '../contract/hooks.ts';
import { API_SERVICE, METRICS_NAMESPACE } from '../contract/metrics.ts';
import { ProblemError } from '../contract/problem.ts';
import { databaseOptionsOf } from '../database/options.ts';
import { createPool } from '../database/pool.ts';
import { flagAdminRoutes, flagRoutes } from '../flags/routes.ts';
import { wireFlags } from '../flags/wire.ts';
import { wireCache } from '../outbox/wire-cache.ts';
import { createWrites } from '../outbox/writes.ts';
import { withCorrelation } from '../telemetry/correlation.ts';
import { createLogger, errorFields } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createApi } from './app.ts';
import { type HttpApiEvent, problemResult, toRequestEvent } from './event.ts';
import { createRuntimeMetrics } from './runtime-metrics.ts';

/** What the API's domains use of the cache. */
export type ApiCache = Pick<Cache, 'resolve' | 'invalidate' | 'invalidateTag' | 'getCacheMetrics'>;

/** Makes a cache; the rehearsal's naive variant sends commands of its own. */
export type CreateCache = (options: CacheOptions, send: Send) => ApiCache;

export interface ApiHandlerOptions {
  /** Makes the cache; the rehearsal's naive variant passes its own. */
  readonly create?: CreateCache;
  /** Is given what to do before the process ends: metrics that are not written by then are lost. Default: nobody does it. */
  readonly atEnd?: (end: () => void) => void;
}

/**
 * Wires the API from its environment: a handler of API Gateway's HTTP API events (payload 2.0).
 * @throws ConfigurationError naming the variable.
 */
export async function apiHandler(
  environment: Environment,
  { create = createCache, atEnd }: ApiHandlerOptions = {},
) {
  const target = databaseOptionsOf(environment, 'api');
  const logger = createLogger(API_SERVICE);
  const metrics = createMetrics({
    namespace: METRICS_NAMESPACE,
    serviceName: API_SERVICE,
    environment: environmentName(environment['NODE_ENV']),
  });
  const phase = phaseOf(environment);
  const runtime = createRuntimeMetrics({ metrics, phase, cache: () => cache.getCacheMetrics() });
  atEnd?.(runtime.end);
  const database = createPool({
    ...target,
    applicationName: API_SERVICE,
    onError: (error) => logger.warn('database connection error', errorFields(error)),
    onLatency: runtime.databaseTook,
  });
  const { options, send, hasRedis, state } = await wireCache(environment, {
    ...{ logger, database },
    onConnectionFailure: runtime.redisFailed,
    onBreakerChange: runtime.breakerChanged,
    onCommand: runtime.redisTook,
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
  const respond = async (event: HttpApiEvent) => {
    try {
      return await answer(toRequestEvent(event));
    } catch (error) {
      if (error instanceof ProblemError) return problemResult(error);
      throw error;
    }
  };
  return async (event: HttpApiEvent) => {
    const { rawPath: path } = event;
    const beganAt = performance.now();
    let status: number | undefined;
    try {
      const result = await withCorrelation(event.requestContext.requestId, () => respond(event));
      status = result.statusCode;
      return result;
    } finally {
      // What asks how the process is has no user behind it, and a readiness that fails is the servers' failure.
      const isProbe = path === READY_PATH || path === HEALTH_PATH;
      runtime.requestEnded(isProbe ? undefined : { path, status, ms: performance.now() - beganAt });
    }
  };
}
