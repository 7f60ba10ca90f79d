import { handle, type LambdaEvent } from 'hono/aws-lambda';
import { type Cache, type CacheOptions, createCache } from '../cache/cache.ts';
import { claimEnvironment } from '../cache/claim.ts';
import { createKeyspace } from '../cache/keyspace.ts';
import { memoryStore } from '../cache/memory-store.ts';
import { type Environment, environmentName, phaseOf } from '../cache/phase.ts';
import { redisStore, type Send } from '../cache/redis-store.ts';
import type { CacheStore } from '../cache/store.ts';
import { createCollections } from '../collections/service.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { createPool } from '../database/pool.ts';
import { connectRedis, type RedisConnection } from '../redis/connection.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createApi } from './app.ts';

/** An event of an HTTP API, payload 2.0. */
type HttpApiEvent = Extract<LambdaEvent, { version: string; rawPath: string; rawQueryString: string }>;

const CACHE_MODES = ['redis', 'memory', 'off'] as const;
type CacheMode = (typeof CACHE_MODES)[number];

/** How long a cold start waits for Redis before it serves without; the connection goes on behind it. */
const COLD_START_WAIT_MS = 250;

/**
 * Wires the API from its environment: a handler of API Gateway's HTTP API events (payload 2.0).
 * @param create makes the cache; the rehearsal's naive variant, which sends commands of its own, passes another.
 * @throws ConfigurationError naming the variable.
 */
export async function apiHandler(
  environment: Environment,
  create: (options: CacheOptions, send: Send) => Cache = createCache,
) {
  const logger = createLogger('cutover-api');
  const keyspace = createKeyspace({ phase: phaseOf(environment), env: environmentName(environment) });
  const { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl } = environment;
  const mode = cacheMode(environment);
  if (!databaseUrl)
    throw new ConfigurationError(
      'api: DATABASE_URL is not set; it is postgresql://user:password@host:5432/name',
    );
  const onError = (error: unknown) => logger.warn('connection error', toError(error));

  const database = createPool({ url: databaseUrl, applicationName: 'cutover-api', onError });
  const redis = redisUrl ? connectRedis({ url: redisUrl, name: 'cutover-api', onError }) : undefined;
  if (redis) {
    await redis.ready(COLD_START_WAIT_MS).then(
      () => claimOrRefuse(redis, keyspace.env),
      (error: unknown) => logger.warn('serving without Redis until it is there', toError(error)),
    );
  }

  const shared = redis && redisStore(redis.send);
  const stores: Record<CacheMode, CacheStore | undefined> = {
    redis: shared,
    memory: memoryStore(),
    off: undefined,
  };
  const store = stores[mode];
  const options: CacheOptions = {
    keyspace,
    store,
    // Whatever this process reads, the others read Redis.
    invalidates: [...new Set([shared, store])].filter((each) => each !== undefined),
    onError: (error, family) => logger.warn('cache error', { family, error: toError(error) }),
  };
  const unavailable: Send = () => Promise.reject(new ConfigurationError('api: REDIS_URL is not set'));
  const cache = create(options, redis?.send ?? unavailable);
  const app = createApi({
    collections: createCollections({ cache, database }),
    probes: {
      ...(redis && { redis: () => redis.send(['PING']) }),
      postgres: () => database.query('SELECT 1'),
    },
    onError: (error) => logger.error('request failed', toError(error)),
  });
  const answer = handle(app);
  return (event: HttpApiEvent) => answer({ ...event, rawPath: encoded(event.rawPath) });
}

/** API Gateway may hand over a decoded path, and a URL drops or reads as its own what is in it then. */
const encoded = (rawPath: string) => rawPath.replace(/[\u0000-\u0020?#\\\u007f]/g, encodeURIComponent);

function cacheMode(environment: Environment): CacheMode {
  const { CACHE_MODE: value, REDIS_URL: redisUrl } = environment;
  if (!value) return redisUrl ? 'redis' : 'memory';
  const mode = CACHE_MODES.find((name) => name === value);
  if (!mode) throw new ConfigurationError(`api: CACHE_MODE=${value} is none of ${CACHE_MODES.join(', ')}`);
  if (mode === 'redis' && !redisUrl) {
    throw new ConfigurationError('api: CACHE_MODE=redis needs REDIS_URL; set it, or use CACHE_MODE=memory');
  }
  return mode;
}

async function claimOrRefuse(redis: RedisConnection, env: string): Promise<void> {
  try {
    await claimEnvironment(redis.send, env);
  } catch (error) {
    // A Redis that went away again is served without; one that is another environment's is not served at all.
    if (error instanceof ConfigurationError) throw error;
  }
}

const toError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
