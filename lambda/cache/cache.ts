import type { Cache, GetOptions } from './api.ts';
import { isBroken } from './breaker.ts';
import { createBudget } from './budget.ts';
import { type Codec, jsonCodec } from './codec.ts';
import { requireEntryTags } from './epochs.ts';
import { createFallback } from './fallback.ts';
import { createFiller } from './filler.ts';
import { type Continuation, FirstGet, type Request } from './first-get.ts';
import { createRunLoader } from './flight.ts';
import { type Acknowledgement, invalidateAll, type Outdated } from './invalidation.ts';
import { type Keyspace, locateCached, type Places } from './keyspace.ts';
import { createLifetimes } from './lifetimes.ts';
import type { Look } from './look.ts';
import { type Lookup, lookUp } from './lookup.ts';
import { type CacheMetrics, type Counts, noCounts } from './metrics.ts';
import { requireOwn, type SetOptions, setOwn } from './own-value.ts';
import { type Answer, createReadThrough, type Outcome } from './read-through.ts';
import { explainRefusal } from './refusal.ts';
import { ReplayPendingError } from './replay-gate.ts';
import type { CacheStore } from './store.ts';
import { jittered, requireTtl } from './ttl.ts';

export type { Cache, GetOptions, ReadOptions } from './api.ts';
export type { Acknowledgement, Answer, CacheMetrics, Lookup, SetOptions };

export interface CacheOptions {
  readonly keyspace: Keyspace;
  /** Where this process reads and fills; without one, every read loads. */
  readonly store?: CacheStore | undefined;
  /** Every store that somebody reads: an invalidation goes to all of them. Default: `store`. */
  readonly invalidates?: readonly CacheStore[];
  /** Those stores over connections of their own: where an invalidation failed, it is tried once more there. Default: `invalidates`. */
  readonly freshStores?: readonly CacheStore[];
  /** Default: plain JSON. */
  readonly codec?: Codec;
  /** How long a load may take, in milliseconds. Default: 5000. */
  readonly loaderTimeoutMs?: number;
  /** Whether entries with tags are stored; where they are not, tagged reads load. Default: false. */
  readonly epochs?: boolean;
  /** Whether the caller is inside a transaction: what it reads there nobody else may see yet. */
  readonly inTransaction?: () => boolean;
  /** Whether keys live on several servers, by slot: then those that cannot share one with their lease bypass the cache. Default: false. */
  readonly clustered?: boolean;
  /** How many connections to the store are open now. */
  readonly connections?: () => number;
  /** Told of each hit that a legacy key gave, in phase `dual`. */
  readonly onLegacyFallback?: (() => void) | undefined;
  /** Told of each error of the store and of the family concerned, never of a key or a value. */
  readonly onError?: (error: unknown, family: string) => void;
}

/** A lease outlives its loader by this much: the fill has to travel too. */
const LEASE_MARGIN_MS = 1000;

const NO_OPTIONS = {};
const bare = <T>(value: T): T => value;
const withOutcome = <T>(value: T, outcome: Outcome): Answer<T> => ({ value, outcome });

/**
 * The cache: a read that misses takes a lease, loads, and stores only if no invalidation removed the lease
 * meanwhile. docs/architecture.md tells why that cannot be stale; a model of it runs in the tests.
 * @example
 * ```ts
 * import { connectRedis, createCache, createKeyspace, redisStore, withBreaker } from 'cutover/cache';
 *
 * const redis = connectRedis({ url: process.env.REDIS_URL ?? 'redis://localhost:6379', name: 'lists' });
 * await redis.ready(5000);
 * const cache = createCache({
 *   keyspace: createKeyspace({ phase: 'isolated', env: 'production' }),
 *   store: redisStore(withBreaker(redis.send)),
 *   invalidates: [redisStore(redis.send)], // asks Redis whatever the breaker thinks
 * });
 * const readList = async () => ['first']; // your query
 * await cache.resolve('mocs:user:123:list', readList); // => { value: ['first'], outcome: 'miss' }
 * await cache.resolve('mocs:user:123:list', readList); // => { value: ['first'], outcome: 'hit' }
 * await redis.send(['EXISTS', 'v2:mocs:user:123:list']); // => 1
 * redis.close();
 * ```
 */
