import { LRUCache } from 'lru-cache';
import type { CacheStore } from './store.ts';

/** One process cannot see another's invalidation, so nothing lives longer than this here. */
export const MEMORY_TTL_SECONDS = 5;

const MAX_ENTRIES = 10_000;

/**
 * The protocol's steps in this process's memory, for when there is no Redis.
 * @example
 * ```ts
 * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
 *
 * const keyspace = createKeyspace({ phase: 'isolated', env: 'production' });
 * const cache = createCache({ keyspace, store: memoryStore() });
 * await cache.resolve('mocs:user:123:list', async () => 1); // => { value: 1, outcome: 'miss' }
 * await cache.resolve('mocs:user:123:list', async () => 2); // => { value: 1, outcome: 'hit' }
 * ```
 */
export function memoryStore(): CacheStore {
  const entries = new LRUCache<string, string>({ max: MAX_ENTRIES, ttl: MEMORY_TTL_SECONDS * 1000 });
  const read = (key: string) => entries.get(key) ?? null;
  return {
    get: async (key) => read(key),
    getFor: async (key, reader) => reader.found(read(key), performance.now()),
    async getWithTtl(key) {
      const value = read(key);
      return value === null ? null : { value, ttlMs: entries.getRemainingTTL(key) };
    },
    async acquire(key, token, leaseMs) {
      const seen = read(key);
      if (seen === null) entries.set(key, token, { ttl: leaseMs });
      return seen;
    },
    async takeOver(key, seen, { token, leaseMs }) {
      if (read(key) !== seen) return false;
      entries.set(key, token, { ttl: leaseMs });
      return true;
    },
    async fill({ leaseAt, token, home, value, ttlMs }) {
      if (read(leaseAt) !== token) return false;
      if (leaseAt !== home) entries.delete(leaseAt);
      entries.set(home, value, { ttl: Math.min(ttlMs, MEMORY_TTL_SECONDS * 1000) });
      return true;
    },
    async release(key, token) {
      if (read(key) === token) entries.delete(key);
    },
    async set({ fence, homes, others, value, ttlMs }) {
      for (const key of [fence, ...others]) entries.delete(key);
      for (const home of homes) entries.set(home, value, { ttl: Math.min(ttlMs, MEMORY_TTL_SECONDS * 1000) });
    },
    async replace(key, value, ttlMs) {
      entries.set(key, value, { ttl: ttlMs });
    },
    async renew(key, ttlMs) {
      const value = read(key);
      if (value !== null) entries.set(key, value, { ttl: ttlMs });
    },
    async unlink(steps) {
      for (const key of steps.flat()) entries.delete(key);
    },
  };
}
