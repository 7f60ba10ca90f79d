import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createCache } from '../../../lambda/cache/cache.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { redisStore, type Send } from '../../../lambda/cache/redis-store.ts';
import { RedisRefusedError } from '../../../lambda/cache/refusal.ts';
import { connected, lookInto } from '../../support/redis.ts';
import { ownRedisCluster } from '../../support/redis-kinds.ts';
import { ownRedis } from '../../support/servers.ts';

const KEY = 'mocs:user:1:list';

/** Each makes a Redis that refuses, and answers a connection to it. */
const REFUSALS: Readonly<Record<string, () => Promise<Send>>> = {
  async READONLY() {
    const redis = await lookInto((await ownRedis()).url);
    await redis.send(['REPLICAOF', '127.0.0.1', '1']);
    return redis.send;
  },
  async OOM() {
    const redis = await lookInto((await ownRedis()).url);
    await redis.send(['CONFIG', 'SET', 'maxmemory', '1']);
    return redis.send;
  },
  async NOPERM() {
    const { port } = await ownRedis({
      users: { reader: ['on', '>secret', '~*', '+hello', '+get', '+mget'] },
    });
    return (await lookInto(`redis://reader:secret@127.0.0.1:${port}`)).send;
  },
  async MOVED() {
    const { nodes } = await ownRedisCluster({ primaries: 3 });
    const connections = await Promise.all(nodes.map(({ url }) => lookInto(url)));
    const answers = await Promise.all(
      connections.map((each) => each.send(['GET', `v2:${KEY}`]).catch(() => 'moved')),
    );
    const elsewhere = connections[answers.indexOf('moved')];
    if (!elsewhere) throw new Error('every node has the slot');
    return elsewhere.send;
  },
  async LOADING() {
    // Loads its 3000 keys for some seconds, and answers meanwhile.
    const slow = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024'];
    const server = await ownRedis({ args: slow });
    const redis = await lookInto(server.url);
    await fill(redis.send);
    await redis.send(['SAVE']);
    server.restart().catch(() => {});
    const loading = connected({ url: server.url, name: 'test', waitForConnectionMs: 5000 });
    const isLoading = () =>
      loading.send(['GET', 'a']).then(
        () => false,
        (error: Error) => /^LOADING/.test(error.message),
      );
    while (!(await isLoading())) await sleep(5);
    return loading.send;
  },
};

const fill = (send: Send) =>
  Promise.all(Array.from({ length: 3000 }, (_, index) => send(['SET', `filler:${index}`, 'x'.repeat(100)])));

describe.each(Object.entries(REFUSALS))('a Redis that answers -%s', (reply, open) => {
  test('costs a load, and is told by name, with the remedy and without a key', async () => {
    const send = await open();
    for (const phase of ['legacy', 'isolated', 'dual'] satisfies Phase[]) {
      const errors: unknown[] = [];
      const cache = createCache({
        keyspace: createKeyspace({ phase, env: 'test' }),
        store: redisStore(send),
        onError: (error) => errors.push(error),
      });
      expect(await cache.getOrLoad(KEY, async () => 'loaded')).toBe('loaded');
      expect(cache.getCacheMetrics().errors).toBeGreaterThan(0);
      expect(errors).toContainEqual(expect.any(RedisRefusedError));
      expect(errors[0]).toMatchObject({
        reply,
        message: expect.stringMatching(`^cache: Redis answers ${reply}; `),
      });
      expect(String(errors[0])).not.toContain(KEY);
    }
  });
});
