import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { flush } from '../../../lambda/flush/flush.ts';
import { planFlush } from '../../../lambda/flush/plan/plan.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { cuttingRedis } from '../../support/cutting-redis.ts';
import { openDoor } from '../../support/door.ts';
import { flakyRedis } from '../../support/flaky-redis.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedisCluster } from '../../support/redis-kinds.ts';
import { ownRedis } from '../../support/servers.ts';

const plan = planFlush({ env: 'test' });
const KEYS = 20_000;
const CUT_AFTER_BYTES = 200_000;

let server: RedisServer;
let redis: RedisConnection;

beforeAll(async () => {
  server = await ownRedis({ args: ['--enable-debug-command', 'local'] });
});

/** Half of the keys are due. */
const populate = async () => {
  redis = await lookInto(server.url, { binary: true });
  await redis.send(['FLUSHALL']);
  await redis.send(['DEBUG', 'POPULATE', String(KEYS / 2), 'mocs:user', '10']);
  await redis.send(['DEBUG', 'POPULATE', String(KEYS / 2), 'sessions', '10']);
};

/** Another life of the server, with the same keys. */
const restart = async () => {
  await redis.send(['SAVE']);
  await server.restart();
};

/** Sends each connection's requests to another server after so many, and those of later connections at once. */
function switchingDoor(options: { from: number; to: number; afterRequests: number }): Promise<string> {
  let left = options.afterRequests;
  return openDoor((caller, keep) => {
    const servers = [options.from, options.to].map((port) => keep(connect(port, '127.0.0.1')));
    for (const each of servers) each.on('data', (reply) => caller.write(reply));
    caller.on('data', (request) => {
      left -= 1;
      servers[left > 0 ? 0 : 1]?.write(request);
    });
    caller.on('close', () => servers.map((each) => each.destroy()));
  });
}

const left = async () => Number(await redis.send(['DBSIZE']));

describe('the connection is lost in the middle', () => {
  beforeEach(populate);

  test('of a pass, which begins again', async () => {
    const door = await cuttingRedis({ to: server, afterBytes: [CUT_AFTER_BYTES, CUT_AFTER_BYTES] });
    const told: string[] = [];
    const report = await flush({
      target: { url: door.url },
      plan,
      onRestart: ({ message }) => told.push(message),
    });
    expect(door.cuts).toBe(2);
    expect(told).toEqual(Array(2).fill(expect.stringMatching(/^redis: the connection is lost/)));
    // Of the last pass: the ones before it are void.
    expect(report).toMatchObject({ complete: true, restarts: 2, preserved: KEYS / 2 });
    expect(await left()).toBe(KEYS / 2);
  });

  test('again and again: a page between them is progress, three in a row without one are the end', async () => {
    const progress = await cuttingRedis({ to: server, afterBytes: Array(5).fill(50_000) });
    expect(await flush({ target: { url: progress.url }, plan })).toMatchObject({
      complete: true,
      restarts: 5,
    });
    await populate();
    const none = await cuttingRedis({ to: server, afterBytes: [CUT_AFTER_BYTES, 1, 1, 1] });
    await expect(flush({ target: { url: none.url }, plan })).rejects.toMatchObject({
      name: 'RedisUnavailableError',
    });
    expect(none.cuts).toBe(3);
  });
});

describe('another server', () => {
  beforeEach(populate);

  test('after a restart in the middle: the pass begins again, and misses nothing', async () => {
    const door = await cuttingRedis({
      to: server,
      afterBytes: [CUT_AFTER_BYTES],
      // A cursor of the life before would miss a fourth of the keys.
      onCut: restart,
    });
    const report = await flush({ target: { url: door.url }, plan });
    expect(report).toMatchObject({ complete: true, preserved: KEYS / 2 });
    await redisIsBack();
    expect(await left()).toBe(KEYS / 2);
  });

  test('without a connection lost, as behind a proxy: is seen at the end of the pass, which begins again', async () => {
    const other = await ownRedis({ args: ['--enable-debug-command', 'local'] });
    const otherRedis = await lookInto(other.url);
    await otherRedis.send(['DEBUG', 'POPULATE', '1000', 'mocs:user', '10']);
    const door = await switchingDoor({ from: server.port, to: other.port, afterRequests: 30 });
    const told: string[] = [];
    const onRestart = ({ name }: Error) => told.push(name);
    const report = await flush({ target: { url: door }, plan, onRestart });
    expect({ told, complete: report.complete }).toEqual({ told: ['FlushInterruptedError'], complete: true });
    expect(await otherRedis.send(['DBSIZE'])).toBe(0);
  });

  const redisIsBack = async () => {
    redis = await lookInto(server.url, { binary: true });
  };
});

