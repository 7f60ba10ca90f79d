import { createHash } from 'node:crypto';
import type { ReadOptions } from '../cache/api.ts';
import {
  type Acknowledgement,
  type Answer,
  type CacheMetrics,
  type CacheOptions,
  createCache,
} from '../cache/cache.ts';
import type { Loader } from '../cache/flight.ts';
import { isPlainName } from '../cache/keyspace.ts';

/** A query: its kind, and what tells one of the kind from another. */
export interface Query {
  /** Lower-case words, such as `open-sessions`. */
  readonly type: string;
  /** Any text but the empty one, such as the query's parameters. */
  readonly key: string;
}

/**
 * Answers of queries, in keys `query_cache:{type}:{key}`. With tags an answer is outdated by `invalidateTag`, in one command however
 * many there are; it is kept in a namespace only, so in the phase `legacy` not at all. Without, it moves with the phases as every
 * cached value does.
 */
export interface QueryCache {
  /**
   * Answers from the cache, or asks, stores and answers, and says which.
   * @throws RangeError for a query without a name; what the loader throws, LoaderTimeoutError.
   */
  resolve<T>(query: Query, load: Loader<T>, options?: ReadOptions<T>): Promise<Answer<T>>;
  /** Makes every backend forget these queries, after the commit. @returns `pending` when it could not be confirmed. */
  invalidate(...queries: readonly Query[]): Promise<Acknowledgement>;
  /** Makes every backend forget all answers with one of these tags. */
  invalidateTag(...tags: readonly string[]): Promise<Acknowledgement>;
  /** Of queries alone. `legacyFallbacks`: hits that the un-prefixed key gave, in phase `dual`. */
  getCacheMetrics(): CacheMetrics;
}

/**
 * The query cache over the store of another cache.
 * @param options that cache's; what is counted here is not counted there.
 */
export function createQueryCache(options: CacheOptions): QueryCache {
  const cache = createCache(options);
  return {
    resolve: async (query, load, readOptions) => cache.resolve(queryKey(query), load, readOptions),
    invalidate: async (...queries) => cache.invalidate(...queries.map(queryKey)),
    invalidateTag: cache.invalidateTag,
    getCacheMetrics: cache.getCacheMetrics,
  };
}

const TYPE = /^[a-z][a-z0-9_-]{0,63}$/;
const MAX_PLAIN_BYTES = 256;
const HASHED = 'sha256=';

/**
 * The key of a query. One that is long, or not plain text, is stored as its hash.
 * @throws RangeError for a type that is none, or an empty key.
 */
export function queryKey({ type, key }: Query): string {
  if (!TYPE.test(type)) {
    throw new RangeError(
      `query cache: type is ${JSON.stringify(type.slice(0, 80))}; it must be lower-case words, such as open-sessions`,
    );
  }
  if (key === '')
    throw new RangeError(`query cache: the key of a query of type ${type} is empty; name the query`);
  const isPlain = isPlainName(key) && key.isWellFormed() && Buffer.byteLength(key) <= MAX_PLAIN_BYTES;
  if (isPlain && !key.startsWith(HASHED)) return `query_cache:${type}:${key}`;
  // Not as UTF-8, in which halves of surrogate pairs are all the same.
  return `query_cache:${type}:${HASHED}${createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('hex')}`;
}
