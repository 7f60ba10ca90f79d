import { LRUCache } from 'lru-cache';
import type { Send } from './redis-store.ts';
import type { SetStore } from './sets.ts';

/** Lua's stack takes some thousands. */
const MAX_UNPACKED = 1000;

/** Together, so that no set stays without its time to live. */
const ADD = `
redis.call('SADD', KEYS[1], unpack(ARGV, 2))
if ARGV[1] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1`;

/**
 * Sets in Redis.
 * @example
 * ```ts
 * import { connectRedis, redisSets } from 'cutover/cache';
 *
 * const redis = connectRedis({ url: process.env.REDIS_URL ?? 'redis://localhost:6379', name: 'sets' });
 * const store = redisSets(redis.send); // for createSets
 * typeof store.members; // => 'function'
 * redis.close();
 * ```
 */
export function redisSets(send: Send): SetStore {
  return {
    async add(key, members, ttlMs) {
      const expiry = ttlMs === Number.POSITIVE_INFINITY ? '' : String(Math.ceil(ttlMs));
      for (let at = 0; at < members.length; at += MAX_UNPACKED) {
        await send(['EVAL', ADD, '1', key, expiry, ...members.slice(at, at + MAX_UNPACKED)]);
      }
    },
    async remove(key, members) {
      await send(['SREM', key, ...members]);
    },
    async members(key) {
      return (await send(['SMEMBERS', key])) as string[];
    },
  };
}

const MAX_SETS = 10_000;

/**
 * Sets in this process's memory, for when there is no Redis: no other process sees them.
 * @example
 * ```ts
 * import { memorySets } from 'cutover/cache';
 *
 * const store = memorySets(); // for createSets
 * typeof store.members; // => 'function'
 * ```
 */
export function memorySets(): SetStore {
  const sets = new LRUCache<string, ReadonlySet<string>>({ max: MAX_SETS });
  return {
    async add(key, members, ttlMs) {
      const ttl = ttlMs === Number.POSITIVE_INFINITY ? {} : { ttl: ttlMs };
      sets.set(key, new Set([...(sets.get(key) ?? []), ...members]), ttl);
    },
    async remove(key, members) {
      const set = sets.get(key);
      if (!set) return;
      const left = new Set([...set].filter((member) => !members.includes(member)));
      if (left.size === 0) sets.delete(key);
      else sets.set(key, left, { ttl: sets.getRemainingTTL(key) });
    },
    members: async (key) => [...(sets.get(key) ?? [])],
  };
}
