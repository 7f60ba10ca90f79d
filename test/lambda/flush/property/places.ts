/** Where the property of a flush is tried, and what happens there meanwhile. */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnection } from '../../../../lambda/redis/connection.ts';
import { lookInto } from '../../../support/redis.ts';
import { ownRedisCluster } from '../../../support/redis-kinds.ts';
import { ownRedis } from '../../../support/servers.ts';
import type { PropertyOptions, Trouble } from './holds.ts';

type Place = Pick<PropertyOptions, 'target' | 'redis'> & {
  readonly troubles: Readonly<Record<string, Trouble | undefined>>;
};

/** All connections but the test's own are cut. */
const cut = (redis: () => RedisConnection): Trouble => ({
  async strike() {
    const kill = ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'];
    await Promise.all(
      redis()
        .primaries()
        .map(({ send }) => send(kill)),
    );
  },
  over: async () => {},
});

export async function oneServer(): Promise<Place> {
  const server = await ownRedis();
  let redis = await lookInto(server.url, { binary: true });
  return {
    target: { url: server.url },
    redis: () => redis,
    troubles: {
      'nothing happens': undefined,
      'the connection is cut': cut(() => redis),
      'Redis is restarted': {
        before: () => redis.send(['SAVE']),
        strike: () => server.restart(),
        async over() {
          redis.close();
          redis = await lookInto(server.url, { binary: true });
        },
      },
    },
  };
}

export async function clusterOf3(): Promise<Place> {
  const { url, nodes } = await ownRedisCluster({ primaries: 3 });
  let redis = await lookInto(url, { binary: true, cluster: true });
  const inOrder = async () => {
    const states = await Promise.all(redis.primaries().map(({ send }) => send(['CLUSTER', 'INFO'])));
    return (
      states.length === nodes.length && states.every((each) => String(each).includes('cluster_state:ok'))
    );
  };
  return {
    target: { url, cluster: true },
    redis: () => redis,
    troubles: {
      'nothing happens': undefined,
      'the connection is cut': cut(() => redis),
      'Redis is restarted': {
        before: () => Promise.all(redis.primaries().map(({ send }) => send(['SAVE']))),
        async strike() {
          await nodes[randomInt(nodes.length)]?.restart();
        },
        async over() {
          redis.close();
          redis = await lookInto(url, { binary: true, cluster: true });
          while (!(await inOrder())) await sleep(20);
        },
      },
    },
  };
}

export const PLACES = { 'one server': oneServer, 'a cluster of 3': clusterOf3 };
