import { expect, test } from '@jest/globals';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { connected, lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const PATIENCE_MS = 10_000;

const idOf = async (redis: RedisConnection) =>
  /id=(\d+)/.exec(String(await redis.send(['CLIENT', 'INFO'])))?.[1];

test('a primary that a failover has demoted is left, but not with each command', async () => {
  const [server, other] = await Promise.all([ownRedis(), ownRedis()]);
  const look = await lookInto(server.url);
  const errors: string[] = [];
  let ready = 0;
  const redis = connected({
    url: server.url,
    name: 'writer',
    deadlineMs: PATIENCE_MS,
    onReady: () => {
      ready += 1;
    },
    onError: (error) => errors.push(error.message),
  });
  await redis.ready(PATIENCE_MS);
  const before = await idOf(redis);
  await look.send(['REPLICAOF', '127.0.0.1', String(other.port)]);

  await expect(redis.send(['SET', 'key', 'value'])).rejects.toThrow(/^READONLY /);
  await redis.ready(PATIENCE_MS);
  const after = await idOf(redis);
  expect(after).not.toBe(before);
  expect(ready).toBe(2);
  expect(errors).toEqual([expect.stringMatching(/^READONLY /)]);
  expect(redis.connections).toBe(1);

  const again = Array.from({ length: 50 }, () => redis.send(['SET', 'key', 'value']));
  const outcomes = await Promise.allSettled(again);
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  expect(await idOf(redis)).toBe(after);

  await look.send(['REPLICAOF', 'NO', 'ONE']);
  expect(await redis.send(['SET', 'key', 'value'])).toBe('OK');
});

test('a script that writes there is refused in the same way', async () => {
  const [server, other] = await Promise.all([ownRedis(), ownRedis()]);
  const redis = await lookInto(server.url);
  await (await lookInto(server.url)).send(['REPLICAOF', '127.0.0.1', String(other.port)]);
  const before = await idOf(redis);
  const script = `return redis.call('SET', KEYS[1], 'value')`;
  await expect(redis.send(['EVAL', script, '1', 'key'])).rejects.toThrow(/^READONLY /);
  await redis.ready(PATIENCE_MS);
  expect(await idOf(redis)).not.toBe(before);
});
