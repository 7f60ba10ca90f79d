import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { planFlush } from '../../../lambda/flush/plan.ts';
import { flushAt } from '../../../lambda/flush/run.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { flakyRedis } from '../../support/flaky-redis.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const plan = planFlush({ env: 'test' });

let server: RedisServer;
let redis: RedisConnection;

beforeAll(async () => {
  server = await ownRedis();
  redis = await lookInto(server.url);
});

const clients = async () => String(await redis.send(['CLIENT', 'LIST']));

/** Waits for the server to see the end of the tool's connection; the test's own time limit bounds it. */
async function disconnected(): Promise<void> {
  while ((await clients()).includes('name=cutover-flush')) await sleep(5);
}

test('flushes over a connection of its own and closes it', async () => {
  await redis.send(['SET', 'mocs:1', 'x']);
  expect(await flushAt(server.url, { plan })).toMatchObject({ flushed: 1 });
  await disconnected();
});

test('is called cutover-flush while it works', async () => {
  await redis.send(['SET', 'mocs:1', 'x']);
  await redis.send(['CLIENT', 'PAUSE', '10000', 'WRITE']);
  const flushing = flushAt(server.url, { plan });
  while (!(await clients()).includes('name=cutover-flush')) await sleep(5);
  await redis.send(['CLIENT', 'UNPAUSE']);
  expect(await flushing).toMatchObject({ flushed: 1 });
});

test('closes the connection when it fails, too', async () => {
  const onProgress = () => {
    throw new Error('stop');
  };
  await expect(flushAt(server.url, { plan, onProgress })).rejects.toThrow('stop');
  await disconnected();
});

test('tries a second and a third time', async () => {
  const door = await flakyRedis({ first: ['hangs up', 'hangs up'], to: server });
  await redis.send(['SET', 'mocs:1', 'x']);
  expect(await flushAt(door.url, { plan })).toMatchObject({ flushed: 1 });
  expect(door.attempts).toBe(3);
});

test('gives up after the third time', async () => {
  const door = await flakyRedis({ first: [] });
  await expect(flushAt(door.url, { plan })).rejects.toMatchObject({
    name: 'RedisUnavailableError',
    message: expect.stringMatching(/^redis: no connection: Socket closed unexpectedly/),
  });
  expect(door.attempts).toBe(3);
});

test('names why it could not connect', async () => {
  const port = await freePort();
  await expect(flushAt(`redis://127.0.0.1:${port}`, { plan })).rejects.toMatchObject({
    name: 'RedisUnavailableError',
    message: expect.stringMatching(`^redis: no connection: .*connect ECONNREFUSED 127.0.0.1:${port}$`),
  });
  await expect(flushAt(server.url.replace('//', '//nobody:wrong@'), { plan })).rejects.toThrow(
    'redis: no connection: WRONGPASS',
  );
});

test('refuses a URL of another kind', async () => {
  await expect(flushAt('http://127.0.0.1:1', { plan })).rejects.toMatchObject({ name: 'ConfigurationError' });
});
