import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createCache } from '../../../lambda/cache/cache.ts';
import { claimEnvironment } from '../../../lambda/cache/claim.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import { asRecorded } from '../../../lambda/cache/seen.ts';
import { connectRedis, type RedisConnection } from '../../../lambda/redis/connection.ts';
import { createNaiveCache } from '../../../rehearsal/naive/cache.ts';
import { gate } from '../../support/gate.ts';
import { ownRedis } from '../../support/servers.ts';
import { KEY, keyspaceOf, until } from './contract.ts';

const PHASES: readonly Phase[] = ['legacy', 'isolated', 'dual', 'prefixed'];

let redis: RedisConnection;

/** A TTL less up to a tenth, and what the test took. */
const expectTtl = (pttl: unknown, seconds: number) => {
  expect(Number(pttl)).toBeLessThanOrEqual(seconds * 1000);
  expect(Number(pttl)).toBeGreaterThan(seconds * 850);
};

beforeAll(async () => {
  const { url } = await ownRedis();
  redis = connectRedis({ url, name: 'test' });
  await redis.ready(5000);
});
beforeEach(async () => void (await redis.send(['FLUSHALL'])));
afterAll(() => redis.close());

describe('the commands of a read and a write', () => {
  const spied = () => {
    const send = jest.fn(redis.send);
    return { send, names: () => send.mock.calls.map(([[name]]) => name) };
  };

  test('a hit is one plain GET; a miss is GET, SET NX GET, EVALSHA', async () => {
    const { send, names } = spied();
    const cache = createCache({ keyspace: keyspaceOf('isolated'), store: redisStore(send) });
    await redis.send(['SCRIPT', 'FLUSH']);
    await cache.resolve(KEY, async () => 'value');
    await cache.resolve(KEY, async () => 'value');
    await cache.resolve(`${KEY}:other`, async () => 'value');
    const told = ['EVALSHA', 'EVAL'];
    expect(names()).toEqual(['GET', 'SET', ...told, 'GET', 'GET', 'SET', 'EVALSHA']);
    expect(await redis.send(['GET', `v2:${KEY}:other`])).toBe('"value"');
  });

  test('an invalidation is one UNLINK a key, sources first, and behind them a mark for the dispatcher', async () => {
    const { send } = spied();
    const cache = createCache({ keyspace: keyspaceOf('isolated'), store: redisStore(send) });
    await cache.invalidate(KEY);
    expect(send.mock.calls.map(([command]) => command)).toEqual([
      ...[`cutover:lease:{${KEY}}:${KEY}`, KEY, `v2:${KEY}`, `cw:test:${KEY}`].map((key) => ['UNLINK', key]),
      ['SET', `cutover:seen:{${KEY}}:${KEY}`, '1', 'PX', '180000'],
    ]);
  });

  test('a mark that is refused, or not answered, is waited for by nobody', async () => {
    const { send } = spied();
    send.mockImplementation((command) =>
      command[0] === 'SET' ? new Promise(() => {}) : redis.send(command),
    );
    const cache = createCache({ keyspace: keyspaceOf('isolated'), store: redisStore(send) });
    expect(await cache.invalidate(KEY)).toBe('done');
    send.mockImplementation((command) =>
      command[0] === 'SET' ? Promise.reject(new Error('NOPERM')) : redis.send(command),
    );
    expect(await cache.invalidate(KEY)).toBe('done');
  });

  test('an invalidation that the outbox tells of leaves no mark, nor does one of what no table has', async () => {
    const { send, names } = spied();
    const cache = createCache({ keyspace: keyspaceOf('isolated'), store: redisStore(send) });
    await asRecorded(() => cache.invalidate(KEY));
    await cache.invalidate('query_cache:1');
    expect(names()).toEqual(Array.from({ length: 8 }, () => 'UNLINK'));
  });

  test('a failed UNLINK starts the whole pass again', async () => {
    const { send, names } = spied();
    send.mockImplementationOnce(redis.send).mockRejectedValueOnce(new Error('connection lost'));
    const cache = createCache({ keyspace: keyspaceOf('isolated'), store: redisStore(send) });
    expect(await cache.invalidate(KEY)).toBe('done');
    expect(names().filter((name) => name === 'UNLINK')).toHaveLength(8);
  });

  test('one that cannot be confirmed is pending', async () => {
    const cache = createCache({
      keyspace: keyspaceOf('isolated'),
      store: redisStore(() => Promise.reject(new Error('away'))),
    });
    expect(await cache.invalidate(KEY)).toBe('pending');
    expect(await cache.resolve(KEY, async () => 'value')).toEqual({ value: 'value', outcome: 'bypass' });
  });
});

