import { beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createPresence, type Instance, parseInstance } from '../../../lambda/cache/presence.ts';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool } from '../../../lambda/database/pool.ts';
import { openCache } from '../../../lambda/outbox/open-cache.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { callsOf, lookInto } from '../../support/redis.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';

const WHO = { service: 'lists', phase: 'isolated', env: 'test', mirror: false } as const;

let url: string;
let redis: RedisConnection;
beforeAll(async () => {
  ({ url } = await ownRedis());
  redis = await lookInto(url);
});
beforeEach(async () => void (await redis.send(['FLUSHALL'])));

const keys = async () => (await redis.send(['KEYS', 'cutover:instance:*'])) as string[];

describe('a presence', () => {
  test('says who is there, for two minutes', async () => {
    createPresence({ ...WHO, send: redis.send })();
    const [key = ''] = await keys();
    expect(key).toMatch(/^cutover:instance:lists:[0-9a-f-]{36}$/);
    const instance = JSON.parse(String(await redis.send(['GET', key]))) as Instance;
    expect(instance).toEqual({ ...WHO, startedAt: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(await redis.send(['TTL', key])).toBe(120);
  });

  test('is refreshed at the most each 30 s, also where the clock is set back', () => {
    const send = jest.fn<Send>(async () => 'OK');
    let now = 1_000_000;
    const isHere = createPresence({ ...WHO, send, now: () => now });
    const calls = [0, 1, 29_999, 30_000, 59_999, 60_000, -3_600_000].map((at) => {
      now = 1_000_000 + at;
      isHere();
      return send.mock.calls.length;
    });
    expect(calls).toEqual([1, 1, 1, 2, 2, 3, 4]);
  });

  test('of several connections of a process is one', async () => {
    for (const _ of [1, 2]) createPresence({ ...WHO, send: redis.send })();
    expect(await keys()).toHaveLength(1);
  });

  test('is waited for by nobody, and its error is nobody’s', async () => {
    for (const send of [() => new Promise<never>(() => {}), () => Promise.reject(new Error('away'))]) {
      expect(createPresence({ ...WHO, send })()).toBeUndefined();
    }
    await new Promise((resolve) => setImmediate(resolve));
  });

  test.each(['', 'null', '[]', '{"service":1}', '{"service":"a"}', 'no JSON'])(
    'is not read from what none of ours writes: %s',
    (text) => expect(parseInstance(text)).toBeUndefined(),
  );
});

test('of the runtime costs a hit no command: one SET for two hundred', async () => {
  const database = await freshDatabase();
  await migrate(database.url);
  const pool = createPool({ url: database.url, applicationName: 'test' });
  const environment = { NODE_ENV: 'test', MIGRATION_MODE: 'true', REDIS_URL: url };
  const opened = await openCache(environment, { database: pool, service: 'lists' });
  await opened.cache.getOrLoad('mocs:user:1:list', async () => 'value');
  const before = await Promise.all(['get', 'mget', 'set', 'evalsha'].map((name) => callsOf(redis, name)));
  for (let reads = 0; reads < 200; reads += 1) {
    expect((await opened.cache.resolve('mocs:user:1:list', async () => 'other')).outcome).toBe('hit');
  }
  const after = await Promise.all(['get', 'mget', 'set', 'evalsha'].map((name) => callsOf(redis, name)));
  expect(after.map((calls, index) => calls - (before[index] ?? 0))).toEqual([200, 0, 0, 0]);
  const [key = ''] = await keys();
  expect(parseInstance(String(await redis.send(['GET', key])))).toMatchObject({ ...WHO });
  opened.close();
  await pool.end();
});
