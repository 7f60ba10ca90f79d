import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { slotOf } from '../../../lambda/redis/slot.ts';
import { createRateLimit, limitKey, type RateLimit } from '../../../lambda/stores/rate-limits.ts';
import { createRedisUsers } from '../../../rehearsal/redis-users.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedisCluster } from '../../support/redis-kinds.ts';
import { ownRedis } from '../../support/servers.ts';
import { stateIn } from '../../support/state-redis.ts';

const CLIENTS = 200;
const POINTS = 50;
const LOGIN = { name: 'login', points: POINTS, windowSeconds: 3600, whenAway: 'deny' } as const;
const [LEGACY, PREFIXED] = ['rl:login:{7}', 'cw:test:rl:login:{7}'];
const PLACES = [LEGACY, PREFIXED] as const;

interface Opened {
  /** May do everything. */
  readonly admin: RedisConnection;
  /** Of the user who is deployed. */
  readonly send: Send;
}

const KINDS: Record<string, () => Promise<Opened>> = {
  'one server, as the deployed user': async () => {
    const { url } = await ownRedis();
    const admin = await lookInto(url);
    const urls = await createRedisUsers({ send: admin.send, url }, { phase: 'legacy', env: 'test' });
    return { admin, send: (await lookInto(urls.serverless)).send };
  },
  'a cluster of 3': async () => {
    const { url } = await ownRedisCluster({ primaries: 3 });
    const admin = await lookInto(url, { cluster: true });
    return { admin, send: admin.send };
  },
};

/** As many clients at once; which limit each is given `choose` says. @returns how many were let in. */
async function burst(
  choose: (client: number) => Pick<RateLimit, 'consume'>,
  clients = CLIENTS,
): Promise<number> {
  const all = await Promise.all(Array.from({ length: clients }, (_, client) => choose(client).consume('7')));
  return all.filter(({ allowed }) => allowed).length;
}

describe.each(Object.entries(KINDS))('on %s', (_kind, open) => {
  let admin: RedisConnection;
  let send: Send;
  const limitIn = (limitsPrefixed: boolean) => createRateLimit(stateIn({ send, limitsPrefixed }), LOGIN);
  const valuesOf = () => Promise.all(PLACES.map((place) => admin.send(['GET', place])));
  const countedIn = async () => (await valuesOf()).reduce((sum: number, each) => sum + Number(each ?? 0), 0);

  beforeAll(async () => {
    ({ admin, send } = await open());
  });
  afterEach(async () => {
    await Promise.all(PLACES.map((place) => admin.send(['UNLINK', place])));
  });

  test.each([false, true])('lets in exactly the quota, where the switch is %s', async (limitsPrefixed) => {
    const limit = limitIn(limitsPrefixed);
    expect(await burst(() => limit)).toBe(POINTS);
    const stored = [String(POINTS), null];
    expect(await valuesOf()).toEqual(limitsPrefixed ? stored.reverse() : stored);
    expect(limit.counts).toEqual({ allowed: POINTS, denied: CLIENTS - POINTS, away: 0 });
  });

  test('processes on both sides of the switch share one quota', async () => {
    const sides = [limitIn(false), limitIn(true)] as const;
    expect(await burst((client) => sides[client % 2 === 0 ? 0 : 1])).toBe(POINTS);
    const [legacy, prefixed] = await valuesOf();
    expect(Number(legacy)).toBeGreaterThan(0);
    expect(Number(prefixed)).toBeGreaterThan(0);
  });

  test('a switch that is flipped forth and back neither resets nor doubles the quota', async () => {
    const sides = [limitIn(false), limitIn(true)] as const;
    let flips = 0;
    const flipping = { consume: (subject: string) => sides[flips++ % 14 < 7 ? 0 : 1].consume(subject) };
    expect(await burst(() => flipping, POINTS - 10)).toBe(POINTS - 10);
    expect(await burst(() => sides[1], 4)).toBe(4);
    expect(await burst(() => sides[0], 4)).toBe(4);
    expect(await burst(() => flipping)).toBe(2);
    expect(await burst(() => sides[1])).toBe(0);
    expect(await burst(() => sides[0])).toBe(0);
  });

  test('what is refused is not counted', async () => {
    const sides = [limitIn(false), limitIn(true)] as const;
    for (let round = 0; round < 3; round += 1) await burst((client) => sides[client % 2 === 0 ? 0 : 1]);
    expect(await countedIn()).toBe(POINTS);
  });

  test('both homes have one window: a new one ends when the other does', async () => {
    await limitIn(false).consume('7');
    await admin.send(['PEXPIRE', LEGACY, '10000']);
    const consumed = await limitIn(true).consume('7');
    const [one, other] = await Promise.all(PLACES.map((place) => admin.send(['PEXPIRETIME', place])));
    expect(other).toBe(one);
    expect(consumed).toMatchObject({ allowed: true, remaining: POINTS - 2, countedBy: 'redis' });
    expect(consumed.resetMs).toBeLessThanOrEqual(10_000);
  });

  test('windows that differ, as another service leaves them, count until each has ended', async () => {
    await admin.send(['SET', LEGACY, '30', 'PX', '10000']);
    await admin.send(['SET', PREFIXED, '15', 'PX', '60000']);
    const limit = limitIn(true);
    expect(await burst(() => limit)).toBe(5);
    expect((await limit.consume('7')).resetMs).toBeGreaterThan(10_000);
    await admin.send(['UNLINK', LEGACY]);
    expect(await burst(() => limit)).toBe(30);
  });

  test('a count that would never end is given an end', async () => {
    await admin.send(['SET', LEGACY, '50']);
    expect(await limitIn(true).consume('7')).toMatchObject({ allowed: false, resetMs: 3_600_000 });
    expect(await admin.send(['PTTL', LEGACY])).toBeGreaterThan(3_500_000);
  });

  test('one that looks at its own home only lets in twice the quota', async () => {
    const ownOnly = (prefix: string) => {
      let lua = '';
      const storeClient = {
        defineCommand: (_name: string, { lua: given }: { lua: string }) => {
          lua = given;
        },
        rlflxIncr: ([key, cost, seconds]: string[]) =>
          admin.send(['EVAL', lua, '1', prefix + key, String(cost), String(seconds)]),
      };
      const limiter = new RateLimiterRedis({ storeClient, points: POINTS, duration: 3600, keyPrefix: '' });
      const consume = () =>
        limiter.consume(LEGACY).then(
          () => true,
          () => false,
        );
      return {
        consume: async () => ({
          allowed: await consume(),
          remaining: 0,
          resetMs: 0,
          countedBy: 'redis' as const,
        }),
      };
    };
    const sides = [ownOnly(''), ownOnly('cw:test:')] as const;
    expect(await burst((client) => sides[client % 2 === 0 ? 0 : 1])).toBe(2 * POINTS);
    // And what it refuses grows without end.
    expect(await countedIn()).toBe(CLIENTS);
  });

  describe.each<[string, readonly string[]]>([
    ['a list', ['RPUSH', 'x']],
    ['a text', ['SET', 'many']],
    ['a number with a fraction', ['SET', '1.5']],
    ['a number below 0', ['SET', '-5']],
  ])('with %s under a key', (_what, [command = '', value = '']) => {
    test.each(PLACES)('%s: it is as if Redis were away, and stays', async (place) => {
      await admin.send([command, place, value]);
      const before = await admin.send(['DUMP', place]);
      const told: string[] = [];
      const redis = stateIn({ send, onTrouble: (error, family) => told.push(family, String(error)) });
      const deny = createRateLimit(redis, LOGIN);
      expect(await deny.consume('7')).toMatchObject({ allowed: false, countedBy: 'nobody' });
      const openly = createRateLimit(redis, { ...LOGIN, whenAway: 'open' });
      expect(await openly.consume('7')).toMatchObject({ allowed: true, countedBy: 'process' });
      expect(redis.counts).toEqual({ foreign: 2, unavailable: 0 });
      expect(await admin.send(['DUMP', place])).toEqual(before);
      expect(told).toContain('rl');
      expect(told.join()).not.toContain('{7}');
    });
  });
});

