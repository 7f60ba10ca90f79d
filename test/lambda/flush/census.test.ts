import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { FAMILIES } from '../../../lambda/contract/families.ts';
import { type CensusReport, census, requireWhole } from '../../../lambda/flush/census/census.ts';
import type { Target } from '../../../lambda/flush/pass/servers.ts';
import type { Command, RedisConnection } from '../../../lambda/redis/connection.ts';
import {
  ALL,
  ask,
  type Found,
  NAMESPACES,
  NEW_KEYS_USES,
  OF_FAMILIES,
  OTHERS,
  UNREAD,
} from '../../support/census-keys.ts';
import { contentsOf } from '../../support/contents.ts';
import { cuttingRedis } from '../../support/cutting-redis.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedisCluster } from '../../support/redis-kinds.ts';
import { ownRedis } from '../../support/servers.ts';

const HOUR_MS = 3_600_000;

const figures = ({ keys, bytes, lasting }: Found): Found => ({ keys, bytes, lasting });
const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);

const KINDS: Record<string, () => Promise<Target>> = {
  'one server': async () => {
    // With this policy Redis counts how often a key is used.
    const args = ['--enable-debug-command', 'local', '--maxmemory-policy', 'allkeys-lfu'];
    return { url: (await ownRedis({ args })).url };
  },
  'a cluster of 3': async () => ({ url: (await ownRedisCluster({ primaries: 3 })).url, cluster: true }),
};

describe.each(Object.entries(KINDS))('on %s', (kind, open) => {
  let target: Target;
  let redis: RedisConnection;
  let report: CensusReport;
  let found: Awaited<ReturnType<typeof ask>>;
  let before: Awaited<ReturnType<typeof state>>;

  const everywhere = async (command: Command) =>
    (await Promise.all(redis.primaries().map(({ send }) => send(command)))).map(String);
  const state = async () => {
    const contents = await contentsOf(redis);
    if (kind !== 'one server') return { contents };
    return { contents, digest: await everywhere(['DEBUG', 'DIGEST']) };
  };
  /** How often Redis takes a key to have been used. */
  const uses = () => redis.send(['OBJECT', 'FREQ', UNREAD]);

  beforeAll(async () => {
    target = await open();
    redis = await lookInto(target.url, { cluster: target.cluster ?? false, binary: true });
    await Promise.all(ALL.map(({ key, write }) => redis.send(write(key))));
    // Half of the keys of a family end, each at a time of its own.
    const ending = OF_FAMILIES.filter((_, index) => index % 2 === 0);
    await Promise.all(
      ending.map(({ key }, index) => redis.send(['PEXPIRE', key, String(HOUR_MS * (1 + index))])),
    );
    found = await ask(redis);
    before = await state();
    // The test's own look at it is forgotten so.
    await redis.send(['UNLINK', UNREAD]);
    await redis.send(['SET', UNREAD, 'x'.repeat(5)]);
    await everywhere(['CONFIG', 'RESETSTAT']);
    report = await census({ target, env: 'test' });
  });

  test('counts and sums by family and namespace, exactly as Redis says', () => {
    expect(report).toMatchObject({ complete: true, restarts: 0, vanished: 0 });
    const expected = Object.fromEntries(
      NAMESPACES.flatMap((namespace) =>
        [...FAMILIES, { name: 'cutover', kind: 'own' }].map(({ name, kind: of }) => {
          const own = found.get(namespace + name);
          return [`${namespace}|${name}`, { ...(own && figures(own)), kind: of }];
        }),
      ),
    );
    const classified = report.classes.filter(({ kind: each }) => each !== 'unclassified');
    const actual = classified.map(({ namespace, family, kind: of, ...each }) => [
      `${namespace}|${family}`,
      { ...figures(each), kind: of },
    ]);
    expect(Object.fromEntries(actual)).toEqual(expected);
    expect(actual).toHaveLength(NAMESPACES.length * (FAMILIES.length + 1));
  });

  test('groups what no family names, with samples', () => {
    const { groups, keys, bytes, otherKeys } = report.unclassified;
    const expected = new Map(
      [...new Set(OTHERS.map(({ of }) => of))].map((of) => {
        const own = found.get(of);
        return [of, { keys: own?.keys, bytes: own?.bytes }];
      }),
    );
    expect(groups).toHaveLength(10);
    for (const each of groups) {
      expect({ keys: each.keys, bytes: each.bytes }).toEqual(expected.get(each.beginning));
      for (const sample of each.samples) expect(sample.startsWith(each.beginning)).toBe(true);
    }
    expect(groups[0]).toMatchObject({ beginning: 'large:', keys: 12 });
    expect(groups[1]).toMatchObject({ beginning: 'jobs:', keys: 4 });
    expect(keys).toBe(OTHERS.length);
    expect(bytes).toBe(sum(Array.from(expected.values(), (each) => each.bytes ?? 0)));
    expect(otherKeys).toBe(OTHERS.length - sum(groups.map((each) => each.keys)));
  });

  test('names the ten largest keys, the largest first', () => {
    const all = Array.from(found.values(), ({ largest }) => largest).flat();
    const expected = all.sort(([, one], [, other]) => other - one).slice(0, 10);
    expect(report.largest.map(({ key, bytes }) => [key, bytes])).toEqual(expected);
  });

  test('adds up by namespace, cached keys apart', () => {
    const isIn = (namespace: string, of: string) =>
      NAMESPACES.findLast((each) => of.startsWith(each)) === namespace;
    const cached = new Set(FAMILIES.filter((family) => family.kind === 'cache').map(({ name }) => name));
    expect(report.namespaces).toEqual(
      NAMESPACES.map((namespace) => {
        const own = [...found].filter(([of]) => isIn(namespace, of));
        const ofCache = own.filter(([of]) => cached.has(of.slice(namespace.length)));
        return {
          namespace,
          keys: sum(own.map(([, each]) => each.keys)),
          bytes: sum(own.map(([, each]) => each.bytes)),
          cacheKeys: sum(ofCache.map(([, each]) => each.keys)),
          cacheBytes: sum(ofCache.map(([, each]) => each.bytes)),
        };
      }),
    );
    expect(report.keys).toBe(ALL.length);
    expect(report.bytes).toBe(sum(Array.from(found.values(), ({ bytes }) => bytes)));
  });

  test('tells when keys expire', () => {
    const [mocs] = report.classes;
    // Its first and third key, each an hour after the one before.
    expect(mocs).toMatchObject({ family: 'mocs', keys: 3, lasting: 1 });
    const { shortest = 0, median = 0, longest = 0 } = mocs?.ttlSeconds ?? {};
    expect(Math.abs(shortest - 3600)).toBeLessThan(30);
    expect(Math.abs(longest - 7200)).toBeLessThan(30);
    expect(Math.abs(median - 3600)).toBeLessThan(3600 * 0.025 + 30);
  });

  test('changes nothing, and asks for nothing else than it says', async () => {
    const stats = (await everywhere(['INFO', 'commandstats'])).join('\n');
    const asked = new Set(Array.from(stats.matchAll(/^cmdstat_([^:]+):/gm), ([, name]) => name));
    const own = ['scan', 'memory|usage', 'pttl', 'info', 'client|setname', 'config|resetstat'];
    const clustered = kind === 'one server' ? [] : ['cluster|nodes', 'cluster|slots'];
    expect([...asked].filter((name) => ![...own, ...clustered].includes(name ?? ''))).toEqual([]);
    if (kind === 'one server') expect(await uses()).toBe(NEW_KEYS_USES);
    expect(await state()).toEqual(before);
  });
});

