import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createCache } from '../../../lambda/cache/cache.ts';
import type { PhysicalKey } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import type { CacheStore } from '../../../lambda/cache/store.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';
import { KEY, keyspaceOf } from './contract.ts';

const PATIENCE_MS = 10_000;

let redis: RedisConnection;
beforeAll(async () => {
  redis = await lookInto((await ownRedis()).url);
});
beforeEach(async () => void (await redis.send(['FLUSHALL'])));

const cacheOn = (phase: Phase, store: CacheStore) => createCache({ keyspace: keyspaceOf(phase), store });

/** The store, some of whose steps do otherwise. */
const storeWith = (steps: (store: CacheStore) => Partial<CacheStore>): CacheStore => {
  const store = redisStore(redis.send);
  return { ...store, ...steps(store) };
};

test('a lease beside which the entry cannot be read again is given back', async () => {
  let gets = 0;
  const store = storeWith(({ get }) => ({
    get: (key) => {
      gets += 1;
      return gets === 1 ? Promise.reject(new Error('late')) : get(key);
    },
  }));
  const { outcome } = await cacheOn('legacy', store).resolve(KEY, async () => 1);
  expect({ outcome, gets }).toEqual({ outcome: 'bypass', gets: 1 });
  const isGone = async () => (await redis.send(['EXISTS', `cutover:lease:{${KEY}}:${KEY}`])) === 0;
  const until = performance.now() + PATIENCE_MS / 5;
  while (!(await isGone()) && performance.now() < until);
  expect(await isGone()).toBe(true);
});

test('a reader who is always too late to replace what is of no use gives up, and loads', async () => {
  let rounds = 0;
  const store = storeWith(({ takeOver }) => ({
    takeOver: async (key, seen, lease) => {
      rounds += 1;
      await redis.send(['SET', key, `{not JSON, ${rounds}`]);
      return takeOver(key, seen, lease);
    },
  }));
  await redis.send(['SET', `v2:${KEY}`, '{not JSON']);
  expect(await cacheOn('isolated', store).resolve(KEY, async () => 1)).toEqual({
    value: 1,
    outcome: 'bypass',
  });
  expect(rounds).toBe(4);
});

test('so does one whose lease is always taken by bytes of no use that are gone again', async () => {
  let rounds = 0;
  const store = storeWith(() => ({
    get: async (_: PhysicalKey) => null,
    acquire: async () => {
      rounds += 1;
      return '{not JSON';
    },
  }));
  expect((await cacheOn('isolated', store).resolve(KEY, async () => 1)).outcome).toBe('bypass');
  expect(rounds).toBe(4);
});