describe('what a phase stores', () => {
  test('legacy fills the plain bytes under K, with the TTL, and leaves no lease', async () => {
    const cache = createCache({ keyspace: keyspaceOf('legacy'), store: redisStore(redis.send) });
    await cache.resolve(KEY, async () => ({ items: [] }), { ttlSeconds: 77 });
    expect(await redis.send(['KEYS', '*'])).toEqual([KEY]);
    expect(await redis.send(['GET', KEY])).toBe('{"items":[]}');
    expectTtl(await redis.send(['PTTL', KEY]), 77);
  });

  test('isolated fills v2: and neither reads nor writes K', async () => {
    await redis.send(['SET', KEY, '"of the legacy backend"']);
    const cache = createCache({ keyspace: keyspaceOf('isolated'), store: redisStore(redis.send) });
    expect((await cache.resolve(KEY, async () => 'own')).value).toBe('own');
    expect(await redis.send(['GET', KEY])).toBe('"of the legacy backend"');
    expect(await redis.send(['GET', `v2:${KEY}`])).toBe('"own"');
    expectTtl(await redis.send(['PTTL', `v2:${KEY}`]), 300);
  });

  test.each(PHASES)('%s replaces bytes that do not decode, and a wrong type', async (phase) => {
    const { home } = keyspaceOf(phase).locate(KEY);
    const cache = createCache({ keyspace: keyspaceOf(phase), store: redisStore(redis.send) });
    await redis.send(['SET', home, 'no json']);
    expect(await cache.resolve(KEY, async () => 'first')).toEqual({ value: 'first', outcome: 'miss' });
    expect((await cache.resolve(KEY, async () => 'other')).value).toBe('first');
    await redis.send(['DEL', home, KEY]);
    await redis.send(['LPUSH', home, 'a list']);
    expect(await cache.resolve(KEY, async () => 'second')).toEqual({ value: 'second', outcome: 'miss' });
    expect((await cache.resolve(KEY, async () => 'other')).value).toBe('second');
  });
});

describe('phase dual', () => {
  const open = (send = redis.send) => createCache({ keyspace: keyspaceOf('dual'), store: redisStore(send) });
  const N = `cw:test:${KEY}`;
  const [C = ''] = keyspaceOf('dual').locate(KEY).invalidation;
  const standing = async () => ((await redis.send(['KEYS', '*'])) as string[]).sort();

  test('fills both, with the same bytes, and leaves no lease', async () => {
    await open().resolve(KEY, async () => ({ items: [] }));
    expect(await standing()).toEqual([N, KEY].sort());
    expect(await redis.send(['MGET', N, KEY])).toEqual(['{"items":[]}', '{"items":[]}']);
    expectTtl(await redis.send(['PTTL', KEY]), 300);
  });

  test('takes over what the legacy backend cached, byte for byte and for no longer, and counts it', async () => {
    await redis.send(['SET', KEY, '{ "version" : 7 }', 'EX', '40']);
    const cache = open();
    const load = jest.fn(async () => ({ version: 8 }));
    expect(await cache.resolve(KEY, load)).toEqual({ value: { version: 7 }, outcome: 'hit' });
    expect(load).not.toHaveBeenCalled();
    expect(await redis.send(['GET', N])).toBe('{ "version" : 7 }');
    expect(Number(await redis.send(['TTL', N]))).toBeLessThanOrEqual(40);
    expect(await standing()).toEqual([N, KEY].sort());
    await cache.resolve(KEY, load);
    expect(cache.getCacheMetrics()).toMatchObject({ hits: 2, misses: 0, legacyFallbacks: 1 });
  });

  test.each(['no json', '\u0000lease:of somebody'])(
    'does not take over %j, and replaces it',
    async (bytes) => {
      await redis.send(['SET', KEY, bytes]);
      expect(await open().resolve(KEY, async () => 'loaded')).toEqual({ value: 'loaded', outcome: 'miss' });
      expect(await redis.send(['MGET', N, KEY])).toEqual(['"loaded"', '"loaded"']);
    },
  );

  test('does not fill the legacy key while another filler holds the lease beside it', async () => {
    await redis.send(['SET', C, '\u0000lease:of the mirror', 'PX', '5000']);
    await open().resolve(KEY, async () => 'loaded');
    expect(await redis.send(['MGET', N, KEY])).toEqual(['"loaded"', null]);
    expect(await redis.send(['EXISTS', C])).toBe(1);
  });

  test('keeps "nothing" to itself: it is no value that the legacy backend writes', async () => {
    await open().resolve(KEY, async () => null, { negativeTtlSeconds: 20 });
    expect(await redis.send(['MGET', N, KEY, C])).toEqual(['null', null, null]);
    expectTtl(await redis.send(['PTTL', N]), 20);
  });

  test('a failed load leaves no lease', async () => {
    await expect(open().resolve(KEY, () => Promise.reject(new Error('database')))).rejects.toThrow(
      'database',
    );
    expect(await standing()).toEqual([]);
  });

  test('an invalidation between taking over and filling keeps the old value out of both', async () => {
    await redis.send(['SET', KEY, '"old"', 'EX', '40']);
    let invalidated = false;
    const send: typeof redis.send = async (command) => {
      if (command[0] === 'EVALSHA' && !invalidated) {
        invalidated = true;
        await open().invalidate(KEY);
      }
      return redis.send(command);
    };
    const cache = open(send);
    expect((await cache.resolve(KEY, async () => 'new')).value).toBe('old');
    expect(cache.getCacheMetrics().fencedFills).toBeGreaterThan(0);
    expect((await cache.resolve(KEY, async () => 'new')).value).toBe('new');
  });
});

