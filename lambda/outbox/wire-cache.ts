import { type BreakerState, withBreaker } from '../cache/breaker.ts';
import type { CacheOptions } from '../cache/cache.ts';
import { createFallbackMark, type FallbackMark } from '../cache/fallback-mark.ts';
import { createKeyspace } from '../cache/keyspace.ts';
import { memoryStore } from '../cache/memory-store.ts';
import { type Environment, environmentName, familiesIn, phaseOf } from '../cache/phase.ts';
import { createPresence, type PresenceOptions } from '../cache/presence.ts';
import { redisStore, type Send } from '../cache/redis-store.ts';
import { throughGate } from '../cache/replay-gate.ts';
import type { CacheStore } from '../cache/store.ts';
import { ConfigurationError } from '../contract/errors.ts';
import type { Family } from '../contract/families.ts';
import { API_SERVICE } from '../contract/metrics.ts';
import { readSwitch } from '../contract/switches.ts';
import { type Database, isInTransaction } from '../database/pool.ts';
import { redisOptionsOf } from '../redis/options.ts';
import { errorFields, type Logger } from '../telemetry/logger.ts';
import { type CacheMode, cacheModeOf } from './cache-mode.ts';
import { openReplayedRedis, type ReplayedRedis } from './replayed-redis.ts';

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
  /** How `cutover coverage` and `cutover phase` name this service. Default: `cutover-api`. */
  readonly service?: string;
  /** Whose outbox is replayed to a Redis that was restarted. Without one, another process has to. */
  readonly database?: Database;
  /** Told of each connection to Redis that could not be opened, or was lost. */
  readonly onConnectionFailure?: () => void;
  /** Told when reads begin not to ask Redis, and when they ask again. */
  readonly onBreakerChange?: (state: BreakerState) => void;
  /** Told how long each command of a read or a fill took, in milliseconds, answered or not. */
  readonly onCommand?: (ms: number) => void;
}

/**
 * Wires the cache from the environment: what `redisOptionsOf` reads, NODE_ENV, the phase's switches, CW_CACHE_EPOCHS_ENABLED and CACHE_MODE.
 * @throws ConfigurationError naming the variable; also when the Redis is in use under another NODE_ENV.
 */
export async function wireCache(environment: Environment, options: WireOptions): Promise<WiredCache> {
  const { logger = SILENT, families, service = API_SERVICE, database, onConnectionFailure } = options;
  const keyspace = createKeyspace({
    phase: phaseOf(environment),
    env: environmentName(environment['NODE_ENV']),
    families: familiesIn(environment, families),
  });
  const mode = cacheModeOf(environment);
  const epochs = readSwitch(environment, 'CW_CACHE_EPOCHS_ENABLED');
  const target = redisOptionsOf(environment);
  const redis =
    target &&
    (await openReplayedRedis({
      ...{ ...target, name: 'cutover-api', keyspace, database, logger },
      onConnectionFailure,
    }));
  const { phase, env } = keyspace;
  const isDual = [{ phase }, ...keyspace.families].some((each) => each.phase === 'dual');
  const fallbacks = redis && isDual ? createFallbackMark({ send: redis.send }) : undefined;
  const send = redis ? withPresence(redis.send, { service, phase, env, mirror: false }, fallbacks) : noRedis;

  const reads = redis && guarded({ send, gate: redis.gate }, { ...options, logger });

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
    invalidates: redis ? [redisStore(send, redis), ...own] : own,
    freshStores: redis ? [redisStore(redis.sendFresh, redis), ...own] : own,
    inTransaction: isInTransaction,
    clustered: redis?.clustered ?? false,
    connections: () => redis?.connections ?? 0,
    onLegacyFallback: fallbacks?.noticed,
    onError: (error, family) => logger.warn('cache error', { family, ...errorFields(error) }),
  };
  return {
    options: cacheOptions,
    send,
    state: redis && reads && { reads, send, sendFresh: redis.sendFresh },
    hasRedis: redis !== undefined,
    close: () => redis?.close(),
  };
}

/** Sends, and says now and then that this process is there. */
function withPresence(
  send: Send,
  who: Omit<PresenceOptions, 'send'>,
  fallbacks: FallbackMark | undefined,
): Send {
  const isPresent = createPresence({ ...who, send });
  const isHere = () => {
    isPresent();
    fallbacks?.isHere();
  };
  isHere();
  return (command) => {
    const reply = send(command);
    isHere();
    return reply;
  };
}

const SILENT: Logger = { info() {}, warn() {}, error() {} };

const noRedis: Send = () => Promise.reject(new ConfigurationError('cache: REDIS_URL is not set'));

/** How reads and fills are sent: not at all while Redis is away, or may have forgotten invalidations. */
function guarded(
  { send, gate }: Pick<ReplayedRedis, 'send' | 'gate'>,
  { logger, onBreakerChange, onCommand }: WireOptions & { readonly logger: Logger },
): Send {
  const onChange = (state: BreakerState) => {
    logger.warn('redis breaker', { state });
    onBreakerChange?.(state);
  };
  return throughGate(withBreaker(onCommand ? timed(send, onCommand) : send, { onChange }), gate);
}

/** Looks on, as the breaker does: another promise would cost a hit. */
function timed(send: Send, onCommand: (ms: number) => void): Send {
  return (command) => {
    const beganAt = performance.now();
    const reply = send(command);
    const ended = () => onCommand(performance.now() - beganAt);
    reply.then(ended, ended);
    return reply;
  };
}