describe('on a server', () => {
  let server: Awaited<ReturnType<typeof ownRedis>>;
  let redis: RedisConnection;

  beforeAll(async () => {
    server = await ownRedis({ args: ['--enable-debug-command', 'local'] });
    redis = await lookInto(server.url);
  });
  beforeEach(() => redis.send(['FLUSHALL']));

  test('that is empty: nothing, in every namespace', async () => {
    const nothing = { keys: 0, bytes: 0, cacheKeys: 0, cacheBytes: 0 };
    expect(await census({ target: { url: server.url }, env: 'test' })).toEqual({
      ...{ keys: 0, bytes: 0, vanished: 0, scanned: 0, expected: 0, restarts: 0, complete: true },
      ...{ classes: [], largest: [], unclassified: { keys: 0, bytes: 0, groups: [], otherKeys: 0 } },
      namespaces: NAMESPACES.map((namespace) => ({ namespace, ...nothing })),
      seconds: expect.any(Number),
    });
  });

  test('with more than the limit allows: a part, and says so', async () => {
    await redis.send(['DEBUG', 'POPULATE', '5000', 'mocs:user', '10']);
    const report = await census({ target: { url: server.url }, env: 'test', limitSeconds: 0 });
    expect(report.complete).toBe(false);
    expect(report.keys).toBeGreaterThan(0);
    expect(report.keys).toBeLessThan(5000);
    expect(report.scanned).toBe(report.keys);
    expect(() => requireWhole(report)).toThrow(
      new RegExp(`^census: stopped at its limit after .* s: ${report.keys} of 5000 keys seen`),
    );
  });

  test('that is restarted in the middle: counts what is there then, and nothing twice', async () => {
    await redis.send(['DEBUG', 'POPULATE', '5000', 'mocs:user', '10']);
    const onCut = async () => {
      await server.restart();
      redis = await lookInto(server.url);
      await redis.send(['DEBUG', 'POPULATE', '4000', 'mocs:user', '10']);
    };
    const door = await cuttingRedis({ to: server, afterBytes: [60_000], onCut });
    const report = await census({ target: { url: door.url }, env: 'test', maxLatencyMs: 0 });
    expect(door.cuts).toBe(1);
    expect(report).toMatchObject({ restarts: 1, complete: true, keys: 4000, scanned: 4000, expected: 4000 });
  });

  test('that refuses: says what the user has to be allowed', async () => {
    await redis.send(['SET', 'mocs:1', '1']);
    const rules = ['~*', '-@all', '+scan', '+info'];
    await redis.send(['ACL', 'SETUSER', 'counter', 'on', '>secret', ...rules]);
    const target = { url: server.url.replace('//', '//counter:secret@') };
    await expect(census({ target, env: 'test' })).rejects.toMatchObject({
      name: 'FlushRefusedError',
      message: expect.stringMatching(/^census: .*NOPERM .*\+scan, \+memory\|usage, \+pttl and \+info/),
    });
    await redis.send(['ACL', 'SETUSER', 'counter', '+memory|usage', '+pttl']);
    expect(await census({ target, env: 'test' })).toMatchObject({ keys: 1, complete: true });
  });
});
