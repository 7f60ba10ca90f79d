import { BentoCache, bentostore } from 'bentocache';
import { redisDriver } from 'bentocache/drivers/redis';
import { type OpenContender, TTL_SECONDS } from './contender.ts';
import { connectIoredis } from './ioredis.ts';

/**
 * bentocache on Redis alone. Its errors are suppressed and its circuit breaker is on, which it recommends for a Redis
 * that may go away; grace periods are off, since they answer stale values on purpose.
 */
export const openBentocache: OpenContender = async ({ url, load }) => {
  const connection = await connectIoredis(url);
  const cache = new BentoCache({
    default: 'redis',
    stores: { redis: bentostore().useL2Layer(redisDriver({ connection, prefix: 'bento' })) },
    ttl: TTL_SECONDS * 1000,
    suppressL2Errors: true,
    l2CircuitBreakerDuration: 1000,
  });
  return {
    read: (key) => cache.getOrSet({ key, factory: () => load(key) }),
    invalidations: [
      { means: 'delete', invalidate: (key) => cache.delete({ key }) },
      { means: 'expire', invalidate: (key) => cache.expire({ key }) },
      { means: 'set', invalidate: (key, value) => cache.set({ key, value }) },
      { means: 'clear', invalidate: () => cache.clear() },
      {
        means: 'deleteByTag',
        invalidate: (key) => cache.deleteByTag({ tags: [`tag-${key}`] }),
        read: (key) => cache.getOrSet({ key, factory: () => load(key), tags: [`tag-${key}`] }),
      },
    ],
  };
};
