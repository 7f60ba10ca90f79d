import type { Loader } from '../../lambda/cache/flight.ts';
import type { Keyspace } from '../../lambda/cache/keyspace.ts';
import { noCounts } from '../../lambda/cache/metrics.ts';
import type { Send } from '../../lambda/cache/redis-store.ts';
import type { ApiCache } from '../../lambda/http/wire.ts';

/**
 * The plain way, for comparison: a prefix, get, load, setEx, and after a write del of its own key. It has the
 * interface and nothing of its protocol, and it is what the tests of the protocol have to catch.
 */
export function createNaiveCache({ keyspace }: { readonly keyspace: Keyspace }, send: Send): ApiCache {
  const counts = { ...noCounts(), inFlight: 0, connections: 1 };
  return {
    async resolve<T>(key: string, load: Loader<T>) {
      const { home, family } = keyspace.locate(key);
      const stored = await send(['GET', home]);
      if (typeof stored === 'string') {
        counts.hits += 1;
        return { value: JSON.parse(stored) as T, outcome: 'hit' };
      }
      counts.misses += 1;
      const value = await load({ signal: new AbortController().signal });
      await send(['SETEX', home, String(family.ttlSeconds), JSON.stringify(value)]);
      return { value, outcome: 'miss' };
    },
    async invalidate(...keys) {
      for (const key of keys) await send(['DEL', keyspace.locate(key).home]);
      return 'done';
    },
    invalidateTag: async () => 'done',
    getCacheMetrics: () => ({ ...counts }),
  };
}
