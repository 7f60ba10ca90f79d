/** `cutover/cache`: what a Node service imports to read and invalidate through the cache. */
export { ConfigurationError, CutoverError } from '../contract/errors.ts';
export {
  connectRedis,
  type RedisConnection,
  type RedisOptions,
  RedisUnavailableError,
} from '../redis/connection.ts';
export { DeadlineError } from '../redis/deadline.ts';
export type { Cache, GetOptions, ReadOptions } from './api.ts';
export { type BreakerOptions, type BreakerState, withBreaker } from './breaker.ts';
export {
  type Acknowledgement,
  type Answer,
  type CacheMetrics,
  type CacheOptions,
  createCache,
  type Lookup,
  type SetOptions,
} from './cache.ts';
export { claimEnvironment } from './claim.ts';
export { type Codec, jsonCodec, UnencodableValueError } from './codec.ts';
export { type LoadContext, type Loader, LoaderTimeoutError } from './flight.ts';
export {
  createKeyspace,
  InvalidKeyError,
  type Keyspace,
  type KeyspaceOptions,
  type LogicalKey,
  type PhysicalKey,
  type Places,
} from './keyspace.ts';
export type { LeaseToken } from './lease.ts';
export { memoryStore } from './memory-store.ts';
export { type Environment, environmentName, familiesIn, type Phase, phaseOf } from './phase.ts';
export type { Outcome } from './read-through.ts';
export { type RedisStoreOptions, redisStore, type Send } from './redis-store.ts';
export { RedisRefusedError } from './refusal.ts';
export { memorySets, redisSets } from './set-stores.ts';
export { createSets, type SetStore, type Sets, type SetsOptions } from './sets.ts';
export type { CacheStore, Fill, OwnValue } from './store.ts';
export type { Ttl } from './ttl.ts';
export { type Schema, UnexpectedValueError } from './validation.ts';
