import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { withBreaker } from '../../../lambda/cache/breaker.ts';
import type { Phase } from '../../../lambda/contract/environment.ts';
import { PHASE_SWITCHES } from '../../../lambda/contract/environment.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { createAnalytics } from '../../../lambda/stores/analytics.ts';
import { createRedisUsers } from '../../../rehearsal/redis-users.ts';
import { connected, lookInto } from '../../support/redis.ts';
import { ownRedisCluster } from '../../support/redis-kinds.ts';
import { ownRedis } from '../../support/servers.ts';
import { stateIn } from '../../support/state-redis.ts';
import { frozen, refused } from '../../support/unreachable-redis.ts';

const PHASES = Object.keys(PHASE_SWITCHES) as Phase[];
const CLIENTS = 200;
const KEY = 'analytics:session:s1';
const CW_KEY = `cw:test:${KEY}`;

/** The edges of the migration, on each of which two phases run at once. */
const EDGES: readonly (readonly [from: Phase, to: Phase])[] = [
  ['legacy', 'dual'],
  ['dual', 'prefixed'],
  ['prefixed', 'dual'],
  ['dual', 'legacy'],
  ['legacy', 'isolated'],
  ['isolated', 'legacy'],
];

const analyticsOn = (redis: ReturnType<typeof stateIn>, now?: () => number) =>
  createAnalytics({ redis, types: ['joined', 'left'], ...(now && { now }) });
type Store = ReturnType<typeof analyticsOn>;

const countsOf = async (store: Store) => {
  const read = await store.read('s1');
  return read.kind === 'known' ? read.analytics.counts : read.kind;
};
const eventsOf = async (store: Store) => {
  const read = await store.read('s1');
  return read.kind === 'known' ? read.analytics.events : [];
};
const record = (store: Store, times = 1, type: 'joined' | 'left' = 'joined') =>
  Promise.all(Array.from({ length: times }, (_, index) => store.record('s1', { type, data: index })));

const KINDS: Record<string, () => Promise<{ admin: RedisConnection; send: RedisConnection['send'] }>> = {
  'one server, as the deployed user': async () => {
    const { url } = await ownRedis();
    const admin = await lookInto(url);
    const urls = await createRedisUsers({ send: admin.send, url }, { phase: 'dual', env: 'test' });
    return { admin, send: (await lookInto(urls.serverless)).send };
  },
  'a cluster of 3': async () => {
    const { url } = await ownRedisCluster({ primaries: 3 });
    const admin = await lookInto(url, { cluster: true });
    return { admin, send: admin.send };
  },
};

