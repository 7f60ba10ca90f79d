import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CLAIM } from '../../../lambda/cache/claim.ts';
import { FAMILIES } from '../../../lambda/contract/families.ts';
import { type FlushProgress, flush, requireComplete } from '../../../lambda/flush/flush.ts';
import type { Target } from '../../../lambda/flush/pass/servers.ts';
import { planFlush } from '../../../lambda/flush/plan/plan.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { contentsOf, without } from '../../support/contents.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedisCluster } from '../../support/redis-kinds.ts';
import { ownRedis } from '../../support/servers.ts';

const plan = planFlush({ env: 'test' });
const NAMESPACES = ['', 'v2:', 'cw:test:'];
const KEYS_EACH = 100;

/** Who may scan, delete, read the claim and ask who the server is, and no more. */
const FLUSHER = ['on', '>s3cret/of+it', '~*', '-@all', '+scan', '+unlink', '+info', '+get'];
const user = `flusher:${encodeURIComponent('s3cret/of+it')}`;

const KINDS: Record<string, () => Promise<Target>> = {
  'one server': async () => ({ url: (await ownRedis()).url }),
  'TLS and a user': async () => {
    const { port, ca } = await ownRedis({ tls: true, users: { flusher: FLUSHER } });
    return { url: `rediss://${user}@127.0.0.1:${port}`, ca };
  },
  'a cluster of 3 and a user': async () => {
    const users = { flusher: [...FLUSHER, '+cluster|slots', '+cluster|nodes'] };
    const { url } = await ownRedisCluster({ primaries: 3, users });
    return { url: url.replace('//', `//${user}@`), cluster: true };
  },
};

const keysOf = (onFlush: string) =>
  FAMILIES.filter((family) => family.onFlush === onFlush).flatMap(({ name }) =>
    NAMESPACES.flatMap((namespace) =>
      Array.from({ length: KEYS_EACH }, (_, index) => `${namespace}${name}:user:${index}:list`),
    ),
  );
const DUE = keysOf('flush');
const PRESERVED = keysOf('preserve');
const OTHERS = ['mocs', 'mocsX:1', 'cutover:lease:{mocs:1}:mocs:1', 'cw:other:mocs:1', 'users:1'];
const ALL = [...DUE, ...PRESERVED, ...OTHERS];

/** Keys of all sorts, over several pages of a SCAN, each with a value and half of them with a TTL. */
const populate = (redis: RedisConnection) =>
  Promise.all(
    ALL.map((key, index) =>
      redis.send(['SET', key, `value of ${key}`, ...(index % 2 ? ['PX', String(3_600_000 + index)] : [])]),
    ),
  );

