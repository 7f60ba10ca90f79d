import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Primary, RedisConnection, RedisOptions } from '../../../lambda/redis/connection.ts';
import { slotOf } from '../../../lambda/redis/slot.ts';
import type { RedisCluster } from '../../../rehearsal/servers/redis-cluster.ts';
import { callsOf, connected, lookInto, within } from '../../support/redis.ts';
import { ownRedisCluster } from '../../support/redis-kinds.ts';
import { ownRedis } from '../../support/servers.ts';

const PATIENCE_MS = 10_000;
/** The whole time of a command, as the runtime has it. */
const BUDGET_MS = 250;
/** A node that fails does not take the others' slots with it. */
const PARTIAL = ['--cluster-require-full-coverage', 'no'];

const clustered = (url: string, options: Partial<RedisOptions> = {}) =>
  connected({ url, name: 'clustered', cluster: true, ...options });

const ownedBy = ({ slots }: Primary, slot: number) =>
  slots.some(({ from, to }) => from <= slot && slot <= to);

/** A key of each node, in the order of the cluster's. */
function keysOf({ nodes }: RedisCluster): string[] {
  const keys: string[] = [];
  for (let index = 0; keys.filter(Boolean).length < nodes.length; index += 1) {
    const key = `mocs:user:${index}:list`;
    keys[Math.floor((slotOf(key) * nodes.length) / 16384)] ??= key;
  }
  return keys;
}

/** Sends until it is answered; the test's own time limit bounds it. */
async function answered(redis: RedisConnection, command: readonly string[]): Promise<unknown> {
  for (;;) {
    try {
      return await redis.send(command);
    } catch {
      await sleep(20);
    }
  }
}

