import { withBreaker } from '../cache/breaker.ts';
import { type Cache, type CacheOptions, createCache } from '../cache/cache.ts';
import { claimEnvironment } from '../cache/claim.ts';
import { createKeyspace } from '../cache/keyspace.ts';
import { memoryStore } from '../cache/memory-store.ts';
import { type Environment, environmentName, phaseOf } from '../cache/phase.ts';
import { redisStore, type Send } from '../cache/redis-store.ts';
import type { CacheStore } from '../cache/store.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { connectRedis } from '../redis/connection.ts';
import { errorFields, type Logger } from '../telemetry/logger.ts';

const CACHE_MODES = ['redis', 'memory', 'off'] as const;
type CacheMode = (typeof CACHE_MODES)[number];

/** How long a cold start waits for the connection, which goes on behind it; the claim is one command more. */
const COLD_START_WAIT_MS = 250;
const CLAIM_AGAIN_AFTER_MS = 5000;

/** Makes a cache; the rehearsal's naive variant sends commands of its own. */
export type CreateCache = (options: CacheOptions, send: Send) => ApiCache;

/** What the API's domains use of the cache. */
export type ApiCache = Pick<Cache, 'resolve' | 'invalidate' | 'getCacheMetrics'>;

/** The cache of a process, and how to ask its Redis. */
export interface WiredCache {
  readonly cache: ApiCache;
  /** Undefined where there is no REDIS_URL. */
  readonly send: Send | undefined;
}

/**
 * Wires the cache from the environment: REDIS_URL, NODE_ENV, the phase's switches and CACHE_MODE.
 * @throws ConfigurationError naming the variable; also when the Redis is in use under another NODE_ENV.
 */
export async function wireCache(
  environment: Environment,
  { logger, create = createCache }: { logger: Logger; create?: CreateCache | undefined },
): Promise<WiredCache> {
  const keyspace = createKeyspace({
    phase: phaseOf(environment),
    env: environmentName(environment['NODE_ENV']),
  });
  const mode = cacheMode(environment);
  const { REDIS_URL: url } = environment;
  const send = url ? await openRedis(url, { env: keyspace.env, logger }) : undefined;

  const stores: Record<CacheMode, () => CacheStore | undefined> = {
    redis: () =>
      send && redisStore(withBreaker(send, { onChange: (state) => logger.warn('redis breaker', { state }) })),
    memory: memoryStore,
    off: () => undefined,
  };
  const store = stores[mode]();
  // Whatever this process reads, the others read Redis; and an invalidation does not ask the breaker.
  const invalidates = [send && redisStore(send), mode === 'memory' ? store : undefined];
  const options: CacheOptions = {
    keyspace,
    store,
    invalidates: invalidates.filter((each) => each !== undefined),
    onError: (error, family) => logger.warn('cache error', { family, ...errorFields(error) }),
  };
  return { cache: create(options, send ?? noRedis), send };
}

const noRedis: Send = () => Promise.reject(new ConfigurationError('cache: REDIS_URL is not set'));

async function openRedis(url: string, { env, logger }: { env: string; logger: Logger }): Promise<Send> {
  let refused: ConfigurationError | undefined;
  let claim: Promise<void> = Promise.resolve();
  const askForClaim = async () => {
    try {
      await claimEnvironment(redis.send, env);
    } catch (error) {
      if (error instanceof ConfigurationError) refused = error;
      else setTimeout(askForClaim, CLAIM_AGAIN_AFTER_MS).unref();
      logger.error(refused ? 'serving without Redis' : 'this Redis is not claimed yet', errorFields(error));
    }
  };
  const redis = connectRedis({
    url,
    name: 'cutover-api',
    onReady: () => {
      claim = askForClaim();
    },
    onError: (error) => logger.warn('redis connection error', errorFields(error)),
  });
  await redis.ready(COLD_START_WAIT_MS).catch(() => {});
  await claim;
  if (refused) {
    redis.close();
    throw refused;
  }
  return (command) => (refused ? Promise.reject(refused) : redis.send(command));
}

function cacheMode({ CACHE_MODE: value, REDIS_URL: redisUrl }: Environment): CacheMode {
  if (!value) return redisUrl ? 'redis' : 'memory';
  const mode = CACHE_MODES.find((name) => name === value);
  if (!mode) throw new ConfigurationError(`cache: CACHE_MODE=${value} is none of ${CACHE_MODES.join(', ')}`);
  if (mode === 'redis' && !redisUrl) {
    throw new ConfigurationError('cache: CACHE_MODE=redis needs REDIS_URL; set it, or use CACHE_MODE=memory');
  }
  return mode;
}
