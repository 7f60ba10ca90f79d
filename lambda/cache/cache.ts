import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { isBroken } from './breaker.ts';
import { type Codec, jsonCodec } from './codec.ts';
import { createFallback } from './fallback.ts';
import { createFiller, type Filler } from './filler.ts';
import { isNested, type Loader, runLoader } from './flight.ts';
import { InvalidKeyError, type Keyspace, type Places } from './keyspace.ts';
import { isLease, type LeaseToken } from './lease.ts';
import { type FirstGet, type Look, look } from './look.ts';
import type { CacheStore } from './store.ts';

/** Where an answer came from: the cache, a load, or a load because the cache could not be asked. */
export type Outcome = 'hit' | 'miss' | 'bypass';

/** Whether every backend has forgotten the old value, or may still return it. */
export type Acknowledgement = 'done' | 'pending';

export interface Answer<T> {
  readonly value: T;
  readonly outcome: Outcome;
}

export interface ReadOptions {
  /** Time to live of what a miss stores, in seconds, above 0. Default: the family's. */
  readonly ttlSeconds?: number;
}

/** What happened in this process since it started; `inFlight` is of now. */
export interface CacheMetrics {
  readonly hits: number;
  readonly misses: number;
  /** Hits that the legacy key gave, in phase `dual`: at 0 for a while, that key is no longer needed. */
  readonly legacyFallbacks: number;
  /** Reads answered by a load because the store could not be asked. */
  readonly bypasses: number;
  /** Loads whose value was not stored because an invalidation came between. */
  readonly fencedFills: number;
  readonly errors: number;
  readonly inFlight: number;
}

/** The counters behind the metrics. */
export type Counts = { -readonly [Name in Exclude<keyof CacheMetrics, 'inFlight'>]: number };

export interface Cache {
  /**
   * Answers from the cache, or loads, stores and answers. Never throws because of the cache.
   * @throws InvalidKeyError for a key of no cache family, RangeError for a TTL of 0 or below, what the loader
   * throws, LoaderTimeoutError.
   * @example
   * ```ts
   * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
   *
   * const keyspace = createKeyspace({ phase: 'isolated', env: 'production' });
   * const cache = createCache({ keyspace, store: memoryStore() });
   * const readList = async () => ['first']; // your query
   * await cache.resolve('mocs:user:123:list', readList); // => { value: ['first'], outcome: 'miss' }
   * await cache.resolve('mocs:user:123:list', readList); // => { value: ['first'], outcome: 'hit' }
   * await cache.resolve('orders:123', readList); // throws InvalidKeyError
   * ```
   */
  resolve<T>(key: string, load: Loader<T>, options?: ReadOptions): Promise<Answer<T>>;
  /**
   * Makes every backend forget the keys. Call it after the commit and before the writer answers.
   * @returns `pending` when it could not be confirmed. Never throws because of the cache.
   * @throws InvalidKeyError before anything is removed.
   * @example
   * ```ts
   * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
   *
   * const keyspace = createKeyspace({ phase: 'isolated', env: 'production' });
   * const cache = createCache({ keyspace, store: memoryStore() });
   * let rows = ['first'];
   * await cache.resolve('mocs:user:123:list', async () => rows); // => { value: ['first'], outcome: 'miss' }
   * rows = ['first', 'second']; // your UPDATE, committed
   * await cache.invalidate('mocs:user:123:list'); // => 'done'
   * await cache.resolve('mocs:user:123:list', async () => rows); // => { value: ['first', 'second'], outcome: 'miss' }
   * ```
   */
  invalidate(...keys: readonly string[]): Promise<Acknowledgement>;
  /**
   * What happened in this process so far.
   * @example
   * ```ts
   * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
   *
   * const keyspace = createKeyspace({ phase: 'isolated', env: 'production' });
   * const cache = createCache({ keyspace, store: memoryStore() });
   * await cache.resolve('mocs:user:123:list', async () => []);
   * await cache.resolve('mocs:user:123:list', async () => []);
   * const { hits, misses } = cache.getCacheMetrics();
   * ({ hits, misses }); // => { hits: 1, misses: 1 }
   * ```
   */
  getCacheMetrics(): CacheMetrics;
}

export interface CacheOptions {
  readonly keyspace: Keyspace;
  /** Where this process reads and fills; without one, every read loads. */
  readonly store?: CacheStore | undefined;
  /** Every store that somebody reads: an invalidation goes to all of them. Default: `store`. */
  readonly invalidates?: readonly CacheStore[];
  readonly codec?: Codec;
  /** How long a load may take, in milliseconds. */
  readonly loaderTimeoutMs?: number;
  /** Told of each error of the store and of the family concerned, never of a key or a value. */
  readonly onError?: (error: unknown, family: string) => void;
}

