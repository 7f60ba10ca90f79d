import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis, type RedisConnection } from '../../lambda/redis/connection.ts';
import { type RedisOptions, type RedisServer, startRedis } from './redis.ts';
import { redisCertificate } from './redis-certificate.ts';
import type { Workspace } from './workspace.ts';

/** A Redis Cluster of our own on 127.0.0.1, without replicas. */
export interface RedisCluster {
  /** Of its first node. */
  readonly url: string;
  /** Its primaries, in the order of their slots; each can be killed, frozen and restarted by itself. */
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

export interface RedisClusterOptions extends Omit<RedisOptions, 'port' | 'tls'> {
  /** Whether its nodes speak TLS, with clients and with each other, all with one certificate. */
  readonly tls?: boolean;
  readonly primaries: number;
  /** How long a node may be silent until the others hold it for failed. */
  readonly nodeTimeoutMs?: number;
}

const SLOTS = 16384;
const PATIENCE_MS = 15_000;
const POLL_MS = 10;

/**
 * Starts the nodes, shares the slots among them and introduces them to each other.
 * @throws when the cluster is not in order after 15 s.
 */
export async function startRedisCluster(
  workspace: Workspace,
  { primaries, nodeTimeoutMs = 2000, tls, args = [], ...options }: RedisClusterOptions,
): Promise<RedisCluster> {
  const certificate = tls && (await redisCertificate(workspace.folder));
  const nodeOptions: RedisOptions = {
    ...options,
    ...(certificate && { tls: certificate }),
    args: [
      ...['--cluster-enabled', 'yes', '--cluster-node-timeout', `${nodeTimeoutMs}`],
      ...(certificate ? ['--tls-cluster', 'yes'] : []),
      ...args,
    ],
  };
  const nodes = await Promise.all(
    Array.from({ length: primaries }, () => startRedis(workspace, nodeOptions)),
  );
  const connections = nodes.map(({ url, ca }) =>
    connectRedis({ url, ca, name: 'cutover-cluster', deadlineMs: PATIENCE_MS }),
  );
  try {
    await Promise.all(connections.map((each) => each.ready(PATIENCE_MS)));
    await Promise.all(
      connections.map(async (each, index) => {
        const first = (node: number) => Math.floor((node * SLOTS) / primaries);
        await each.send(['CLUSTER', 'ADDSLOTSRANGE', `${first(index)}`, `${first(index + 1) - 1}`]);
        if (index > 0) await each.send(['CLUSTER', 'MEET', '127.0.0.1', `${nodes[0]?.port}`]);
      }),
    );
    await Promise.all(connections.map((each) => inOrder(each, primaries)));
  } finally {
    for (const each of connections) each.close();
  }
  return {
    url: nodes[0]?.url ?? '',
    nodes,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** Resolves when the node knows all others and their slots. */
async function inOrder(node: RedisConnection, primaries: number): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const info = String(await node.send(['CLUSTER', 'INFO']));
    const known = info.includes('cluster_state:ok') && info.includes(`cluster_size:${primaries}`);
    if (known && info.includes(`cluster_known_nodes:${primaries}`)) return;
    if (Date.now() > deadline) {
      throw new Error(`servers: the Redis Cluster is not in order after ${PATIENCE_MS / 1000} s:\n${info}`);
    }
    await sleep(POLL_MS);
  }
}
