import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createBudget, READ_BUDGET_MS } from '../../../lambda/cache/budget.ts';
import { createCache } from '../../../lambda/cache/cache.ts';
import { redisStore, type Send } from '../../../lambda/cache/redis-store.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { lookInto, within } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';
import { KEY, keyspaceOf } from './contract.ts';

const NEVER = new Promise<never>(() => {});
const HOME = `cw:test:${KEY}`;
const FENCE = `cutover:lease:{${KEY}}:${KEY}`;

describe('a budget', () => {
  test('gives what comes in time, errors too, and keeps what is left', async () => {
    const budget = createBudget();
    expect(await budget.wait(Promise.resolve('reply'))).toBe('reply');
    await expect(budget.wait(Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(budget.leftMs).toBeLessThanOrEqual(READ_BUDGET_MS);
    expect(budget.leftMs).toBeGreaterThan(0);
  });

  test('began when its read did, and does not count what was excluded', () => {
    const budget = createBudget({ beganAt: performance.now() - 100 });
    expect(budget.leftMs).toBeLessThanOrEqual(READ_BUDGET_MS - 100);
    budget.exclude(100);
    expect(budget.leftMs).toBeGreaterThan(READ_BUDGET_MS - 100);
  });

  test('leaves a wait to the store that ends it in time by itself, and bounds it where that would be too late', async () => {
    const pending = Promise.resolve('reply');
    expect(createBudget({ longestWaitMs: 250 }).wait(pending)).toBe(pending);
    const beganAt = performance.now() - 200;
    await expect(createBudget({ beganAt, longestWaitMs: 250 }).wait(NEVER)).rejects.toThrow(
      'cache: the 250 ms',
    );
  });

  test('is one for all waits: what the first has used the second does not have', async () => {
    const budget = createBudget({ budgetMs: 60 });
    await expect(budget.wait(NEVER)).rejects.toThrow('cache: the 60 ms');
    // A timer may be a fraction of a millisecond early.
    expect(budget.leftMs).toBeLessThan(1);
    await expect(budget.wait(sleep(30))).rejects.toThrow('cache: the 60 ms');
  });

  test('lets what came too late fail without a word', async () => {
    const budget = createBudget({ budgetMs: 1 });
    const late = sleep(20).then(() => Promise.reject(new Error('late')));
    await expect(budget.wait(late)).rejects.toThrow('cache: the 1 ms');
    await expect(late).rejects.toThrow('late');
  });

  test('counts a reply that is there already, however busy the event loop was', async () => {
    const budget = createBudget({ budgetMs: 20 });
    const reply = sleep(5, 'reply');
    const waiting = budget.wait(reply);
    const until = performance.now() + 60;
    while (performance.now() < until);
    expect(await waiting).toBe('reply');
  });
});

describe('a read in phase dual', () => {
  let redis: RedisConnection;
  beforeAll(async () => {
    redis = await lookInto((await ownRedis()).url);
  });
  beforeEach(async () => void (await redis.send(['FLUSHALL'])));

  /** A cache whose commands go where the test says; and what was sent. */
  const reading = (route: (name: string, key: string) => Promise<unknown> | undefined) => {
    const sent: string[] = [];
    const send: Send = (command) => {
      const [name, key] = [String(command[0]), String(command[1])];
      sent.push(`${name} ${key}`);
      return route(name, key) ?? redis.send(command);
    };
    const cache = createCache({ keyspace: keyspaceOf('dual'), store: redisStore(send) });
    return { sent, cache };
  };
  const outcomeOf = (read: Promise<{ outcome: string }>) =>
    within(
      read.then(({ outcome }) => outcome),
      2 * READ_BUDGET_MS,
    );

  test('answers although nothing is answered after its lease: what it loaded is sent, and not waited for', async () => {
    const { cache, sent } = reading((name, key) => (key === HOME && name !== 'EVALSHA' ? undefined : NEVER));
    expect(await outcomeOf(cache.resolve(KEY, async () => 'value'))).toBe('miss');
    expect(sent.map((each) => each.split(' ')[0])).toEqual([
      'GET',
      'SET',
      'SET',
      'PTTL',
      'GET',
      'EVALSHA',
      'EVAL',
    ]);
  });

  test('answers although its lease is not', async () => {
    const { cache } = reading((name) => (name === 'SET' ? NEVER : undefined));
    expect(await outcomeOf(cache.resolve(KEY, async () => 'value'))).toBe('bypass');
  });

  test('answers although its fill is not, and the time of its loader does not count', async () => {
    const { cache } = reading((name) => (name === 'EVALSHA' ? NEVER : undefined));
    const slow = () => sleep(READ_BUDGET_MS, 'value');
    expect(await within(cache.getOrLoad(KEY, slow), 3 * READ_BUDGET_MS)).toBe('value');
    const stored = reading(() => undefined);
    await redis.send(['FLUSHALL']);
    await stored.cache.getOrLoad(KEY, slow);
    expect(await redis.send(['GET', HOME])).toBe('"value"');
  });

  test('gives back the lease beside the legacy key when it is told of it too late', async () => {
    let arrived: Promise<unknown> = NEVER;
    const late: Send = (command) => {
      if (command[0] !== 'SET' || command[1] !== FENCE) return redis.send(command);
      arrived = sleep(READ_BUDGET_MS * 1.2).then(() => redis.send(command));
      return arrived;
    };
    const cache = createCache({ keyspace: keyspaceOf('dual'), store: redisStore(late) });
    expect(await outcomeOf(cache.resolve(KEY, async () => 'value'))).toBe('miss');
    expect(await arrived).toBeNull();
    while ((await redis.send(['EXISTS', FENCE])) !== 0);
    expect(await redis.send(['GET', HOME])).toBe('"value"');
  });

  test('that only looks waits no longer, at both keys together', async () => {
    const { cache } = reading((_, key) => (key === HOME ? sleep(200, null) : NEVER));
    expect(await within(cache.get(KEY), 2 * READ_BUDGET_MS)).toEqual({ outcome: 'unavailable' });
  });
});