/** How long a reader waits for another process's load before it loads for itself, without storing. */
const WAIT_FOR_FILLER_MS = 500;
const FIRST_WAIT_MS = 4;
const LONGEST_WAIT_MS = 64;
/** A lease outlives its loader by this much: the fill has to travel too. */
const LEASE_MARGIN_MS = 1000;
const INVALIDATION_ATTEMPTS = 2;
const MAX_ABANDONED = 1000;

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
  const invalidated = options.invalidates ?? (store ? [store] : []);
  const leaseMs = loaderTimeoutMs + LEASE_MARGIN_MS;
  const counts: Counts = { hits: 0, misses: 0, legacyFallbacks: 0, bypasses: 0, fencedFills: 0, errors: 0 };
  const fallback = createFallback();
  /** Leases that were waited for in vain: nobody else has to wait for them. */
  const abandoned = new LRUCache<LeaseToken, true>({ max: MAX_ABANDONED, ttl: leaseMs });

  const failed = (error: unknown, { family }: Places) => {
    // Said once, when it opens; what follows are bypasses.
    if (isBroken(error)) return;
    counts.errors += 1;
    onError?.(error, family.name);
  };

  const caching = store && {
    store,
    filler: createFiller({ store, codec, loaderTimeoutMs, leaseMs, counts, onError: failed }),
  };

  const loadWithoutStoring = async <T>(load: Loader<T>, outcome: 'miss' | 'bypass'): Promise<Answer<T>> => {
    counts[outcome === 'miss' ? 'misses' : 'bypasses'] += 1;
    return { value: await runLoader(load, loaderTimeoutMs), outcome };
  };

  const join = async <T>(flight: Promise<unknown>, load: Loader<T>): Promise<Answer<T>> => {
    try {
      const value = (await flight) as T;
      counts.misses += 1;
      return { value, outcome: 'miss' };
    } catch {
      // The error belongs to the one whose load failed; the others try once for themselves.
      return loadWithoutStoring(load, 'miss');
    }
  };

  const fallbackLoad = <T>(places: Places, load: Loader<T>): Promise<T> =>
    fallback.run(places.legacy, () => runLoader(load, loaderTimeoutMs));

  const bypass = async <T>(places: Places, load: Loader<T>): Promise<Answer<T>> => {
    counts.bypasses += 1;
    return { value: await fallbackLoad(places, load), outcome: 'bypass' };
  };

  /** A read that was no plain hit: loads, or joins or waits for who does. */
  const readThrough = async <T>(
    { store, filler }: Caching,
    places: Places,
    read: Read<T>,
  ): Promise<Answer<T>> => {
    const waitUntil = performance.now() + WAIT_FOR_FILLER_MS;
    const request: Look = { store, places, codec, leaseMs, onError: (error) => failed(error, places) };
    let first: FirstGet | undefined = read.first;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const seen = await look(request, first);
      first = undefined;
      if (seen.kind === 'away') return bypass(places, read.load);
      if (seen.kind === 'held') return filler.fill({ places, ...read, token: seen.token });
      if (seen.kind === 'value') {
        counts.hits += 1;
        return { value: seen.value as T, outcome: 'hit' };
      }
      // A lease: only the load under this very lease is safe to join, since no invalidation removed it.
      const flight = filler.flight(seen.lease);
      if (flight && !isNested()) return join(flight, read.load);
      if (performance.now() >= waitUntil) abandoned.set(seen.lease, true);
      if (flight) return loadWithoutStoring(read.load, 'miss');
      if (abandoned.has(seen.lease)) {
        counts.misses += 1;
        return { value: await fallbackLoad(places, read.load), outcome: 'miss' };
      }
      await sleep(waitMs * (0.5 + Math.random() / 2));
    }
  };

  /** State has stores of its own: here a wrong type would be unlinked, and an invalidation would end a session. */
  const locate = (key: string): Places => {
    const places = keyspace.locate(key);
    if (places.family.kind === 'cache') return places;
    throw new InvalidKeyError(
      `cache: ${places.family.name} is a family of state, which no cache may hold or remove`,
    );
  };

  return {
    async resolve<Value>(
      key: string,
      load: Loader<Value>,
      { ttlSeconds }: ReadOptions = {},
    ): Promise<Answer<Value>> {
      const places = locate(key);
      const ttl = ttlSeconds ?? places.family.ttlSeconds;
      if (ttl === undefined || !(ttl > 0)) {
        throw new RangeError(`cache: ttlSeconds=${ttl} of family ${places.family.name} is not above 0`);
      }
      if (!caching) return loadWithoutStoring(load, 'bypass');
      const begin = performance.now();
      let bytes: string | null;
      try {
        bytes = await caching.store.get(places.home);
      } catch (error) {
        failed(error, places);
        return bypass(places, load);
      }
      if (bytes !== null && !isLease(bytes)) {
        try {
          const value = codec.decode(bytes);
          counts.hits += 1;
          return { value: value as Value, outcome: 'hit' };
        } catch {
          // Said, and replaced, by what follows.
        }
      }
      return readThrough(caching, places, { load, ttlSeconds: ttl, first: { bytes, begin } });
    },
    async invalidate(...keys) {
      const located = keys.map(locate);
      const order = located.flatMap((places) => places.invalidation);
      for (let attempt = 1; attempt <= INVALIDATION_ATTEMPTS; attempt += 1) {
        try {
          // Always all of it: repeating only the key that failed was stale in the model.
          await Promise.all(invalidated.map((each) => each.unlink(order)));
          return 'done';
        } catch (error) {
          for (const places of located) failed(error, places);
        }
      }
      return 'pending';
    },
    getCacheMetrics: () => ({ ...counts, inFlight: caching?.filler.inFlight ?? 0 }),
  };
}

interface Caching {
  readonly store: CacheStore;
  readonly filler: Filler;
}

interface Read<T> {
  readonly first: FirstGet;
  readonly load: Loader<T>;
  readonly ttlSeconds: number;
}
