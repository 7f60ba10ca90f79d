import { beforeAll, expect, test } from '@jest/globals';
import { createCache } from '../../../lambda/cache/cache.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import { sendFresh } from '../../../lambda/redis/fresh.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { flakyRedis } from '../../support/flaky-redis.ts';
import { connected, lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await ownRedis();
});

test('commands that are in flight together share a connection, in their order, and leave none open', async () => {
  const look = await lookInto(server.url);
  const send = sendFresh({ url: server.url, name: 'fresh' });
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
  const send = sendFresh({ url: flaky.url, name: 'fresh' });
  await expect(send(['PING'])).rejects.toThrow('redis: ');
  expect(await send(['PING'])).toBe('PONG');
});

test('an invalidation is confirmed although the peer of its connection has vanished', async () => {
  const flaky = await flakyRedis({ first: [], to: server });
  const redis = connected({ url: flaky.url, name: 'test' });
  await redis.ready(5000);
  const keyspace = createKeyspace({ phase: 'isolated', env: 'test' });
  const store = redisStore(redis.send);
  const freshStores = [redisStore(sendFresh({ url: server.url, name: 'fresh' }))];
  flaky.vanish();
  expect(await createCache({ keyspace, store }).invalidate('mocs:1')).toBe('pending');
  expect(await createCache({ keyspace, store, freshStores }).invalidate('mocs:1')).toBe('done');
});
