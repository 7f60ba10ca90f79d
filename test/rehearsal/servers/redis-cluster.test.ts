import { expect, test } from '@jest/globals';
import { startRedisCluster } from '../../../rehearsal/servers/redis-cluster.ts';
import { lookInto } from '../../support/redis.ts';
import { ownWorkspace } from '../../support/servers.ts';
import { isAlive } from './remains.ts';

test.each([
  ['in clear', false],
  ['with TLS', true],
])('its nodes share all slots and know each other, %s', async (_, tls) => {
  const cluster = await startRedisCluster(await ownWorkspace(), { primaries: 3, tls });
  expect(cluster.url).toMatch(tls ? /^rediss:/ : /^redis:/);
  for (const { url, ca } of cluster.nodes) {
    const info = String(await (await lookInto(url, { ca })).send(['CLUSTER', 'INFO']));
    expect(info).toContain('cluster_state:ok');
    expect(info).toContain('cluster_slots_ok:16384');
    expect(info).toContain('cluster_size:3');
  }
  const pids = cluster.nodes.map(({ pid }) => pid);
  await cluster.stop();
  expect(pids.map(isAlive)).toEqual([false, false, false]);
});

test('a node that is restarted is the same one, on the same port', async () => {
  const cluster = await startRedisCluster(await ownWorkspace(), { primaries: 3 });
  const [node] = cluster.nodes;
  if (!node) throw new Error('three nodes');
  const id = async () => String(await (await lookInto(node.url)).send(['CLUSTER', 'MYID']));
  const [before, port] = [await id(), node.port];
  await node.restart();
  expect([await id(), node.port]).toEqual([before, port]);
});
