import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { RedisServer } from '../../rehearsal/servers/redis.ts';
import { ask } from '../support/http.ts';
import { lookInto } from '../support/redis.ts';
import { ownRedis } from '../support/servers.ts';
import {
  change,
  cutDatabase,
  expectRecovered,
  expectRight,
  expectServed,
  PATHS,
  serve,
} from './flags/service.ts';

/** What is left when more than Redis is away, and the way back to a service without it. */

let redis: RedisServer;

beforeEach(async () => {
  redis = await ownRedis();
});

/** Nothing is known: an answer that a client can tell from `enabled: false`. */
async function expectUnknown(url: string, path: string): Promise<void> {
  const { status, headers, text } = await ask(url, { path });
  expect({ status, headers, body: JSON.parse(text) }).toMatchObject({
    status: 503,
    headers: { 'retry-after': '5', 'content-type': 'application/problem+json' },
    body: { status: 503, detail: expect.stringContaining('cannot be read now') },
  });
  expect(text).not.toContain('enabled');
}

describe('Redis and PostgreSQL away', () => {
  test('what was read before is answered as stale, the rest is 503, and neither needs a restart', async () => {
    const [knowing, ignorant] = await Promise.all([
      serve({ REDIS_URL: redis.url }),
      serve({ REDIS_URL: redis.url }),
    ]);
    await expectRecovered(knowing);
    expect(await change(knowing)).toBe('done');
    await expectServed(knowing);
    // Known not to be there; by the time that nobody can be asked it may be.
    expect((await ask(knowing, { path: '/api/config/flags/nowhere' })).status).toBe(404);

    await redis.kill('SIGKILL');
    const database = await cutDatabase();
    try {
      expect(await expectServed(knowing)).toEqual(['stale']);
      await expectUnknown(knowing, `${PATHS[1]}?userId=carol`);
      await expectUnknown(knowing, '/api/config/flags/search');
      await expectUnknown(knowing, '/api/config/flags/nowhere');
      for (const path of PATHS) await expectUnknown(ignorant, path);
    } finally {
      await database.restore();
    }

    for (const url of [ignorant, knowing]) expect(await expectServed(url)).toEqual(['bypass']);
    expect(await change(ignorant)).toBe('pending');
    expect(await expectServed(knowing)).toEqual(['bypass']);

    await redis.restart();
    for (const url of [ignorant, knowing]) await expectRecovered(url);
  });

  test('Redis alone is enough for what it holds', async () => {
    const url = await serve({ REDIS_URL: redis.url });
    await expectRecovered(url);
    const cold = await serve({ REDIS_URL: redis.url });
    const database = await cutDatabase();
    try {
      expect(await expectServed(cold)).toEqual(['hit']);
      await expectUnknown(cold, `${PATHS[1]}?userId=carol`);
    } finally {
      await database.restore();
    }
  });
});

describe('PostgreSQL away, and one of the two keys of an answer gone from Redis', () => {
  test.each(['v2:flag:checkout', 'v2:flag:checkout:user:bob'])(
    '%s: the answer is as stale as its older half',
    async (key) => {
      const url = await serve({ REDIS_URL: redis.url });
      await expectRecovered(url);
      const database = await cutDatabase();
      try {
        expect(await (await lookInto(redis.url)).send(['DEL', key])).toBe(1);
        expect(await expectRight(url, PATHS[3])).toBe('stale');
      } finally {
        await database.restore();
      }
      expect(await expectRight(url, PATHS[3])).toBe('miss');
    },
  );
});

describe('back to the memory cache by CACHE_MODE=memory', () => {
  let inMemory: string;
  let onRedis: string;

  beforeEach(async () => {
    inMemory = await serve({ REDIS_URL: redis.url, CACHE_MODE: 'memory' });
    onRedis = await serve({ REDIS_URL: redis.url });
    await expectRecovered(onRedis);
    await expectRecovered(inMemory);
  });

  test('it neither reads nor fills Redis', async () => {
    const look = await lookInto(redis.url);
    await look.send(['FLUSHALL']);
    await change(inMemory);
    await expectServed(inMemory);
    expect(await expectServed(inMemory)).toEqual(['hit']);
    expect(await look.send(['KEYS', '*flag*'])).toEqual([]);
  });

  test('its writes are seen at once by itself and by who reads Redis', async () => {
    expect(await change(inMemory)).toBe('done');
    await expectServed(onRedis);
    await expectServed(inMemory);
  });

  test('a write by who reads Redis is seen when its own entries have ended', async () => {
    expect(await change(onRedis)).toBe('done');
    await expectServed(onRedis);
    // A memory entry lives 5 s.
    const isRight = () => Promise.all(PATHS.map((path) => expectRight(inMemory, path)));
    const end = Date.now() + 10_000;
    while (Date.now() < end && !(await isRight().then(Boolean, () => false))) await sleep(100);
    await expectServed(inMemory);
  });

  test('it serves while Redis is away', async () => {
    await redis.kill('SIGKILL');
    expect(await expectServed(inMemory)).toEqual(['hit']);
    expect(await change(inMemory)).toBe('pending');
    await expectServed(inMemory);
    expect(await expectServed(inMemory)).toEqual(['hit']);
  });
});
