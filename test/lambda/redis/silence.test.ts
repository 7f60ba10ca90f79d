import { expect, test } from '@jest/globals';
import { connectRedis } from '../../../lambda/redis/connection.ts';
import { ownRedis } from '../../support/servers.ts';

test('a connection that is silent for a second is left, and the next one works without a restart', async () => {
  const server = await ownRedis();
  const errors: string[] = [];
  const redis = connectRedis({
    url: server.url,
    name: 'silent',
    deadlineMs: 50,
    connectTimeoutMs: 300,
    onError: (error) => errors.push(error.message),
  });
  await redis.ready(5000);
  const [, before] = /id=(\d+)/.exec(String(await redis.send(['CLIENT', 'INFO']))) ?? [];
  await server.kill('SIGSTOP');
  while (errors.length === 0) await redis.send(['PING']).catch(() => {});
  expect(errors[0]).toContain('no reply within 50 ms');
  await server.kill('SIGCONT');
  await redis.ready(5000);
  const [, after] = /id=(\d+)/.exec(String(await redis.send(['CLIENT', 'INFO']))) ?? [];
  expect(after).not.toBe(before);
  redis.close();
});

test('one slow moment does not cost the connection, whatever was in flight', async () => {
  const server = await ownRedis();
  const errors: string[] = [];
  const redis = connectRedis({
    url: server.url,
    name: 'slow',
    deadlineMs: 50,
    onError: (error) => errors.push(error.message),
  });
  await redis.ready(5000);
  await server.kill('SIGSTOP');
  const sent = Array.from({ length: 100 }, () => redis.send(['PING']));
  expect((await Promise.allSettled(sent)).every(({ status }) => status === 'rejected')).toBe(true);
  await server.kill('SIGCONT');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await redis.send(['PING'])).toBe('PONG');
  expect(errors).toEqual([]);
  redis.close();
});

test('a connection that is closed while it is being opened is not there afterwards', async () => {
  const server = await ownRedis();
  const ready: string[] = [];
  const pauses = [
    () => undefined,
    () => Promise.resolve(),
    () => new Promise((resolve) => setImmediate(resolve)),
  ];
  for (const pause of pauses) {
    const redis = connectRedis({ url: server.url, name: 'closed', onReady: () => ready.push('ready') });
    await pause();
    redis.close();
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  const redis = connectRedis({ url: server.url, name: 'looking' });
  await redis.ready(5000);
  expect(String(await redis.send(['CLIENT', 'LIST']))).not.toContain('name=closed');
  expect(ready).toEqual([]);
  redis.close();
});

test('replies that are there already count, however busy the event loop was', async () => {
  const server = await ownRedis();
  const redis = connectRedis({ url: server.url, name: 'busy', deadlineMs: 50 });
  await redis.ready(5000);
  const sent = Array.from({ length: 6 }, () => redis.send(['PING']));
  await new Promise((resolve) => setImmediate(resolve));
  const until = performance.now() + 200;
  while (performance.now() < until);
  expect(await Promise.all(sent)).toEqual(Array(6).fill('PONG'));
  redis.close();
});