describe.each(Object.entries(KINDS))('on %s', (_kind, open) => {
  let target: Target;
  let redis: RedisConnection;

  beforeAll(async () => {
    target = await open();
    const { url, cluster = false, ca } = target;
    redis = await lookInto(url.replace(/\/\/.*@/, '//'), { cluster, ca, binary: true });
  });

  beforeEach(() => Promise.all(redis.primaries().map(({ send }) => send(['FLUSHALL']))));

  test.each([0, 2])('deletes what is due and nothing else, at most %d ms felt', async (maxLatencyMs) => {
    await populate(redis);
    const before = await contentsOf(redis);
    const report = await flush({ target, plan, maxLatencyMs });
    expect(await contentsOf(redis)).toEqual(without(before, DUE));
    const counts = {
      scanned: ALL.length,
      keys: ALL.length,
      flushed: DUE.length,
      preserved: PRESERVED.length,
    };
    expect(report).toMatchObject({ ...counts, complete: true, restarts: 0 });
    const ofMocs = report.classes.find(({ pattern }) => pattern === 'mocs:*');
    expect(ofMocs).toEqual({ pattern: 'mocs:*', fate: 'flush', keys: 3 * KEYS_EACH });

    const again = await flush({ target, plan, maxLatencyMs });
    expect(again).toMatchObject({ scanned: ALL.length - DUE.length, flushed: 0, complete: true });
    expect(await contentsOf(redis)).toEqual(without(before, DUE));
  });

  test('an empty one', async () => {
    expect(await flush({ target, plan })).toMatchObject({ scanned: 0, flushed: 0, complete: true });
  });

  test('a key of any bytes and any type', async () => {
    const bytes = (text: string) => Buffer.from(text, 'latin1');
    const due = [
      'mocs:user:\xff\xfe:list',
      'v2:albums:\x80',
      'mocs:\xfc',
      'mocs:\r\n$5\r\n',
      `mocs:${'x'.repeat(70_000)}`,
    ];
    const kept = ['sessions:\xff', '\xffmocs:1', 'sessions:\r\n*1\r\n', ''];
    for (const key of [...due, ...kept]) await redis.send(['SET', bytes(key), 'value']);
    // What the first one looks like as text is another key.
    const asText = due.map((key) => bytes(key).toString());
    for (const key of asText) await redis.send(['SADD', key, 'value']).catch(() => {});
    await redis.send(['HSET', 'mocs:hash', 'a', '1']);
    await redis.send(['RPUSH', 'cw:test:albums:list', 'a']);
    await redis.send(['XADD', 'sessions:stream', '*', 'a', '1']);
    await flush({ target, plan });
    expect(Object.keys(await contentsOf(redis)).sort()).toEqual([...kept, 'sessions:stream'].sort());
  });

  test('stops when its time is up, and goes on when it is run again', async () => {
    await populate(redis);
    const before = await contentsOf(redis);
    const stop = new AbortController();
    const report = await flush({ target, plan, signal: stop.signal, onProgress: () => stop.abort() });
    expect(report.complete).toBe(false);
    expect(() => requireComplete(report)).toThrow(/^flush: stopped at its limit .* run it again to go on$/);
    expect(requireComplete(await flush({ target, plan })).complete).toBe(true);
    expect(await contentsOf(redis)).toEqual(without(before, DUE));
  });
});