describe('a cluster of three', () => {
  let cluster: RedisCluster;
  let keys: string[];

  afterEach(() => Promise.all(cluster.nodes.map((node) => node.kill('SIGCONT'))));
  beforeAll(async () => {
    cluster = await ownRedisCluster({ primaries: 3, args: PARTIAL, nodeTimeoutMs: 1000 });
    keys = keysOf(cluster);
  });

  test('is asked for each key where the key is, without a redirection', async () => {
    const redis = clustered(cluster.url, { deadlineMs: PATIENCE_MS });
    await redis.ready(PATIENCE_MS);
    const all = Array.from({ length: 300 }, (_, index) => `key:${index}`);
    expect(new Set(await Promise.all(all.map((key) => redis.send(['SET', key, `of ${key}`]))))).toEqual(
      new Set(['OK']),
    );
    const script = `return redis.call('GET', KEYS[1]) .. ARGV[1]`;
    const scripted = await Promise.all(all.map((key) => redis.send(['EVAL', script, '1', key, '!'])));
    expect(scripted).toEqual(all.map((key) => `of ${key}!`));
    expect(await redis.send(['PING'])).toBe('PONG');
    expect(await redis.send(['EVAL', 'return ARGV[1]', '0', 'argument'])).toBe('argument');
    for (const { url } of cluster.nodes) {
      const node = await lookInto(url);
      expect(await callsOf(node, 'set')).toBeGreaterThan(50);
      const errors = String(await node.send(['INFO', 'errorstats']));
      expect(errors).not.toContain('MOVED');
    }
  });

  test('its primaries share all slots, and each answers for itself', async () => {
    const redis = clustered(cluster.url, { deadlineMs: PATIENCE_MS });
    await redis.ready(PATIENCE_MS);
    const primaries = redis.primaries();
    expect(primaries).toHaveLength(3);
    expect(redis.connections).toBe(3);
    for (let slot = 0; slot < 16384; slot += 1) {
      expect(primaries.filter((primary) => ownedBy(primary, slot))).toHaveLength(1);
    }
    const info = await Promise.all(primaries.map(({ send }) => send(['INFO', 'server'])));
    const ports = info.map((each) => Number(/tcp_port:(\d+)/.exec(String(each))?.[1]));
    expect(ports.sort()).toEqual(cluster.nodes.map(({ port }) => port).sort());
  });

  test('a new connection to a primary is told before a caller’s command travels on it', async () => {
    const seen: string[] = [];
    const waiting: Promise<unknown>[] = [];
    const redis = clustered(cluster.url, {
      deadlineMs: PATIENCE_MS,
      waitForConnectionMs: PATIENCE_MS,
      onReady(primary) {
        const slot = primary.slots[0]?.from ?? -1;
        const mark = primary.send(['PING', `first on ${slot}`]);
        waiting.push(mark.then((answer) => seen.push(String(answer))));
      },
    });
    const sent = keys.map((key) => redis.send(['GET', key]).then(() => seen.push(key)));
    await Promise.all(sent);
    await Promise.all(waiting);
    expect(seen).toHaveLength(6);
    for (const [index, key] of keys.entries()) {
      const from = Math.floor((index * 16384) / 3);
      expect(seen.indexOf(`first on ${from}`)).toBeLessThan(seen.indexOf(key));
      expect(seen).toContain(`first on ${from}`);
    }
  });

  test('commands of one tick for one key arrive in their order, from the first on', async () => {
    const redis = clustered(cluster.url, { deadlineMs: PATIENCE_MS, waitForConnectionMs: PATIENCE_MS });
    const values = Array.from({ length: 100 }, (_, index) => `${index}`);
    await Promise.all(values.map((value) => redis.send(['RPUSH', 'ordered', value])));
    expect(await redis.send(['LRANGE', 'ordered', '0', '-1'])).toEqual(values);
  });

  test('after a gap on the wall clock each node that is used proves itself, once', async () => {
    let nowMs = 1_000_000;
    const redis = clustered(cluster.url, { deadlineMs: PATIENCE_MS, now: () => nowMs });
    await redis.ready(PATIENCE_MS);
    const nodes = await Promise.all(cluster.nodes.map(({ url }) => lookInto(url)));
    const pings = () => Promise.all(nodes.map((node) => callsOf(node, 'ping')));
    const [one = 0, two = 0, three = 0] = await pings();
    nowMs += 3_600_000;
    const [first = '', second = ''] = keys;
    const reads = Array.from({ length: 10 }, (_, index) => redis.send(['GET', index % 2 ? first : second]));
    await Promise.all(reads);
    expect(await pings()).toEqual([one + 1, two + 1, three]);
  });

  test('a node that is frozen costs its own keys no more than their time, and comes back', async () => {
    const errors: Error[] = [];
    const redis = clustered(cluster.url, { onError: (error) => errors.push(error) });
    await redis.ready(PATIENCE_MS);
    const [node] = cluster.nodes;
    const [frozen = '', other = ''] = keys;
    const patient = clustered(cluster.url, { deadlineMs: PATIENCE_MS });
    await patient.ready(PATIENCE_MS);
    await node?.kill('SIGSTOP');
    const begin = performance.now();
    // Past the silence after which its connection is replaced, and past the time after which it has failed.
    while (performance.now() - begin < 2000) {
      const away = Array.from({ length: 10 }, () => within(redis.send(['GET', frozen]), 2 * BUDGET_MS));
      // The plain error is that of a command whose connection is replaced meanwhile.
      const outcomes = new Set(await Promise.all(away));
      expect(['DeadlineError', 'RedisUnavailableError', 'Error']).toEqual(
        expect.arrayContaining([...outcomes]),
      );
      expect(await patient.send(['SET', other, 'x'])).toBe('OK');
    }
    expect(errors.length).toBeGreaterThan(0);
    await node?.kill('SIGCONT');
    expect(await answered(redis, ['SET', frozen, 'thawed'])).toBe('OK');
    expect(redis.connections).toBe(3);
  });

  test('a node that is killed and restarted is used again', async () => {
    const ready: Primary[] = [];
    const redis = clustered(cluster.url, { onReady: (primary) => ready.push(primary) });
    await redis.ready(PATIENCE_MS);
    const [, node] = cluster.nodes;
    const [first = '', killed = ''] = keys;
    await node?.kill('SIGKILL');
    await expect(redis.send(['GET', killed])).rejects.toThrow();
    expect(await answered(redis, ['SET', first, 'x'])).toBe('OK');
    await node?.restart();
    expect(await answered(redis, ['SET', killed, 'restarted'])).toBe('OK');
    expect(ready).toHaveLength(4);
    expect(ready.filter((primary) => ownedBy(primary, slotOf(killed)))).toHaveLength(2);
  });

  test('is found by a process that starts while one node is frozen, whichever its URL names', async () => {
    const [node, another] = cluster.nodes;
    const [frozen = '', other = ''] = keys;
    await node?.kill('SIGSTOP');
    const redis = clustered(another?.url ?? '');
    expect(await answered(redis, ['SET', other, 'x'])).toBe('OK');
    expect(await within(redis.send(['GET', frozen]), 2 * BUDGET_MS)).toBe('RedisUnavailableError');
    const lost = clustered(node?.url ?? '', { connectTimeoutMs: 300 });
    expect(await within(lost.send(['GET', other]), 2 * BUDGET_MS)).toBe('RedisUnavailableError');
    expect(await within(lost.ready(BUDGET_MS), 2 * BUDGET_MS)).toBe('RedisUnavailableError');
    await node?.kill('SIGCONT');
    expect(await answered(lost, ['SET', frozen, 'x'])).toBe('OK');
    expect(await answered(redis, ['SET', frozen, 'x'])).toBe('OK');
  });
});

