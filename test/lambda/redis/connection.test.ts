import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { connectRedis, type RedisConnection, type RedisOptions } from '../../../lambda/redis/connection.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';
import { flakyRedis } from '../../support/flaky-redis.ts';
import { lookInto, within } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const DEADLINE_MS = 250;
const PATIENCE_MS = 10_000;

const opened: RedisConnection[] = [];

/** Closed after each test: one that tries again keeps the process running until it does. */
afterEach(() => {
  for (const connection of opened.splice(0)) connection.close();
});

function connected(options: RedisOptions): RedisConnection {
  const connection = connectRedis(options);
  opened.push(connection);
  return connection;
}

/** Sends until it is answered; the test's own time limit bounds it. */
async function answered(redis: RedisConnection): Promise<void> {
  while ((await within(redis.send(['PING']), PATIENCE_MS)) !== 'PONG') await sleep(10);
}

describe('a frozen server', () => {
  test('a command, sent or not, is given up within twice its deadline', async () => {
    const server = await ownRedis();
    const redis = connected({ url: server.url, name: 'test', deadlineMs: DEADLINE_MS });
    await redis.ready(PATIENCE_MS);
    await server.kill('SIGSTOP');
    const commands = Array.from({ length: 50 }, (_, index) =>
      within(redis.send(['SET', `key-${index}`, 'x']), 2 * DEADLINE_MS),
    );
    expect(await Promise.all(commands)).toEqual(Array(50).fill('DeadlineError'));
    await server.kill('SIGCONT');
    await answered(redis);
  });

  test('a connection that opens and gets no further is not waited for', async () => {
    const server = await ownRedis();
    await server.kill('SIGSTOP');
    const redis = connected({ url: server.url, name: 'test', waitForConnectionMs: DEADLINE_MS });
    expect(await within(redis.send(['PING']), 2 * DEADLINE_MS)).toBe('RedisUnavailableError');
    expect(await within(redis.ready(DEADLINE_MS), 2 * DEADLINE_MS)).toBe('RedisUnavailableError');
    await server.kill('SIGCONT');
    await answered(redis);
  });

  test('one whose handshake is never answered is given up, and the next one works', async () => {
    const server = await ownRedis();
    const door = await flakyRedis({ first: ['is silent'], to: server });
    const redis = connected({ url: door.url, name: 'test', connectTimeoutMs: 300, deadlineMs: DEADLINE_MS });
    expect(await within(redis.ready(3000), 4000)).toBeUndefined();
    expect(door.attempts).toBe(2);
  });

  test('servers that are silent each time are given up after as many attempts as told', async () => {
    const door = await flakyRedis({ first: ['is silent', 'is silent', 'is silent'] });
    const redis = connected({ url: door.url, name: 'test', connectTimeoutMs: 100, maxAttempts: 3 });
    await expect(redis.ready(PATIENCE_MS)).rejects.toThrow('no handshake within 100 ms');
    expect(door.attempts).toBe(3);
  });
});

describe('a server that is gone', () => {
  test('is the cause of what a command says, and its errors have a listener', async () => {
    const port = await freePort();
    const onError = jest.fn();
    const redis = connected({ url: `redis://127.0.0.1:${port}`, name: 'test', onError });
    await expect(redis.send(['PING'])).rejects.toMatchObject({
      name: 'RedisUnavailableError',
      code: 'CUTOVER_REDIS_UNAVAILABLE',
      message: expect.stringMatching(`^redis: no connection.*ECONNREFUSED 127.0.0.1:${port}$`),
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
    });
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: 'ECONNREFUSED' }));
    // Without a listener of ours it would be an uncaught exception.
    connected({ url: `redis://127.0.0.1:${port}`, name: 'test' });
    await expect(redis.ready(300)).rejects.toMatchObject({ name: 'RedisUnavailableError' });
  });

  test('is used again when it is back, by the same connection', async () => {
    const server = await ownRedis();
    const onReady = jest.fn();
    const redis = connected({ url: server.url, name: 'same-one', deadlineMs: PATIENCE_MS, onReady });
    await redis.ready(PATIENCE_MS);
    await server.kill('SIGKILL');
    await expect(redis.send(['PING'])).rejects.toThrow();
    await server.restart();
    await redis.ready(PATIENCE_MS);
    expect(await redis.send(['PING'])).toBe('PONG');
    const clients = String(await (await lookInto(server.url)).send(['CLIENT', 'LIST']));
    expect(clients.match(/name=same-one/g)).toHaveLength(1);
    expect(onReady).toHaveBeenCalledTimes(2);
  });

  test('is tried no more often than told, and then every command says why', async () => {
    const door = await flakyRedis({ first: [] });
    const redis = connected({ url: door.url, name: 'test', maxAttempts: 3, waitForConnectionMs: 50 });
    while (door.attempts < 3) await sleep(10);
    await sleep(500);
    expect(door.attempts).toBe(3);
    await expect(redis.send(['PING'])).rejects.toThrow('redis: no connection: Socket closed unexpectedly');
  });

  test('many commands waiting for it are no leak of listeners', async () => {
    const warned = jest.fn();
    process.on('warning', warned);
    const redis = connected({ url: `redis://127.0.0.1:${await freePort()}`, name: 'test' });
    const commands = await Promise.allSettled(Array.from({ length: 50 }, () => redis.send(['PING'])));
    // Warnings come a tick later.
    await sleep(0);
    process.off('warning', warned);
    expect(new Set(commands.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(warned).not.toHaveBeenCalled();
  });
});

describe('a working server', () => {
  test('gets the commands of one tick in their order, and answers each', async () => {
    const redis = await lookInto((await ownRedis()).url);
    const values = Array.from({ length: 200 }, (_, index) => `${index}`);
    const lengths = await Promise.all(values.map((value) => redis.send(['RPUSH', 'list', value])));
    expect(lengths).toEqual(values.map((_, index) => index + 1));
    expect(await redis.send(['LRANGE', 'list', '0', '-1'])).toEqual(values);
  });

  test('an error of its own stays what it is', async () => {
    const redis = await lookInto((await ownRedis()).url);
    await redis.send(['SADD', 'set', 'x']);
    await expect(redis.send(['GET', 'set'])).rejects.toThrow(/^WRONGTYPE /);
    expect(await redis.send(['GET', 'none'])).toBeNull();
  });

  test('a command does not wait longer for a connection than told, and the connection goes on', async () => {
    const server = await ownRedis();
    await server.kill('SIGSTOP');
    const redis = connected({ url: server.url, name: 'test', waitForConnectionMs: 20 });
    expect(await within(redis.send(['PING']), 1000)).toBe('RedisUnavailableError');
    await server.kill('SIGCONT');
    await redis.ready(PATIENCE_MS);
    expect(await redis.send(['PING'])).toBe('PONG');
  });

  test('a closed connection refuses, and closing it twice is harmless', async () => {
    const server = await ownRedis();
    const redis = connected({ url: server.url, name: 'test' });
    await redis.ready(PATIENCE_MS);
    redis.close();
    redis.close();
    expect(await within(redis.send(['PING']), 1000)).toBe('RedisUnavailableError');
  });
});

test.each(['', 'nonsense', 'localhost:6379', 'http://127.0.0.1:6379', '//127.0.0.1'])(
  'the URL %j is refused without a connection',
  (url) => {
    let thrown: unknown;
    try {
      connected({ url, name: 'test' });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('REDIS_URL'),
    });
  },
);

test('a refused URL does not betray its password', () => {
  expect(() => connectRedis({ url: 'http://user:hunter2@127.0.0.1', name: 'test' })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  );
});