describe('on a server of one’s own', () => {
  let url: string;
  let redis: RedisConnection;

  beforeAll(async () => {
    ({ url } = await ownRedis());
    redis = await lookInto(url, { binary: true });
  });

  beforeEach(async () => {
    await redis.send(['FLUSHALL']);
    await populate(redis);
  });

  test('a dry run counts the same, measures, and changes nothing', async () => {
    const before = await contentsOf(redis);
    const report = await flush({ target: { url }, plan, dryRun: true });
    expect(await contentsOf(redis)).toEqual(before);
    expect(report).toMatchObject({ scanned: ALL.length, flushed: DUE.length, preserved: PRESERVED.length });
    for (const { pattern, keys, survey } of report.classes) {
      const sizes = await Promise.all(
        ALL.filter((key) => plan.classes[classOf(key)]?.pattern === pattern).map((key) =>
          redis.send(['MEMORY', 'USAGE', key]),
        ),
      );
      expect([pattern, sizes.length]).toEqual([pattern, keys]);
      const bytes = sizes.reduce<number>((sum, each) => sum + Number(each), 0);
      expect(survey?.bytes ?? 0).toBeGreaterThan(bytes * 0.9);
      expect(survey?.bytes ?? 0).toBeLessThanOrEqual(bytes * 1.1);
      expect(survey?.samples.length).toBe(Math.min(10, keys));
      for (const key of survey?.samples ?? []) expect(plan.classes[classOf(key)]?.pattern).toBe(pattern);
      if (keys < 10) continue;
      expect(survey?.ttlSeconds.length).toBeGreaterThan(20);
      expect(survey?.lasting).toBeGreaterThan(20);
      for (const each of survey?.ttlSeconds ?? []) expect(each).toBeGreaterThan(3500);
    }
  });

  const classOf = (key: string) => plan.classify(Buffer.from(key), 0, Buffer.byteLength(key));

  test('tells its progress page by page, ending with the report', async () => {
    const told: FlushProgress[] = [];
    const report = await flush({ target: { url }, plan, onProgress: (each) => told.push({ ...each }) });
    expect(told.length).toBeGreaterThanOrEqual(3);
    for (const figure of ['scanned', 'flushed', 'preserved', 'seconds'] as const) {
      const figures = told.map((each) => each[figure]);
      expect(figures).toEqual([...figures].sort((one, other) => one - other));
      expect(figures.at(-1)).toBeLessThanOrEqual(report[figure]);
    }
  });

  test('looks a second time at each key before it deletes it', async () => {
    const doubtful = { ...plan, isDue: (key: string) => key !== 'v2:mocs:user:7:list' };
    await expect(flush({ target: { url }, plan: doubtful })).rejects.toThrow(
      /two readers of the patterns do not agree on a key/,
    );
    expect(await redis.send(['EXISTS', 'v2:mocs:user:7:list'])).toBe(1);
  });

  test('asks for nothing but one pass of SCAN, and UNLINK', async () => {
    await redis.send(['CONFIG', 'RESETSTAT']);
    await flush({ target: { url }, plan, maxLatencyMs: 0 });
    const stats = String(await redis.send(['INFO', 'commandstats']));
    const calls = Object.fromEntries(
      Array.from(stats.matchAll(/cmdstat_(\S+):calls=(\d+)/g), ([, name, count]) => [name, Number(count)]),
    );
    const { scan, unlink, info, 'config|resetstat': _reset, ...others } = calls;
    expect(scan).toBeLessThanOrEqual(Math.ceil(ALL.length / 1000) + 1);
    // One a page, and one for each pattern and namespace to see whether it may.
    expect(unlink).toBeLessThanOrEqual((scan ?? 0) + plan.flush.length * plan.namespaces.length);
    expect(info).toBeLessThan(10);
    expect(others).toEqual({ get: 1, 'client|setname': 1 });
  });

  describe('as a user', () => {
    const as = (name: string) => ({ url: url.replace('redis://', `redis://${name}:secret@`) });
    const addUser = (name: string, ...rules: string[]) =>
      redis.send(['ACL', 'SETUSER', name, 'on', '>secret', 'resetkeys', ...rules]);

    test.each([
      ['who may not delete', ['~*', '+@all', '-unlink']],
      ['who may not delete one of the families', ['~mocs:*', '~gallery:*', '~cutover:*', '+@all']],
      ['who may not scan', ['~*', '+@all', '-scan']],
    ])('%s, it is refused with the remedy, and nothing is deleted', async (_who, rules) => {
      await addUser('limited', 'reset', 'on', '>secret', ...rules);
      const before = await contentsOf(redis);
      await expect(flush({ target: as('limited'), plan })).rejects.toThrow(
        /^flush: Redis answers "NOPERM .*; give the user of REDIS_URL \+scan, \+unlink/,
      );
      expect(await contentsOf(redis)).toEqual(before);
    });

    test('whom Redis does not know', async () => {
      await expect(flush({ target: as('nobody'), plan })).rejects.toThrow(/WRONGPASS .*; correct the user/);
    });
  });

  test('under another NODE_ENV than the Redis is in use, it is refused, and nothing is deleted', async () => {
    await redis.send(['SET', CLAIM, 'production']);
    const before = await contentsOf(redis);
    await expect(flush({ target: { url }, plan })).rejects.toThrow(/NODE_ENV=test.*production/);
    expect(await contentsOf(redis)).toEqual(before);
  });

  test('a replica refuses before anything is deleted', async () => {
    const replica = await ownRedis({ args: ['--replicaof', '127.0.0.1', new URL(url).port] });
    await expect(flush({ target: { url: replica.url }, plan })).rejects.toThrow(
      /READONLY .*name the primary in REDIS_URL/,
    );
  });
});