describe('a slot that is moved', () => {
  test('is asked for where it is, while it is moved and afterwards', async () => {
    const cluster = await ownRedisCluster({ primaries: 2 });
    const redis = clustered(cluster.url, { deadlineMs: PATIENCE_MS });
    await redis.ready(PATIENCE_MS);
    const [source, target] = await Promise.all(cluster.nodes.map(({ url }) => lookInto(url)));
    if (!source || !target) throw new Error('two nodes');
    const [here = ''] = keysOf(cluster);
    const slot = String(slotOf(here));
    const tagged = `{${here}}:new`;
    await redis.send(['SET', here, 'old']);
    const idOf = async (node: RedisConnection) => String(await node.send(['CLUSTER', 'MYID']));
    const [from, to] = await Promise.all([idOf(source), idOf(target)]);

    await target.send(['CLUSTER', 'SETSLOT', slot, 'IMPORTING', from]);
    await source.send(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', to]);
    expect(await redis.send(['SET', tagged, 'asked there'])).toBe('OK');
    expect(await redis.send(['GET', here])).toBe('old');
    expect(await callsOf(target, 'asking')).toBe(1);

    const { port = 0 } = cluster.nodes[1] ?? {};
    await source.send(['MIGRATE', '127.0.0.1', String(port), here, '0', '5000']);
    for (const node of [target, source]) await node.send(['CLUSTER', 'SETSLOT', slot, 'NODE', to]);
    expect(await redis.send(['GET', here])).toBe('old');
    expect(await redis.send(['GET', tagged])).toBe('asked there');
    const moved = () => callsOf(source, 'get');
    while (!redis.primaries()[1]?.slots.some(({ from }) => String(from) === slot)) await sleep(10);
    const before = await moved();
    expect(await redis.send(['GET', here])).toBe('old');
    expect(await moved()).toBe(before);
  });
});

describe('what is no cluster', () => {
  test('a server alone is named, with the remedy', async () => {
    const errors: Error[] = [];
    const redis = clustered((await ownRedis()).url, { onError: (error) => errors.push(error) });
    await expect(redis.send(['GET', 'key'])).rejects.toMatchObject({ name: 'RedisUnavailableError' });
    await expect(redis.ready(500)).rejects.toThrow('unset REDIS_CLUSTER');
    expect(errors[0]).toMatchObject({ name: 'TopologyError', code: 'CUTOVER_REDIS_TOPOLOGY' });
  });

  test('a node without slots is asked again until it has them', async () => {
    const { url } = await ownRedis({ args: ['--cluster-enabled', 'yes'] });
    const errors: string[] = [];
    const redis = clustered(url, { onError: (error) => errors.push(error.message) });
    await expect(redis.ready(200)).rejects.toThrow('CLUSTER ADDSLOTSRANGE');
    await (await lookInto(url)).send(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
    expect(await answered(redis, ['SET', 'key', 'value'])).toBe('OK');
    expect(redis.connections).toBe(1);
    expect(new Set(errors)).toEqual(new Set([expect.stringContaining('serves no slot')]));
  });

  test('a server that is not there is given up after as many attempts as told', async () => {
    const errors: Error[] = [];
    const redis = clustered('redis://127.0.0.1:1', {
      maxAttempts: 2,
      onError: (error) => errors.push(error),
    });
    await expect(redis.ready(PATIENCE_MS)).rejects.toThrow(/^redis: no connection: .*ECONNREFUSED/);
    expect(errors).toHaveLength(2);
  });

  test('a closed connection refuses, and closing it twice is harmless', async () => {
    const { url } = await ownRedis({ args: ['--cluster-enabled', 'yes'] });
    await (await lookInto(url)).send(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
    const redis = clustered(url);
    await redis.ready(PATIENCE_MS);
    const early = clustered(url);
    for (const each of [redis, redis, early]) each.close();
    for (const each of [redis, early]) {
      await expect(each.send(['GET', 'key'])).rejects.toMatchObject({ name: 'RedisUnavailableError' });
      await expect(each.ready(10)).rejects.toMatchObject({ name: 'RedisUnavailableError' });
      expect(each.connections).toBe(0);
    }
  });

  test('a URL with a database is refused', () => {
    expect(() => clustered('redis://127.0.0.1:6379/2')).toThrow('a cluster has only database 0');
  });
});

test('each node is spoken to with TLS and as the user of the URL', async () => {
  const rules = ['on', '>secret', '~*', '+get', '+set', '+cluster|slots'];
  const cluster = await ownRedisCluster({ primaries: 2, tls: true, users: { runtime: rules } });
  const [{ port, ca } = { port: 0, ca: undefined }] = cluster.nodes;
  const redis = clustered(`rediss://runtime:secret@127.0.0.1:${port}`, { ca, deadlineMs: PATIENCE_MS });
  await redis.ready(PATIENCE_MS);
  const keys = keysOf(cluster);
  expect(await Promise.all(keys.map((key) => redis.send(['SET', key, 'x'])))).toEqual(['OK', 'OK']);
  for (const key of keys) await expect(redis.send(['UNLINK', key])).rejects.toThrow(/^NOPERM /);
});

test('a process opens no more than ten connections, and says what it leaves out', async () => {
  const cluster = await ownRedisCluster({ primaries: 11 });
  const errors: string[] = [];
  const redis = clustered(cluster.url, {
    deadlineMs: PATIENCE_MS,
    onError: (error) => errors.push(error.message),
  });
  await redis.ready(PATIENCE_MS);
  expect(redis.connections).toBe(8);
  expect(errors).toEqual([
    expect.stringMatching(/^redis: the cluster has 11 primaries.*fewer, larger shards$/),
  ]);
  const outcomes = await Promise.all(
    keysOf(cluster).map((key) => within(redis.send(['GET', key]), PATIENCE_MS)),
  );
  expect(outcomes.filter((each) => each === null)).toHaveLength(8);
  expect(outcomes.filter((each) => each === 'RedisUnavailableError')).toHaveLength(3);
});
