import { withBreaker } from '../cache/breaker.ts';
import type { CacheOptions } from '../cache/cache.ts';
import { createKeyspace } from '../cache/keyspace.ts';
import { memoryStore } from '../cache/memory-store.ts';
import { type Environment, environmentName, familiesIn, phaseOf } from '../cache/phase.ts';
import { redisStore, type Send } from '../cache/redis-store.ts';
import { throughGate } from '../cache/replay-gate.ts';
import type { CacheStore } from '../cache/store.ts';
import { ConfigurationError } from '../contract/errors.ts';
import type { Family } from '../contract/families.ts';
import { readSwitch } from '../contract/switches.ts';
import { type Database, isInTransaction } from '../database/pool.ts';
import { redisOptionsOf } from '../redis/options.ts';
import { errorFields, type Logger } from '../telemetry/logger.ts';
import { openReplayedRedis, type ReplayedRedis } from './replayed-redis.ts';

const CACHE_MODES = ['redis', 'memory', 'off'] as const;
type CacheMode = (typeof CACHE_MODES)[number];

/** What a process's cache is made of, and how to ask its Redis. */
export interface WiredCache {
  readonly options: CacheOptions;
  /** Rejects where there is no REDIS_URL. */
  readonly send: Send;
  /** For stores of state: how they read, what they have to say, and that once more. Undefined where there is no REDIS_URL. */
  readonly state?: { readonly reads: Send; readonly send: Send; readonly sendFresh: Send } | undefined;
  readonly hasRedis: boolean;
  close(): void;
}

export interface WireOptions {
  /** Default: says nothing. */
  readonly logger?: Logger;
  /** Default: those of this repository. */
  readonly families?: readonly Family[];
  /** Whose outbox is replayed to a Redis that was restarted. Without one, another process has to. */
  readonly database?: Database;
  /** Told of each connection to Redis that could not be opened, or was lost. */
  readonly onConnectionFailure?: () => void;
}

/**
 * Wires the cache from the environment: what `redisOptionsOf` reads, NODE_ENV, the phase's switches, CW_CACHE_EPOCHS_ENABLED and CACHE_MODE.
 * @throws ConfigurationError naming the variable; also when the Redis is in use under another NODE_ENV.
 */
export async function wireCache(
  environment: Environment,
  { logger = SILENT, families, database, onConnectionFailure }: WireOptions,
): Promise<WiredCache> {
  const keyspace = createKeyspace({
    phase: phaseOf(environment),
    env: environmentName(environment['NODE_ENV']),
    families: familiesIn(environment, families),
  });
  const mode = cacheMode(environment);
  const epochs = readSwitch(environment, 'CW_CACHE_EPOCHS_ENABLED');
  const target = redisOptionsOf(environment);
  const redis =
    target &&
    (await openReplayedRedis({
      ...{ ...target, name: 'cutover-api', keyspace, database, logger },
      onConnectionFailure,
    }));

  const reads = redis && guarded(redis, logger);

  const stores: Record<CacheMode, () => CacheStore | undefined> = {
    redis: () => redis && reads && redisStore(reads, redis),
    memory: memoryStore,
    off: () => undefined,
  };
  const store = stores[mode]();
  // Whatever this process reads, the others read Redis; and an invalidation does not ask the breaker.
  const own = mode === 'memory' && store ? [store] : [];
  const cacheOptions: CacheOptions = {
    keyspace,
    store,
    epochs,
    invalidates: redis ? [redisStore(redis.send, redis), ...own] : own,
    freshStores: redis ? [redisStore(redis.sendFresh, redis), ...own] : own,
    inTransaction: isInTransaction,
    clustered: redis?.clustered ?? false,
    connections: () => redis?.connections ?? 0,
    onError: (error, family) => logger.warn('cache error', { family, ...errorFields(error) }),
  };
  return {
    options: cacheOptions,
    send: redis?.send ?? noRedis,
    state: redis && reads && { reads, send: redis.send, sendFresh: redis.sendFresh },
    hasRedis: redis !== undefined,
    close: () => redis?.close(),
  };
}

const SILENT: Logger = { info() {}, warn() {}, error() {} };

const noRedis: Send = () => Promise.reject(new ConfigurationError('cache: REDIS_URL is not set'));

/** How reads and fills are sent: not at all while Redis is away, or may have forgotten invalidations. */
const guarded = ({ send, gate }: ReplayedRedis, logger: Logger): Send =>
  throughGate(withBreaker(send, { onChange: (state) => logger.warn('redis breaker', { state }) }), gate);

function cacheMode({ CACHE_MODE: value, REDIS_URL: redisUrl }: Environment): CacheMode {
  if (!value) return redisUrl ? 'redis' : 'memory';
  const mode = CACHE_MODES.find((name) => name === value);
  if (!mode) throw new ConfigurationError(`cache: CACHE_MODE=${value} is none of ${CACHE_MODES.join(', ')}`);
  if (mode === 'redis' && !redisUrl) {
    throw new ConfigurationError('cache: CACHE_MODE=redis needs REDIS_URL; set it, or use CACHE_MODE=memory');
  }
  return mode;
}
