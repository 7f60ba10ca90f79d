import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { RedisConnection, RedisOptions } from '../../../lambda/redis/connection.ts';
import { RedisUnavailableError } from '../../../lambda/redis/errors.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { connected, lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const PATIENCE_MS = 10_000;
const LONG_MS = 3_600_000;

let server: RedisServer;
let look: RedisConnection;
beforeEach(async () => {
  server = await ownRedis();
  look = await lookInto(server.url);
  await look.send(['SET', 'key', 'old']);
});

/** Its primary does not exist: the link stays down, and the old data stay. */
const demote = () => look.send(['REPLICAOF', '127.0.0.1', '1']);
const promote = () => look.send(['REPLICAOF', 'NO', 'ONE']);
const idOf = async () => /id=(\d+) .*name=writer/.exec(String(await look.send(['CLIENT', 'LIST'])))?.[1];

async function writer(options: Partial<RedisOptions> = {}) {
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
    ...options,
  });
  await redis.ready(PATIENCE_MS);
  return { redis, errors, ready: () => ready };
}

describe('a primary that a failover has demoted', () => {
  const SCRIPT = `return redis.call('SET', KEYS[1], 'value')`;

  test.each([[['SET', 'key', 'value']], [['EVAL', SCRIPT, '1', 'key']]])(
    'and that says so to %j is left, but not with each command',
    async (write) => {
      const { redis, errors, ready } = await writer();
      const before = await idOf();
      await demote();
      await expect(redis.send(write)).rejects.toThrow(/^READONLY /);
      await redis.ready(PATIENCE_MS);
      const after = await idOf();
      expect(after).not.toBe(before);
      expect(ready()).toBe(2);
      expect(errors).toEqual([expect.stringMatching(/^READONLY /)]);
      expect(redis.connections).toBe(1);
    },
  );

  test('is neither read nor written until it is a primary again', async () => {
    const { redis } = await writer();
    await demote();
    await expect(redis.send(['SET', 'key', 'value'])).rejects.toThrow(/^READONLY /);
    await redis.ready(PATIENCE_MS);
    const refused = Array.from({ length: 50 }, (_, index) => redis.send([index % 2 ? 'GET' : 'TTL', 'key']));
    const outcomes = await Promise.allSettled(refused);
    expect(outcomes).toEqual(
      Array(50).fill({ status: 'rejected', reason: expect.any(RedisUnavailableError) }),
    );
    await promote();
    expect(await redis.send(['SET', 'key', 'value'])).toBe('OK');
    expect(await redis.send(['GET', 'key'])).toBe('value');
  });

  test('is found out without a write, while the connection is in use', async () => {
    const { redis, errors } = await writer();
    expect(await redis.send(['GET', 'key'])).toBe('old');
    await demote();
    while (errors.length === 0) await sleep(20);
    expect(errors).toEqual(['redis: the server is a replica']);
    await expect(redis.send(['GET', 'key'])).rejects.toThrow('redis: the server is a replica');
    await promote();
    expect(await redis.send(['GET', 'key'])).toBe('old');
  });

  test('is found out after a pause, by the proof before the first command', async () => {
    let atMs = 1_000_000;
    const { redis } = await writer({ now: () => atMs });
    await demote();
    atMs += LONG_MS;
    await expect(redis.send(['GET', 'key'])).rejects.toThrow('redis: the server is a replica');
  });

  test('is asked all the same by who asks any role', async () => {
    let atMs = 1_000_000;
    const { redis } = await writer({ anyRole: true, now: () => atMs });
    await demote();
    atMs += LONG_MS;
    expect(await redis.send(['GET', 'key'])).toBe('old');
  });
});

test('who may not ask for the role serves, and learns it from its writes', async () => {
  const users = { plain: ['on', '>secret', '~*', '+@all', '-info'] };
  server = await ownRedis({ users });
  look = await lookInto(server.url);
  const { redis } = await writer({ url: `redis://plain:secret@127.0.0.1:${server.port}` });
  await demote();
  await expect(redis.send(['SET', 'key', 'value'])).rejects.toThrow(/^READONLY /);
  await redis.ready(PATIENCE_MS);
  expect(await redis.send(['GET', 'key'])).toBeNull();
});

test('an idle connection is not asked for its role', async () => {
  let atMs = 1_000_000;
  await writer({ now: () => atMs });
  atMs += LONG_MS;
  await look.send(['CONFIG', 'SET', 'slowlog-log-slower-than', '0']);
  await sleep(2500);
  const log = JSON.stringify(await look.send(['SLOWLOG', 'GET', '100']));
  expect(log).not.toContain('writer');
});
