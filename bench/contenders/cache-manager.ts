import { createCache } from 'cache-manager';
import { type OpenContender, TTL_SECONDS } from './contender.ts';
import { connectKeyv } from './keyv.ts';

/** cache-manager with Redis as its only store. */
export const openCacheManager: OpenContender = async ({ url, load }) => {
  const cache = createCache({ stores: [await connectKeyv(url, 'cache-manager')], ttl: TTL_SECONDS * 1000 });
  return {
    read: (key) => cache.wrap(key, () => load(key)),
    invalidations: [
      { means: 'del', invalidate: (key) => cache.del(key) },
      { means: 'mdel', invalidate: (key) => cache.mdel([key]) },
      { means: 'set', invalidate: (key, value) => cache.set(key, value) },
      { means: 'clear', invalidate: () => cache.clear() },
    ],
  };
};