export function createCache(options: CacheOptions): Cache {
  const { keyspace, store, codec = jsonCodec, loaderTimeoutMs = 5000, onError } = options;
  const { epochs = false, inTransaction = () => false, clustered = false, connections = () => 0 } = options;
  const stores = options.invalidates ?? (store ? [store] : []);
  const freshStores = options.freshStores ?? stores;
  const leaseMs = loaderTimeoutMs + LEASE_MARGIN_MS;
  const lifetimesOf = createLifetimes(keyspace.families);
  const counts: Counts = noCounts(options.onLegacyFallback);
  const runLoader = createRunLoader(loaderTimeoutMs);
  const filler = createFiller({ runLoader, counts });
  const reading = createReadThrough({
    filler,
    fallback: createFallback(),
    runLoader,
    leaseMs,
    loaderTimeoutMs,
    counts,
  });

  const failed = (error: unknown, family: string) => {
    // Said once, when it begins; what follows are bypasses.
    if (isBroken(error) || error instanceof ReplayPendingError) return;
    counts.errors += 1;
    onError?.(explainRefusal(error), family);
  };

  const locate = (key: string): Places => locateCached(keyspace, key);

  const lookAt = <T>(places: Places, { validate, tags }: GetOptions<T>, beganAt?: number): Look<T> => {
    if (!store) throw new TypeError('cache: a cache without a store looks nowhere');
    const { longestWaitMs } = store;
    const budget = createBudget({ beganAt, longestWaitMs });
    const onError = (error: unknown) => failed(error, places.family.name);
    return { store, places, codec, validate, tags, leaseMs, budget, onError };
  };

  /** Tagged entries live in a namespace only: in phase `legacy` there is none. */
  const mayStore = (places: Places, tags: readonly string[] | undefined): boolean =>
    (tags === undefined || (epochs && places.home !== places.legacy)) && (!clustered || places.sharesSlot);

  const next: Continuation = {
    codec,
    counts,
    async goOn({ places, request, lifetimes, callers }, { got, beganAt }) {
      const { load, options, answer } = request;
      const { adoptLegacy = true } = options;
      const { ttlMs, negativeTtlMs } = lifetimes;
      const look = lookAt(places, options, beganAt);
      // Not spread into another object, which took a miss a tenth of its time.
      const wanted = Object.assign(look, { load, ttlMs, negativeTtlMs, adoptLegacy, callers });
      const { value, outcome } = await reading.readOn(wanted, got);
      return answer(value, outcome);
    },
    async fallBack({ places, request: { load, answer } }, error) {
      failed(error, places.family.name);
      const { value, outcome } = await reading.bypass(places.legacy, load);
      return answer(value, outcome);
    },
  };

  const loadOnly = async <T, A>({ load, answer }: Request<T, A>): Promise<A> => {
    const { value, outcome } = await reading.loadOnly(load, 'bypass');
    return answer(value, outcome);
  };

  /** No asynchronous function: its variables would be memory of each hit. */
  const read = <T, A>(key: string, request: Request<T, A>): Promise<A> => {
    try {
      const { options } = request;
      const { tags } = options;
      const places = locate(key);
      const lifetimes = lifetimesOf(places.family, options);
      if (tags) requireEntryTags(tags);
      if (!store || inTransaction() || !mayStore(places, tags)) return loadOnly(request);
      const asked = { places, request, lifetimes, callers: filler.callers };
      return tags
        ? next.goOn(asked, { got: undefined, beganAt: performance.now() })
        : store.getFor(places.home, new FirstGet(asked, next));
    } catch (error) {
      return Promise.reject(error);
    }
  };

  const get: Cache['get'] = async <T>(key: string, options: GetOptions<T> = {}) => {
    const places = locate(key);
    if (options.tags) requireEntryTags(options.tags);
    if (!store || inTransaction() || !mayStore(places, options.tags)) return { outcome: 'unavailable' };
    return lookUp(lookAt(places, options), counts);
  };

  const invalidate = (outdated: Outdated) =>
    invalidateAll(outdated, {
      stores,
      freshStores,
      onError: (error) => failed(error, outdated.places[0]?.family.name ?? 'tags'),
    });

  return {
    get,
    async getMany(keys, options) {
      for (const key of keys) locate(key);
      return Promise.all(keys.map((key) => get(key, options)));
    },
    set: async (key, value, options = {}) => {
      const places = locate(key);
      requireOwn(places);
      const { family } = places;
      const { families } = keyspace;
      return setOwn({
        places,
        value: codec.encode(value),
        ttlMs: jittered(requireTtl({ ttlSeconds: options.ttlSeconds, family, families })),
        stores,
        onError: (error) => failed(error, family.name),
      });
    },
    getOrLoad: (key, load, options = NO_OPTIONS) => read(key, { load, options, answer: bare }),
    resolve: (key, load, options = NO_OPTIONS) => read(key, { load, options, answer: withOutcome }),
    invalidate: async (...keys) => invalidate({ places: keys.map(locate), tags: [] }),
    invalidateTag: async (...tags) => invalidate({ places: [], tags }),
    getCacheMetrics: () => ({ ...counts, inFlight: filler.inFlight, connections: connections() }),
  };
}
