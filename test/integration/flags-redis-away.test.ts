import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { openDispatcher } from '../../lambda/outbox/dispatcher.ts';
import type { RedisServer } from '../../rehearsal/servers/redis.ts';
import { lookInto } from '../support/redis.ts';
import { ownRedis } from '../support/servers.ts';
import { blackHole, frozen, refused } from '../support/unreachable-redis.ts';
import {
  AT_ONCE,
  change,
  expectRecovered,
  expectRight,
  expectServed,
  ownDatabaseUrl,
  PATHS,
  patch,
  serve,
} from './flags/service.ts';

/** No read of a flag is late, wrong or a 5xx because Redis is away, and none needs a restart afterwards. */

describe.each(Object.entries({ refused, blackHole, frozen }))('from the start: %s', (_how, away) => {
  test('served from the first request of a cold process on, and cached later', async () => {
    const redis = await away();
    const processes = await Promise.all(PATHS.map(() => serve({ REDIS_URL: redis.url })));
    const [url = ''] = processes;
    const first = PATHS.map((path, index) => expectRight(processes[index] ?? '', path));
    expect(await Promise.all(first)).toEqual(PATHS.map(() => 'bypass'));
    expect(await expectServed(url)).toEqual(['bypass']);

    expect(await change(url)).toBe('pending');
    for (const each of processes) expect(await expectServed(each)).toEqual(['bypass']);

    await redis.end();
    for (const each of processes) await expectRecovered(each);
    expect(await change(url)).toBe('done');
    for (const each of processes) await expectServed(each);
  });
});

describe('in the middle', () => {
  let redis: RedisServer;
  let url: string;

  beforeEach(async () => {
    redis = await ownRedis();
    url = await serve({ REDIS_URL: redis.url });
    await expectRecovered(url);
  });

  /** What stayed pending is forgotten now. */
  async function dispatch(): Promise<void> {
    const environment = { REDIS_URL: redis.url, DATABASE_URL: ownDatabaseUrl(), NODE_ENV: 'test' };
    const dispatcher = await openDispatcher(environment, { info() {}, warn() {}, error() {} });
    while ((await dispatcher.dispatch()).pending) await sleep(20);
    await dispatcher.close();
  }

  test('frozen, and thawed', async () => {
    await redis.kill('SIGSTOP');
    await expectServed(url);
    expect(await change(url)).toBe('pending');
    // The breaker is open by now: nobody waits any more.
    expect(await expectServed(url)).toEqual(['bypass']);
    await redis.kill('SIGCONT');
    await dispatch();
    await expectRecovered(url);
  });

  test('killed, and started again', async () => {
    await redis.kill('SIGKILL');
    await expectServed(url);
    expect(await change(url)).toBe('pending');
    expect(await expectServed(url)).toEqual(['bypass']);
    await redis.restart();
    await expectRecovered(url);
  });

  test(`killed under ${AT_ONCE} requests`, async () => {
    const under = Array.from({ length: AT_ONCE }, (_, index) =>
      expectRight(url, PATHS[index % PATHS.length] ?? PATHS[0]),
    );
    // Some are answered, and the others' commands are on their way.
    await Promise.any(under);
    await redis.kill('SIGKILL');
    await Promise.all(under);
    expect(await expectServed(url)).toEqual(['bypass']);
    await redis.restart();
    await expectRecovered(url);
  });

  test('freshly restarted', async () => {
    await redis.restart();
    await expectServed(url);
    await change(url);
    await dispatch();
    await expectRecovered(url);
    expect(await change(url)).toBe('done');
    await expectServed(url);
  });

  test(`at most 10 connections under ${AT_ONCE} requests, also while they are cut and while writes hang`, async () => {
    const look = await lookInto(redis.url);
    const trouble = [
      ['PING'],
      ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
      ['CLIENT', 'PAUSE', '400', 'WRITE'],
    ];
    const counts: number[] = [];
    for (let round = 0; round < 15; round += 1) {
      await look.send(['FLUSHALL']);
      const writes = Array.from({ length: 10 }, () =>
        patch(url, 'search', { description: `round ${round}` }),
      );
      const served = Promise.all([expectServed(url), ...writes]);
      await look.send(trouble[round % trouble.length] ?? []);
      for (
        let ended = false;
        !ended;
        ended = await Promise.race([served.then(() => true), sleep(5, false)])
      ) {
        const clients = String(await look.send(['CLIENT', 'LIST']));
        counts.push(clients.split(' name=cutover-api ').length - 1);
      }
      await look.send(['CLIENT', 'UNPAUSE']);
    }
    // Beside the usual one, those on which an invalidation is tried again.
    expect(Math.max(...counts)).toBeGreaterThan(1);
    expect(Math.max(...counts)).toBeLessThanOrEqual(10);
  });
});
