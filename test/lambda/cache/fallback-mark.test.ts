import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createCache } from '../../../lambda/cache/cache.ts';
import { createFallbackMark, FALLBACK } from '../../../lambda/cache/fallback-mark.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import { wireCache } from '../../../lambda/outbox/wire-cache.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

let url: string;
let redis: RedisConnection;

beforeAll(async () => {
  ({ url } = await ownRedis());
  redis = await lookInto(url);
});

beforeEach(() => redis.send(['FLUSHALL']));

describe('the mark of fallbacks', () => {
  const keyspace = createKeyspace({ phase: 'dual', env: 'test' });
  const cacheMarking = (now: () => number) => {
    const mark = createFallbackMark({ send: redis.send, now });
    return {
      mark,
      cache: createCache({ keyspace, store: redisStore(redis.send), onLegacyFallback: mark.noticed }),
    };
  };
  const marked = async () => {
    // What travels behind nobody waits for: a PING on the same connection does.
    await redis.send(['PING']);
    return Number(await redis.send(['GET', FALLBACK]));
  };

  test('begins with who looks first, and says when a legacy key was needed last', async () => {
    let now = 1_000_000;
    const { mark, cache } = cacheMarking(() => now);
    mark.isHere();
    expect(await marked()).toBe(1_000_000);
    now += 60_000;
    mark.isHere();
    createFallbackMark({ send: redis.send, now: () => now }).isHere();
    expect(await marked()).toBe(1_000_000);
    await redis.send(['SET', 'mocs:user:1:list', '["old"]', 'EX', '60']);
    expect(await cache.get('mocs:user:1:list')).toEqual({ outcome: 'hit', value: ['old'] });
    expect(await marked()).toBe(1_060_000);
    expect(cache.getCacheMetrics()).toMatchObject({ legacyFallbacks: 1, hits: 1 });
    now += 60_000;
    await redis.send(['SET', 'mocs:user:2:list', '["old"]', 'EX', '60']);
    expect(await cache.getOrLoad('mocs:user:2:list', async () => ['new'])).toEqual(['old']);
    expect(await marked()).toBe(1_120_000);
    // From then on it has a key of its own.
    now += 60_000;
    expect(await cache.getOrLoad('mocs:user:2:list', async () => ['new'])).toEqual(['old']);
    expect(await marked()).toBe(1_120_000);
  });

  test.each([
    ['dual', { CW_CACHE_PREFIX_ENABLED: '1', CW_CACHE_DUAL_WRITE: '1' }, 1],
    ['isolated', { MIGRATION_MODE: '1' }, 0],
  ])('the runtime in %s keeps it or not', async (_phase, switches, expected) => {
    const wired = await wireCache({ NODE_ENV: 'test', REDIS_URL: url, ...switches }, {});
    await wired.send(['PING']);
    expect(await redis.send(['EXISTS', FALLBACK])).toBe(expected);
    const { onLegacyFallback } = wired.options;
    expect(onLegacyFallback !== undefined).toBe(expected === 1);
    wired.close();
  });

  test('is gone an hour after the last process in dual', async () => {
    const { mark } = cacheMarking(Date.now);
    mark.isHere();
    await marked();
    expect(Number(await redis.send(['PTTL', FALLBACK]))).toBeGreaterThan(3_590_000);
  });
});