describe.each(Object.entries(KINDS))('on %s', (_kind, open) => {
  let admin: RedisConnection;
  let send: RedisConnection['send'];
  const storeIn = (phase: Phase, now?: () => number) => analyticsOn(stateIn({ send, phase }), now);

  beforeAll(async () => {
    ({ admin, send } = await open());
  });
  beforeEach(() => Promise.all([KEY, CW_KEY].map((key) => admin.send(['UNLINK', key]))));

  describe.each(PHASES)('in the phase %s', (phase) => {
    test('counts and remembers, and a session that nobody recorded has nothing', async () => {
      const store = storeIn(phase);
      expect(await store.read('s1')).toEqual({ kind: 'known', analytics: { counts: {}, events: [] } });
      expect(await store.record('s1', { type: 'joined', data: { user: 'ada' } })).toBe('recorded');
      expect(await store.record('s1', { type: 'left' })).toBe('recorded');
      expect(await countsOf(store)).toEqual({ joined: 1, left: 1 });
      expect(await eventsOf(store)).toEqual(
        expect.arrayContaining([
          { type: 'left', atMs: expect.any(Number) },
          { type: 'joined', atMs: expect.any(Number), data: { user: 'ada' } },
        ]),
      );
      expect(store.getMetrics()).toEqual({
        ...{ recorded: 2, dropped: 0, reads: 3, unavailable: 0, legacyFallbacks: 0 },
      });
    });

    test('writes where the phase keeps state, and nothing stays for ever', async () => {
      await record(storeIn(phase));
      const ttls = await Promise.all([KEY, CW_KEY].map((key) => admin.send(['PTTL', key])));
      const places = { legacy: [1, 0], isolated: [1, 0], dual: [1, 1], prefixed: [0, 1] }[phase];
      expect(ttls.map((ttl) => (Number(ttl) > 0 && Number(ttl) <= 86_400_000 ? 1 : 0))).toEqual(places);
      expect(ttls).not.toContain(-1);
    });

    test(`counts ${CLIENTS} clients at once, and keeps the 50 latest events, the latest first`, async () => {
      let clock = 1_800_000_000_000;
      const store = storeIn(phase, () => clock++);
      await record(store, CLIENTS);
      expect(await countsOf(store)).toEqual({ joined: CLIENTS });
      const events = await eventsOf(store);
      expect(events.map(({ atMs }) => atMs)).toEqual(
        Array.from({ length: 50 }, (_, index) => 1_800_000_000_000 + CLIENTS - 1 - index),
      );
      for (const key of [KEY, CW_KEY]) {
        expect(((await admin.send(['HKEYS', key])) as string[]).length).toBeLessThanOrEqual(50 + 2);
      }
    });
  });

  test.each(EDGES)('between %s and %s no event is lost or counted twice', async (from, to) => {
    const [before, after] = [storeIn(from), storeIn(to)];
    await record(before, 10);
    const sides = [before, after] as const;
    await Promise.all(
      Array.from({ length: CLIENTS }, (_, client) =>
        sides[client % 2 === 0 ? 0 : 1].record('s1', { type: client % 4 < 2 ? 'joined' : 'left' }),
      ),
    );
    const counts = { joined: 10 + CLIENTS / 2, left: CLIENTS / 2 };
    expect(await countsOf(after)).toEqual(counts);
    expect(await countsOf(before)).toEqual(counts);
    expect(await eventsOf(after)).toHaveLength(50);
  });

  test('counts that both sides have raised alone add up', async () => {
    // Not what a migration does, and yet: legacy and prefixed at once, and dual between them.
    const sides = [storeIn('legacy'), storeIn('dual'), storeIn('prefixed')] as const;
    await Promise.all(Array.from({ length: 210 }, (_, client) => record(sides[client % 3] as Store)));
    expect(await countsOf(sides[1])).toEqual({ joined: 210 });
  });

  test('in dual a home that is not there is given what the other has, before anything is added', async () => {
    await record(storeIn('legacy'), 5);
    await record(storeIn('dual'));
    expect(await countsOf(storeIn('prefixed'))).toEqual({ joined: 6 });
    await admin.send(['UNLINK', KEY]);
    await record(storeIn('dual'));
    expect(await countsOf(storeIn('legacy'))).toEqual({ joined: 7 });
    await admin.send(['UNLINK', CW_KEY]);
    await record(storeIn('dual'));
    expect(await countsOf(storeIn('prefixed'))).toEqual({ joined: 8 });
    expect(await eventsOf(storeIn('prefixed'))).toHaveLength(8);
  });

  test('a read in dual counts what only the un-prefixed key had, and spares the next one that', async () => {
    const dual = storeIn('dual');
    await record(dual);
    expect(await countsOf(dual)).toEqual({ joined: 1 });
    expect(dual.getMetrics().legacyFallbacks).toBe(0);
    await record(storeIn('legacy'), 3);
    expect(await countsOf(dual)).toEqual({ joined: 4 });
    expect(await countsOf(dual)).toEqual({ joined: 4 });
    expect(dual.getMetrics().legacyFallbacks).toBe(1);
    expect(await countsOf(storeIn('prefixed'))).toEqual({ joined: 4 });
  });

  test('one counter in both homes, of which the larger is taken, loses what both sides add', async () => {
    const raise = (keys: readonly string[]) =>
      Promise.all(keys.map((key) => admin.send(['HINCRBY', key, 'joined', '1'])));
    const larger = async () =>
      Math.max(
        ...(await Promise.all(
          [KEY, CW_KEY].map(async (key) => Number((await admin.send(['HGET', key, 'joined'])) ?? 0)),
        )),
      );
    for (const keys of [[KEY, CW_KEY], [KEY], [KEY], [CW_KEY], [CW_KEY]]) await raise(keys);
    expect(await larger()).toBe(3);
    await Promise.all([KEY, CW_KEY].map((key) => admin.send(['UNLINK', key])));
    for (const phase of ['dual', 'legacy', 'legacy', 'prefixed', 'prefixed'] as const) {
      await record(storeIn(phase));
    }
    expect(await countsOf(storeIn('dual'))).toEqual({ joined: 5 });
  });

  test.each<[string, string[]]>([
    ['a list', ['RPUSH', 'x']],
    ['a text', ['SET', '{}']],
  ])(
    '%s under a key costs the event and the answer, and stays',
    async (_what, [command = '', value = '']) => {
      await admin.send([command, KEY, value]);
      const before = await admin.send(['DUMP', KEY]);
      const told: string[] = [];
      const redis = stateIn({ send, onTrouble: (error, family) => told.push(family, String(error)) });
      const store = analyticsOn(redis);
      expect(await record(store)).toEqual(['dropped']);
      expect(await store.read('s1')).toEqual({ kind: 'unavailable' });
      expect(store.getMetrics()).toMatchObject({ recorded: 0, dropped: 1, unavailable: 1 });
      expect(redis.counts.foreign).toBe(2);
      expect(await admin.send(['DUMP', KEY])).toEqual(before);
      expect([told.includes('analytics'), told.join().includes('s1')]).toEqual([true, false]);
    },
  );

  test('fields that are not ours are left out, and stay', async () => {
    await admin.send([
      'HSET',
      KEY,
      'joined',
      '7',
      'count:legacy:joined',
      'many',
      'event:x',
      'no JSON',
      '',
      '',
    ]);
    const store = storeIn('legacy');
    expect(await countsOf(store)).toEqual({ joined: 0 });
    expect(await eventsOf(store)).toEqual([]);
    await record(store);
    expect(await countsOf(store)).toEqual({ joined: 1 });
    expect(await admin.send(['HGET', KEY, 'joined'])).toBe('7');
  });

  test.each([
    ['an event that is too large', 's1', { type: 'joined', data: 'x'.repeat(1024) }, 'the event has 1'],
    ['an event of no such type', 's1', { type: 'flew' }, 'type "flew" is none of joined, left'],
    ['what is no id', 'a:b', { type: 'joined' }, 'sessionId "a:b" has a ":"'],
    ['no id', '', { type: 'joined' }, 'sessionId "" is empty'],
  ])('%s is refused with 400, and nothing is stored', async (_what, id, event, message) => {
    const recorded = storeIn('dual').record(id, event as { type: 'joined' });
    await expect(recorded).rejects.toMatchObject({ status: 400, message: expect.stringContaining(message) });
    expect(await countsOf(storeIn('dual'))).toEqual({});
  });

  test('the largest event is kept, whatever its letters', async () => {
    const data = 'ü'.repeat(480);
    expect(await storeIn('dual').record('s1', { type: 'joined', data })).toBe('recorded');
    expect(await eventsOf(storeIn('prefixed'))).toMatchObject([{ data }]);
  });
});

const AWAY = {
  'refuses each connection': async () => (await refused()).url,
  'is frozen': async () => (await frozen()).url,
  'has been killed': async () => {
    const { url, kill } = await ownRedis();
    await kill('SIGKILL');
    return url;
  },
};

test.each(Object.entries(AWAY))(
  'where Redis %s events are dropped and reads unavailable',
  async (_how, open) => {
    const connection = connected({ url: await open(), name: 'test' });
    const store = analyticsOn(stateIn({ send: withBreaker(connection.send), phase: 'dual' }));
    expect(new Set(await record(store, CLIENTS))).toEqual(new Set(['dropped']));
    expect(await store.read('s1')).toEqual({ kind: 'unavailable' });
    expect(store.getMetrics()).toEqual({
      ...{ recorded: 0, dropped: CLIENTS, reads: 1, unavailable: 1, legacyFallbacks: 0 },
    });
  },
);
