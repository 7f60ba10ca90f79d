import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import { PHASE_SWITCHES, type Phase } from '../../../lambda/contract/environment.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { createQueryCache, type Query, queryKey } from '../../../lambda/stores/query-cache.ts';
import { createRedisUsers } from '../../../rehearsal/redis-users.ts';
import { callsOf, connected, lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';
import { frozen } from '../../support/unreachable-redis.ts';

const PHASES = Object.keys(PHASE_SWITCHES) as Phase[];
const QUERY: Query = { type: 'open-sessions', key: 'teacher:7' };
const KEY = 'query_cache:open-sessions:teacher:7';
const HOMES: Readonly<Record<Phase, readonly string[]>> = {
  legacy: [KEY],
  isolated: [`v2:${KEY}`],
  dual: [`cw:test:${KEY}`, KEY],
  prefixed: [`cw:test:${KEY}`],
};

let admin: RedisConnection;
let send: RedisConnection['send'];
beforeAll(async () => {
  const { url } = await ownRedis();
  admin = await lookInto(url);
  const urls = await createRedisUsers({ send: admin.send, url }, { phase: 'dual', env: 'test' });
  send = (await lookInto(urls.serverless)).send;
});
beforeEach(async () => void (await admin.send(['FLUSHALL'])));

const queriesIn = (phase: Phase, via = send) =>
  createQueryCache({
    keyspace: createKeyspace({ phase, env: 'test' }),
    store: redisStore(via),
    epochs: true,
  });

/** A query whose answer changes each time it is asked. */
function counting() {
  let asked = 0;
  return async () => ({ asked: ++asked });
}

describe.each(PHASES)('in the phase %s', (phase) => {
  test('an answer is kept where the phase caches, until it is invalidated', async () => {
    const queries = queriesIn(phase);
    const load = counting();
    expect(await queries.resolve(QUERY, load)).toEqual({ value: { asked: 1 }, outcome: 'miss' });
    expect(await queries.resolve(QUERY, load)).toEqual({ value: { asked: 1 }, outcome: 'hit' });
    expect(((await admin.send(['KEYS', '*query_cache*'])) as string[]).sort()).toEqual(HOMES[phase]);
    expect(Number(await admin.send(['PTTL', HOMES[phase][0] ?? '']))).toBeGreaterThan(0);
    expect(await queries.invalidate(QUERY)).toBe('done');
    expect(await queries.resolve(QUERY, load)).toEqual({ value: { asked: 2 }, outcome: 'miss' });
    expect(queries.getCacheMetrics()).toMatchObject({ hits: 1, misses: 2, legacyFallbacks: 0 });
  });

  test('a tag outdates all answers that have it, in one command, and is kept in a namespace only', async () => {
    const queries = queriesIn(phase);
    const loads = Array.from({ length: 200 }, counting);
    const ask = () =>
      Promise.all(
        loads.map((load, index) =>
          queries.resolve({ ...QUERY, key: String(index) }, load, { tags: ['teacher:7'] }),
        ),
      );
    await ask();
    const outcomes = new Set((await ask()).map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set([phase === 'legacy' ? 'bypass' : 'hit']));
    const sets = await callsOf(admin, 'set');
    expect(await queries.invalidateTag('teacher:7')).toBe('done');
    expect((await callsOf(admin, 'set')) - sets).toBe(1);
    for (const { value } of await ask()) expect(value.asked).toBe(phase === 'legacy' ? 3 : 2);
    expect(await admin.send(['KEYS', 'query_cache:*'])).toEqual([]);
  });
});

test('legacyFallbacks are the hits of dual that the un-prefixed key gave: of queries, and until it is taken over', async () => {
  const load = counting();
  await queriesIn('legacy').resolve(QUERY, load);
  const dual = queriesIn('dual');
  expect(await dual.resolve(QUERY, load)).toEqual({ value: { asked: 1 }, outcome: 'hit' });
  expect(await dual.resolve(QUERY, load)).toEqual({ value: { asked: 1 }, outcome: 'hit' });
  expect(dual.getCacheMetrics()).toMatchObject({ hits: 2, misses: 0, legacyFallbacks: 1 });
});

test.each([
  ['legacy', 'dual'],
  ['dual', 'prefixed'],
] as const)('between %s and %s both forget what either invalidates', async (one, other) => {
  const sides = [queriesIn(one), queriesIn(other)] as const;
  const load = counting();
  for (const [writer, reader] of [sides, [...sides].reverse() as unknown as typeof sides]) {
    const before = await reader.resolve(QUERY, load);
    await writer.resolve(QUERY, load);
    await writer.invalidate(QUERY);
    expect((await reader.resolve(QUERY, load)).value.asked).toBeGreaterThan(before.value.asked);
  }
});

test('another type under the key is a miss', async () => {
  await admin.send(['RPUSH', `cw:test:${KEY}`, 'x']);
  const queries = queriesIn('prefixed');
  expect(await queries.resolve(QUERY, counting())).toEqual({ value: { asked: 1 }, outcome: 'miss' });
});

test('where Redis is frozen the query is asked', async () => {
  const { url } = await frozen();
  const queries = queriesIn('dual', connected({ url, name: 'test' }).send);
  expect(await queries.resolve(QUERY, counting())).toEqual({ value: { asked: 1 }, outcome: 'bypass' });
});

describe('the key of a query', () => {
  const KEYS = [
    ...[
      'a',
      'A',
      'a:b',
      'a::b',
      '{a}',
      '*',
      'a b',
      'ü',
      '%3A',
      'x'.repeat(256),
      'x'.repeat(257),
      'ü'.repeat(200),
    ],
    ...['a\n', 'a\u0000', '\ud800', '\ud801', 'sha256=', 'sha256=1'],
  ];

  test('is the plain one where it can be, and another one for each query', () => {
    expect(queryKey(QUERY)).toBe(KEY);
    const all = KEYS.flatMap((key) => ['a', 'a-b'].map((type) => queryKey({ type, key })));
    expect(new Set(all).size).toBe(all.length);
    const keyspace = createKeyspace({ phase: 'legacy', env: 'test' });
    for (const key of all) expect(keyspace.locate(key).home).toBe(key);
  });

  test('cannot be mistaken for one that is stored as its hash', () => {
    const long = queryKey({ type: 'a', key: 'x'.repeat(1000) });
    const told = long.slice('query_cache:a:'.length);
    expect(told).toMatch(/^sha256=[0-9a-f]{64}$/);
    expect(queryKey({ type: 'a', key: told })).not.toBe(long);
  });

  test.each([
    [{ type: 'a:b', key: 'x' }, 'type is "a:b"; it must be lower-case words'],
    [{ type: '', key: 'x' }, 'type is ""'],
    [{ type: 'a', key: '' }, 'the key of a query of type a is empty'],
  ])('%j is refused', async (query, message) => {
    expect(() => queryKey(query)).toThrow(message);
    await expect(queriesIn('dual').resolve(query, counting())).rejects.toThrow(message);
  });
});
