import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createCache } from '../../../lambda/cache/cache.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import { freshConnections } from '../../../lambda/redis/fresh.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { flakyRedis } from '../../support/flaky-redis.ts';
import { connected, lookInto } from '../../support/redis.ts';
import { ownRedisCluster } from '../../support/redis-kinds.ts';
import { ownRedis } from '../../support/servers.ts';

const PATIENCE_MS = 10_000;
const PATIENT = { waitForConnectionMs: PATIENCE_MS, deadlineMs: PATIENCE_MS };

let server: RedisServer;

beforeAll(async () => {
  server = await ownRedis();
});

test('commands that are in flight together share a connection, in their order, and leave none open', async () => {
  const look = await lookInto(server.url);
  const send = freshConnections({ ...PATIENT, url: server.url, name: 'fresh' }).send;
  const ids = await Promise.all([send(['CLIENT', 'ID']), send(['CLIENT', 'ID'])]);
  expect(ids[0]).toBe(ids[1]);
  expect(await Promise.all([send(['SET', 'a', '1']), send(['GET', 'a']), send(['UNLINK', 'a'])])).toEqual([
    'OK',
    '1',
    1,
  ]);
  expect(await send(['CLIENT', 'ID'])).not.toBe(ids[0]);
  while (String(await look.send(['CLIENT', 'LIST'])).includes('name=fresh'));
});

test('a connection that could not be opened is not kept', async () => {
  const flaky = await flakyRedis({ first: ['hangs up'], to: server });
  const send = freshConnections({ ...PATIENT, url: flaky.url, name: 'fresh' }).send;
  await expect(send(['PING'])).rejects.toThrow('redis: ');
  expect(await send(['PING'])).toBe('PONG');
});

test('an invalidation is confirmed although the peer of its connection has vanished', async () => {
  const flaky = await flakyRedis({ first: [], to: server });
  const redis = connected({ url: flaky.url, name: 'test' });
  await redis.ready(5000);
  const keyspace = createKeyspace({ phase: 'isolated', env: 'test' });
  const store = redisStore(redis.send);
  const freshStores = [redisStore(freshConnections({ url: server.url, name: 'fresh' }).send)];
  flaky.vanish();
  expect(await createCache({ keyspace, store }).invalidate('mocs:1')).toBe('pending');
  expect(await createCache({ keyspace, store, freshStores }).invalidate('mocs:1')).toBe('done');
});

describe('a peer that accepts and says nothing', () => {
  /** Those that are open now, and the most at once. */
  const sockets = new Set<Socket>();
  let most = 0;
  const silent = createServer((socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.resume();
  });
  beforeAll(() => new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve)));
  afterAll(() => void silent.close());

  test.each(['redis', 'rediss'])('has no more sockets than are tried at once, by %s', async (protocol) => {
    most = 0;
    const address = silent.address();
    const url = `${protocol}://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const fresh = freshConnections({ url, name: 'fresh', waitForConnectionMs: 20 });
    for (let attempt = 0; attempt < 30; attempt += 1) {
      await expect(fresh.send(['UNLINK', 'a'])).rejects.toThrow('redis: no connection within 20 ms');
    }
    // The server may learn of an end after the next beginning.
    expect(most).toBeLessThanOrEqual(3);
    while (sockets.size > 0) await sleep(5);
    expect(fresh.connections).toBe(0);
  });
});

describe('in a cluster', () => {
  test('each command goes where its key lives, over no more connections than it takes', async () => {
    const { url } = await ownRedisCluster({ primaries: 3 });
    const main = await lookInto(url, { cluster: true });
    const fresh = freshConnections({ url, name: 'fresh', cluster: true, ...PATIENT }, main);
    const keys = Array.from({ length: 30 }, (_, index) => `key ${index}`);
    await Promise.all(keys.map((key) => main.send(['SET', key, 'value'])));
    let most = 0;
    const sent = keys.map((key) =>
      fresh.send(['UNLINK', key]).finally(() => {
        most = Math.max(most, fresh.connections);
      }),
    );
    expect(await Promise.all(sent)).toEqual(Array(30).fill(1));
    expect(most).toBeLessThanOrEqual(3);
    expect(fresh.connections).toBe(0);
  });

  test('a key has moved: it is followed', async () => {
    const { url } = await ownRedisCluster({ primaries: 2 });
    const fresh = freshConnections({ url, name: 'fresh', cluster: true, ...PATIENT });
    const keys = Array.from({ length: 10 }, (_, index) => `key ${index}`);
    const outcomes = await Promise.all(keys.map((key) => fresh.send(['SET', key, 'value'])));
    expect(outcomes).toEqual(Array(10).fill('OK'));
  });

  test('beside eight primaries there is one at a time, and the others wait for it', async () => {
    const { url } = await ownRedisCluster({ primaries: 3 });
    const known = await lookInto(url, { cluster: true });
    const [primary] = known.primaries();
    if (!primary) throw new Error('no primary');
    const eight = { urlOf: known.urlOf, primaries: () => Array(8).fill(primary) };
    const fresh = freshConnections({ url, name: 'single', cluster: true, ...PATIENT }, eight);
    let most = 0;
    const counting = setInterval(() => {
      most = Math.max(most, fresh.connections);
    }, 1);
    const keys = Array.from({ length: 30 }, (_, index) => `key ${index}`);
    const outcomes = await Promise.all(keys.map((key) => fresh.send(['SET', key, 'value'])));
    clearInterval(counting);
    expect(outcomes).toEqual(Array(30).fill('OK'));
    expect(most).toBe(1);
  });
});
