import type { Loader } from './flight.ts';
import type { Acknowledgement } from './invalidation.ts';
import type { Lookup } from './lookup.ts';
import type { CacheMetrics } from './metrics.ts';
import type { SetOptions } from './own-value.ts';
import type { Answer } from './read-through.ts';
import type { Ttl } from './ttl.ts';
import type { Schema } from './validation.ts';

export interface GetOptions<T> {
  /** What a stored value has to be; another shape (the old backend's) is a miss. Default: nothing is checked. */
  readonly validate?: Schema<T>;
  /** The tags that the entry was stored with. Default: none. */
  readonly tags?: readonly string[];
}

export interface ReadOptions<T> extends GetOptions<T> {
  /** Time to live of what a miss stores, in seconds, less up to a tenth. Default: the family's. */
  readonly ttlSeconds?: Ttl;
  /** How long it is kept that the loader found `null`, in seconds. Default: not at all. In phase `legacy` never. */
  readonly negativeTtlSeconds?: number;
  /** Whether phase `dual` takes over what the legacy key holds, and fills it. Default: true. */
  readonly adoptLegacy?: boolean;
}

/** What handlers read and invalidate through. */
export interface Cache {
  /**
   * Reads, and loads nothing: a hit, a miss, or no answer. Never throws because of the cache.
   * @throws InvalidKeyError for a key of no cache family.
   * @example
   * ```ts
   * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
   *
   * const keyspace = createKeyspace({ phase: 'isolated', env: 'production' });
   * const cache = createCache({ keyspace, store: memoryStore() });
   * await cache.get('mocs:user:123:list'); // => { outcome: 'miss' }
   * await cache.getOrLoad('mocs:user:123:list', async () => ['first']);
   * await cache.get('mocs:user:123:list'); // => { outcome: 'hit', value: ['first'] }
   * ```
   */
  get<T>(key: string, options?: GetOptions<T>): Promise<Lookup<T>>;
  /**
   * Reads many keys in one command, or one a server; the answers are in the order of the keys.
   * @throws InvalidKeyError for a key of no cache family, before anything is read.
   * @example
   * ```ts
   * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
   *
   * const keyspace = createKeyspace({ phase: 'isolated', env: 'production' });
   * const cache = createCache({ keyspace, store: memoryStore() });
   * await cache.getOrLoad('mocs:user:1:list', async () => ['first']);
   * await cache.getMany(['mocs:user:2:list', 'mocs:user:1:list']); // => [{ outcome: 'miss' }, { outcome: 'hit', value: ['first'] }]
   * ```
   */
  getMany<T>(keys: readonly string[], options?: GetOptions<T>): Promise<Lookup<T>[]>;
  /**
   * Stores a value that the cache itself owns, whatever stands there.
   * @returns `unavailable` when that could not be confirmed.
   * @throws InvalidKeyError, also for a family with a source table, whose values are filled by `getOrLoad`; RangeError for
   * the TTL; UnencodableValueError.
   * @example
   * ```ts
   * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
   *
   * const families = [{ name: 'weather', kind: 'cache', onFlush: 'flush', ttlSeconds: 600 }] as const;
   * const keyspace = createKeyspace({ phase: 'isolated', env: 'production', families });
   * const cache = createCache({ keyspace, store: memoryStore() });
   * await cache.set('weather:oslo', { celsius: -4 }); // => 'stored'
   * await cache.get('weather:oslo'); // => { outcome: 'hit', value: { celsius: -4 } }
   * await cache.set('weather:oslo', { celsius: Number.NaN }); // throws UnencodableValueError
   * ```
   */
  set(key: string, value: unknown, options?: SetOptions): Promise<'stored' | 'unavailable'>;
  /**
   * Answers from the cache, or loads, stores and answers. Never throws because of the cache. Inside `withTransaction` it loads.
   * @throws InvalidKeyError for a key of no cache family, RangeError for a TTL of 0 or below, what the loader
   * throws, LoaderTimeoutError.
   * @example
   * ```ts
   * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
   *
   * const keyspace = createKeyspace({ phase: 'isolated', env: 'production' });
   * const cache = createCache({ keyspace, store: memoryStore() });
   * let queries = 0;
   * const readList = async () => [`query ${++queries}`];
   * await cache.getOrLoad('mocs:user:123:list', readList, { ttlSeconds: 60 }); // => ['query 1']
   * await cache.getOrLoad('mocs:user:123:list', readList, { ttlSeconds: 60 }); // => ['query 1']
   * await cache.getOrLoad('mocs:user:123:list', readList, { ttlSeconds: 0 }); // throws RangeError
   * ```
   */
  getOrLoad<T>(key: string, load: Loader<T>, options?: ReadOptions<T>): Promise<T>;
  /**
   * As `getOrLoad`, and says where the answer came from.
   * @throws as `getOrLoad`.
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
  resolve<T>(key: string, load: Loader<T>, options?: ReadOptions<T>): Promise<Answer<T>>;
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
   * await cache.getOrLoad('mocs:user:123:list', async () => rows); // => ['first']
   * rows = ['first', 'second']; // your UPDATE, committed
   * await cache.invalidate('mocs:user:123:list'); // => 'done'
   * await cache.getOrLoad('mocs:user:123:list', async () => rows); // => ['first', 'second']
   * ```
   */
  invalidate(...keys: readonly string[]): Promise<Acknowledgement>;
  /**
   * Makes every backend forget all entries with one of these tags, as `invalidate` does, at the cost of one command a tag.
   * @throws InvalidKeyError for a tag that is empty, too long or has control characters.
   * @example
   * ```ts
   * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
   *
   * const families = [{ name: 'query', kind: 'cache', onFlush: 'flush', ttlSeconds: 60 }] as const;
   * const keyspace = createKeyspace({ phase: 'isolated', env: 'production', families });
   * const cache = createCache({ keyspace, store: memoryStore(), epochs: true });
   * let count = 3;
   * await cache.getOrLoad('query:open-orders', async () => count, { tags: ['orders'] }); // => 3
   * count = 4;
   * await cache.getOrLoad('query:open-orders', async () => count, { tags: ['orders'] }); // => 3
   * await cache.invalidateTag('orders'); // => 'done'
   * await cache.getOrLoad('query:open-orders', async () => count, { tags: ['orders'] }); // => 4
   * ```
   */
  invalidateTag(...tags: readonly string[]): Promise<Acknowledgement>;
  /**
   * What happened in this process so far.
   * @example
   * ```ts
   * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
   *
   * const keyspace = createKeyspace({ phase: 'isolated', env: 'production' });
   * const cache = createCache({ keyspace, store: memoryStore() });
   * await cache.getOrLoad('mocs:user:123:list', async () => []);
   * await cache.getOrLoad('mocs:user:123:list', async () => []);
   * const { hits, misses } = cache.getCacheMetrics();
   * ({ hits, misses }); // => { hits: 1, misses: 1 }
   * ```
   */
  getCacheMetrics(): CacheMetrics;
}
