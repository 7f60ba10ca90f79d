import { createCache } from 'async-cache-dedupe';
import { type OpenContender, TTL_SECONDS } from './contender.ts';
import { connectIoredis } from './ioredis.ts';

/** async-cache-dedupe on Redis, without serving entries that have expired. References have a storage of their own. */
export const openAsyncCacheDedupe: OpenContender = async ({ url, load }) => {
  const client = await connectIoredis(url);
  const cache = createCache({
    ttl: TTL_SECONDS,
    storage: { type: 'redis', options: { client } },
  }).define('entries', (key: string) => load(key));
  const referenced = createCache({
    ttl: TTL_SECONDS,
    storage: { type: 'redis', options: { client, invalidation: { referencesTTL: TTL_SECONDS } } },
  }).define('referenced', { references: (key: string) => [`reference-${key}`] }, (key: string) => load(key));
  return {
    read: (key) => cache.entries(key),
    invalidations: [
      { means: 'clear(name, key)', invalidate: (key) => cache.clear('entries', key) },
      { means: 'clear(name)', invalidate: () => cache.clear('entries') },
      {
        means: 'set',
        invalidate: (key, value) => cache.set('entries', `entries~${key}`, value, TTL_SECONDS),
      },
      {
        means: 'references',
        invalidate: (key) => referenced.invalidateAll(`reference-${key}`),
        read: (key) => referenced.referenced(key),
      },
    ],
  };
};
