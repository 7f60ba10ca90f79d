/** A connection to each kind of Redis that the runtime runs on; servers and connections end with the test file. */
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import {
  type RedisCluster,
  type RedisClusterOptions,
  startRedisCluster,
} from '../../rehearsal/servers/redis-cluster.ts';
import { lookInto } from './redis.ts';
import { ownRedis, ownWorkspace } from './servers.ts';

/** What the runtime asks of Redis, its client's greeting included, and nothing else. */
const RUNTIME_COMMANDS = [
  ...['get', 'mget', 'set', 'unlink', 'eval', 'evalsha', 'pttl', 'pexpire'],
  ...['sadd', 'srem', 'smembers', 'persist', 'ping', 'info'],
  'hello',
];
/** The namespaces, Cutover's own keys, and the families: that of the API and those that tests make up. */
const RUNTIME_KEYS = ['v2:*', 'cw:*', 'cutover:*', 'mocs:*', 'own:*', 'query:*', 'bare:*', 'members:*'];

/** The ACL rules of a user who may do what the runtime does, with this password. */
export function runtimeRules(password: string): readonly string[] {
  const keys = RUNTIME_KEYS.map((pattern) => `~${pattern}`);
  return ['on', `>${password}`, ...keys, '-@all', ...RUNTIME_COMMANDS.map((command) => `+${command}`)];
}

/** A cluster for this test file alone. */
export async function ownRedisCluster(options: RedisClusterOptions): Promise<RedisCluster> {
  return startRedisCluster(await ownWorkspace(), options);
}

/** Each opens a server, or a cluster, of its own, and answers a connection that is ready. */
export const REDIS_KINDS: Record<'plain' | 'tls and acl' | 'cluster of 3', () => Promise<RedisConnection>> = {
  plain: async () => lookInto((await ownRedis()).url),
  'tls and acl': async () => {
    const { port, ca } = await ownRedis({ tls: true, users: { runtime: runtimeRules('s3cret/of+it') } });
    const user = `runtime:${encodeURIComponent('s3cret/of+it')}`;
    return lookInto(`rediss://${user}@127.0.0.1:${port}`, { ca });
  },
  'cluster of 3': async () => lookInto((await ownRedisCluster({ primaries: 3 })).url, { cluster: true }),
};