describe('positions', () => {
  beforeEach(populate);

  /** Stops after some pages, and tells where. */
  const stopInTheMiddle = async () => {
    const stop = new AbortController();
    let pages = 0;
    const report = await flush({
      target: { url: server.url },
      plan,
      signal: stop.signal,
      onProgress() {
        pages += 1;
        if (pages === 10) stop.abort();
      },
    });
    expect(report.complete).toBe(false);
    return report;
  };

  test('let a flush go on where one has stopped', async () => {
    const first = await stopInTheMiddle();
    const second = await flush({ target: { url: server.url }, plan, from: first.positions });
    expect(second.complete).toBe(true);
    expect(second.scanned).toBeLessThan(KEYS - first.scanned + 100);
    expect(first.flushed + second.flushed).toBe(KEYS / 2);
    expect(await left()).toBe(KEYS / 2);
    const third = await flush({ target: { url: server.url }, plan, from: second.positions });
    expect(third).toMatchObject({ complete: true, scanned: 0 });
  });

  test('are worth nothing on a server that was restarted', async () => {
    const { positions, flushed } = await stopInTheMiddle();
    await restart();
    redis = await lookInto(server.url, { binary: true });
    const report = await flush({ target: { url: server.url }, plan, from: positions });
    expect(report).toMatchObject({ complete: true, scanned: KEYS - flushed });
    expect(await left()).toBe(KEYS / 2);
  });
});

describe('Redis is away', () => {
  test('refuses: three attempts with growing waits, then the reason', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const attempts: number[] = [];
    const beganAt = performance.now();
    const flushing = flush({
      target: { url },
      plan,
      onRestart: () => attempts.push(performance.now() - beganAt),
    });
    await expect(flushing).rejects.toMatchObject({
      name: 'RedisUnavailableError',
      message: expect.stringMatching(/^redis: no connection: connect ECONNREFUSED 127.0.0.1:\d+$/),
    });
    attempts.push(performance.now() - beganAt);
    expect(attempts).toHaveLength(3);
    // 500 ms, and then twice as long.
    expect((attempts[1] ?? 0) - (attempts[0] ?? 0)).toBeGreaterThan(450);
    expect((attempts[2] ?? 0) - (attempts[1] ?? 0)).toBeGreaterThan(950);
  });

  test('hangs up twice: the third attempt flushes', async () => {
    await populate();
    const door = await flakyRedis({ first: ['hangs up', 'hangs up'], to: server });
    expect(await flush({ target: { url: door.url }, plan })).toMatchObject({ complete: true, restarts: 2 });
    expect(door.attempts).toBe(3);
  });

  test.each([0, 3])('is frozen after page %d: stops at its limit', async (page) => {
    await populate();
    const connection = redis;
    let pages = 0;
    if (page === 0) await server.kill('SIGSTOP');
    const beganAt = performance.now();
    const flushing = flush({
      target: { url: server.url },
      plan,
      limitSeconds: 1,
      onProgress() {
        pages += 1;
        if (pages === page) void server.kill('SIGSTOP');
      },
    });
    const outcome = await flushing.then(
      ({ complete }) => complete,
      ({ name }: Error) => name,
    );
    expect(outcome).toBe(page === 0 ? 'RedisUnavailableError' : false);
    expect(performance.now() - beganAt).toBeLessThan(2 * 1500);
    await server.kill('SIGCONT');
    await connection.ready(5000);
    while ((await left()) > KEYS) await sleep(5);
  });

  test('loads its data: says so', async () => {
    const slow = ['--key-load-delay', '300', '--loading-process-events-interval-bytes', '1024'];
    const loading = await ownRedis({ args: ['--enable-debug-command', 'local', ...slow] });
    const look = await lookInto(loading.url);
    await look.send(['DEBUG', 'POPULATE', '5000', 'mocs:user', '10']);
    await look.send(['SAVE']);
    const back = loading.restart();
    await sleep(500);
    await expect(flush({ target: { url: loading.url }, plan, limitSeconds: 0.3 })).rejects.toThrow(
      /LOADING .*run it again when INFO persistence says loading:0/,
    );
    await back;
  });
});