describe('a late fill against a commit, step by step', () => {
  /** A reader has loaded the old row; the writer commits and invalidates; the reader stores; somebody reads. */
  const race = async (cache: Pick<ReturnType<typeof createCache>, 'resolve' | 'invalidate'>) => {
    let row = 'old';
    const { held, open } = gate();
    let loaded = false;
    const reader = cache.resolve(KEY, async () => {
      const seen = row;
      loaded = true;
      await held;
      return seen;
    });
    await until(() => loaded);
    row = 'new';
    expect(await cache.invalidate(KEY)).toBe('done');
    open();
    await reader;
    return (await cache.resolve(KEY, async () => row)).value;
  };

  test.each(PHASES)('phase %s never returns the old row', async (phase) => {
    expect(await race(createCache({ keyspace: keyspaceOf(phase), store: redisStore(redis.send) }))).toBe(
      'new',
    );
  });

  test.each(PHASES)('the naive variant does, phase %s', async (phase) => {
    expect(await race(createNaiveCache({ keyspace: keyspaceOf(phase) }, redis.send))).toBe('old');
  });
});

test('a lost reply of the lease is not held: nothing is stored under it', async () => {
  const send = async (command: readonly (string | Buffer)[]) => {
    const reply = await redis.send(command);
    if (command[0] === 'SET') throw new Error('the reply was lost');
    return reply;
  };
  const cache = createCache({ keyspace: keyspaceOf('isolated'), store: redisStore(send) });
  expect((await cache.resolve(KEY, async () => 'value')).outcome).toBe('bypass');
  expect(String(await redis.send(['GET', `v2:${KEY}`]))).toContain('lease:');
});

test('a Redis of another environment is refused, and the message names both', async () => {
  await claimEnvironment(redis.send, 'production');
  await claimEnvironment(redis.send, 'production');
  await expect(claimEnvironment(redis.send, 'staging')).rejects.toThrow(/NODE_ENV=staging.*production/);
});

test('state is no business of the cache: it neither reads, nor unlinks, nor invalidates it', async () => {
  await redis.send(['HSET', 'sessions:1', 'user', '7']);
  const cache = createCache({ keyspace: keyspaceOf('isolated'), store: redisStore(redis.send) });
  await expect(cache.resolve('sessions:1', async () => 1, { ttlSeconds: 5 })).rejects.toThrow('sessions');
  await expect(cache.invalidate(KEY, 'sessions:1')).rejects.toThrow('sessions');
  expect(await redis.send(['HGET', 'sessions:1', 'user'])).toBe('7');
});

test('a lease that nobody fills is waited for once', async () => {
  const send = jest.fn(redis.send);
  const cache = createCache({ keyspace: keyspaceOf('isolated'), store: redisStore(send) });
  await redis.send(['SET', `v2:${KEY}`, '\u0000lease:of a process that was killed', 'PX', '5000']);
  expect(await cache.resolve(KEY, async () => 1)).toEqual({ value: 1, outcome: 'miss' });
  const commands = send.mock.calls.length;
  expect(commands).toBeGreaterThan(3);
  expect(await cache.resolve(KEY, async () => 2)).toEqual({ value: 2, outcome: 'miss' });
  expect(send.mock.calls.length).toBe(commands + 1);
});
