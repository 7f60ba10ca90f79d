import type { Redis } from './service.ts';

/** The helper that such a service has: one person wrote it, all the others call it. */
export function cachedIn(redis: Redis) {
  return async function cached<T>(key: string, ttl: number, load: () => Promise<T>): Promise<T> {
    const found = await redis.get(key);
    if (found) return JSON.parse(found);
    const value = await load();
    await redis.setEx(key, ttl, JSON.stringify(value));
    return value;
  };
}