describe('the key', () => {
  const SUBJECTS = [
    ...[
      '7',
      '10.0.0.1',
      '2001:db8::/64',
      'a@example.com',
      '{x}',
      '}',
      '}{',
      '{}',
      'a:b',
      'a%3Ab',
      ' ',
      '*',
      '\n',
      'ü',
    ],
    ...['+', '\ud800', 'x'.repeat(128), 'x'.repeat(129), 'ü'.repeat(128)],
  ];

  test('is another one for each subject, and one that a keyspace takes', () => {
    const keys = SUBJECTS.map((subject) => limitKey('login', subject));
    expect(new Set(keys).size).toBe(keys.length);
    const redis = stateIn({ send: async () => 'OK' });
    for (const key of keys) expect(redis.locate(key).write).toEqual([key]);
  });

  test('has both homes in one slot of a cluster', () => {
    const redis = stateIn({ send: async () => 'OK' });
    for (const subject of SUBJECTS) {
      const { everywhere } = redis.locate(limitKey('login', subject));
      expect(everywhere).toHaveLength(2);
      expect(new Set(everywhere.map(slotOf)).size).toBe(1);
    }
  });

  test('needs a subject', () => {
    expect(() => limitKey('login', '')).toThrow('the subject of login is empty');
  });
});

test.each([
  [{ points: 0 }, 'points of login is 0; it must be a whole number above 0'],
  [{ points: 1.5 }, 'points of login is 1.5'],
  [{ windowSeconds: Number.NaN }, 'windowSeconds of login is NaN'],
  [{ windowSeconds: 15 * 24 * 3600 }, 'it must be at most 1209600'],
  [{ name: 'a:b' }, 'name is "a:b"; it must be such as access-codes'],
])('a limit with %j is refused', (wrong, message) => {
  const redis = stateIn({ send: async () => 'OK' });
  expect(() => createRateLimit(redis, { ...LOGIN, ...wrong })).toThrow(message);
});