test('refuses a URL of another kind', async () => {
  await expect(flush({ target: { url: 'http://127.0.0.1:1' }, plan })).rejects.toMatchObject({
    name: 'ConfigurationError',
  });
});

test('a slot that is on its way to another primary: the pass is not over before it has arrived', async () => {
  const { url, nodes } = await ownRedisCluster({ primaries: 2 });
  const cluster = await lookInto(url, { cluster: true });
  const [from, to] = cluster.primaries();
  const idOf = async (primary = from) => String(await primary?.send(['CLUSTER', 'MYID']));
  const slot = String(await from?.send(['CLUSTER', 'KEYSLOT', '{key}']));
  const owner = Number(slot) <= (from?.slots[0]?.to ?? 0) ? [from, to] : [to, from];
  await cluster.send(['SET', 'mocs:{key}:1', 'value']);
  await owner[1]?.send(['CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(owner[0])]);
  await owner[0]?.send(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(owner[1])]);
  const told: string[] = [];
  const flushing = flush({
    target: { url, cluster: true },
    plan,
    onRestart({ name }) {
      told.push(name);
      // The slot stays where it was, after all.
      for (const primary of cluster.primaries()) void primary.send(['CLUSTER', 'SETSLOT', slot, 'STABLE']);
    },
  });
  expect(await flushing).toMatchObject({ complete: true, restarts: 1 });
  expect(told).toEqual(['FlushInterruptedError']);
  expect(nodes).toHaveLength(2);
});

describe('what a URL may not be', () => {
  test('one node of a cluster, taken for all of it: nothing is deleted', async () => {
    const { url } = await ownRedisCluster({ primaries: 2 });
    const cluster = await lookInto(url, { cluster: true });
    for (let index = 0; index < 20; index += 1) await cluster.send(['SET', `mocs:${index}`, 'x']);
    await expect(flush({ target: { url }, plan })).rejects.toThrow(
      /holds a share of the keys; set REDIS_CLUSTER=1/,
    );
    const sizes = await Promise.all(cluster.primaries().map(({ send }) => send(['DBSIZE'])));
    expect(sizes.reduce<number>((sum, size) => sum + Number(size), 0)).toBe(20);
  });

  test('a cluster where there is none', async () => {
    await expect(flush({ target: { url: server.url, cluster: true }, plan })).rejects.toThrow(
      /unset REDIS_CLUSTER/,
    );
  });

  test.each(['redis://', 'redis:cache.example.com:6379'])('one without a host: %s', async (url) => {
    await expect(flush({ target: { url }, plan })).rejects.toMatchObject({ name: 'ConfigurationError' });
  });

  test('a primary of a cluster that cannot be had leaves no connection behind', async () => {
    const { url, nodes } = await ownRedisCluster({ primaries: 2, nodeTimeoutMs: 60_000 });
    const look = await lookInto(url, { anyRole: true });
    await nodes[1]?.stop();
    await expect(flush({ target: { url, cluster: true }, plan, limitSeconds: 5 })).rejects.toThrow(
      /ECONNREFUSED/,
    );
    const clients = async () => String(await look.send(['CLIENT', 'LIST']));
    while ((await clients()).includes('name=cutover-flush')) await sleep(5);
  });
});
