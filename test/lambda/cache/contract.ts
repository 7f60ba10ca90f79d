import { expect, jest, test } from '@jest/globals';
import { type Cache, type CacheOptions, createCache } from '../../../lambda/cache/cache.ts';
import { UnencodableValueError } from '../../../lambda/cache/codec.ts';
import { type LoadContext, LoaderTimeoutError } from '../../../lambda/cache/flight.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import type { CacheStore } from '../../../lambda/cache/store.ts';
import { gate } from '../../support/gate.ts';

export const KEY = 'mocs:user:1:list';
const OTHER_KEY = 'mocs:user:2:list';

export const keyspaceOf = (phase: Phase) => createKeyspace({ phase, env: 'test' });

/** What every store has to make true, in every phase. The store is empty before each test. */
export function cacheContract(phase: Phase, store: () => CacheStore): void {
  const keyspace = keyspaceOf(phase);
  const open = (options: Partial<CacheOptions> = {}): Cache =>
    createCache({ keyspace, store: store(), ...options });

  test('loads once, and then answers from the cache', async () => {
    const cache = open();
    const load = jest.fn(async () => ({ version: 1 }));
    expect(await cache.resolve(KEY, load)).toEqual({ value: { version: 1 }, outcome: 'miss' });
    expect(await cache.resolve(KEY, load)).toEqual({ value: { version: 1 }, outcome: 'hit' });
    expect(load).toHaveBeenCalledTimes(1);
    expect(cache.getCacheMetrics()).toMatchObject({ hits: 1, misses: 1, errors: 0, inFlight: 0 });
  });

  test.each([0, '', false, [], 'ü \u2028 "quoted"'])('keeps %j as it is', async (value) => {
    const cache = open();
    await cache.resolve(KEY, async () => value);
    expect(await cache.resolve(KEY, async () => 'other')).toEqual({ value, outcome: 'hit' });
  });

  test('loads again after an invalidation', async () => {
    const cache = open();
    await cache.resolve(KEY, async () => 'old');
    expect(await cache.invalidate(KEY)).toBe('done');
    expect(await cache.resolve(KEY, async () => 'new')).toEqual({ value: 'new', outcome: 'miss' });
  });

  test('an invalidation between the load and the fill keeps the old value out', async () => {
    const cache = open();
    const { held, open: release } = gate();
    const reading = cache.resolve(KEY, async () => {
      await held;
      return 'old';
    });
    await until(() => cache.getCacheMetrics().inFlight === 1);
    await cache.invalidate(KEY);
    release();
    expect((await reading).value).toBe('old');
    expect(cache.getCacheMetrics().fencedFills).toBe(1);
    expect(await cache.resolve(KEY, async () => 'new')).toEqual({ value: 'new', outcome: 'miss' });
  });

  test('a read that begins after an invalidation does not join a load from before it', async () => {
    const cache = open();
    const { held, open: release } = gate();
    const before = cache.resolve(KEY, async () => {
      await held;
      return 'old';
    });
    await until(() => cache.getCacheMetrics().inFlight === 1);
    await cache.invalidate(KEY);
    expect((await cache.resolve(KEY, async () => 'new')).value).toBe('new');
    release();
    await before;
    expect((await cache.resolve(KEY, async () => 'newer')).value).toBe('new');
  });

  test('100 readers of a missing key load it once', async () => {
    const cache = open();
    const load = jest.fn(async () => {
      await sleep(30);
      return 'value';
    });
    const answers = await Promise.all(Array.from({ length: 100 }, () => cache.resolve(KEY, load)));
    expect(load).toHaveBeenCalledTimes(1);
    expect(new Set(answers.map(({ value }) => value))).toEqual(new Set(['value']));
  });

  test('two caches, as two processes, load a missing key once', async () => {
    const load = jest.fn(async () => {
      await sleep(30);
      return 'value';
    });
    const caches = [open(), open()];
    const answers = await Promise.all(
      caches.flatMap((cache) => [cache.resolve(KEY, load), cache.resolve(KEY, load)]),
    );
    expect(load).toHaveBeenCalledTimes(1);
    expect(answers.every(({ value }) => value === 'value')).toBe(true);
  });

  test('a failed load is not stored, frees the lease, and is not inherited by who joined it', async () => {
    const cache = open();
    const loads = [jest.fn(async () => sleep(20).then(() => Promise.reject(new Error('database'))))];
    const first = cache.resolve(KEY, loads[0] as () => Promise<string>);
    await until(() => cache.getCacheMetrics().inFlight === 1);
    const joiner = cache.resolve(KEY, async () => 'own');
    await expect(first).rejects.toThrow('database');
    expect((await joiner).value).toBe('own');
    // The lease may be free before the joiner tries itself, which then stores what it has loaded.
    const { value, outcome } = await cache.resolve(KEY, async () => 'next');
    expect(['next miss', 'own hit']).toContain(`${value} ${outcome}`);
  });

  test('a loader that takes too long is aborted, and nothing of it is stored', async () => {
    const cache = open({ loaderTimeoutMs: 20 });
    let aborted = false;
    const load = ({ signal }: LoadContext) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return sleep(60).then(() => 'late');
    };
    await expect(cache.resolve(KEY, load)).rejects.toThrow(LoaderTimeoutError);
    expect(aborted).toBe(true);
    await sleep(60);
    expect((await cache.resolve(KEY, async () => 'next')).value).toBe('next');
  });

  test('a load that reads its own key does not wait for itself', async () => {
    const cache = open();
    const answer = await cache.resolve(KEY, async () => {
      const inner = await cache.resolve(KEY, async () => 'inner');
      return `outer of ${inner.value}`;
    });
    expect(answer.value).toBe('outer of inner');
  });

  test('loads that wait for each other end, each with a value', async () => {
    const cache = open({ loaderTimeoutMs: 400 });
    const begun = [gate(), gate()];
    const crossing = (own: number, other: string) => async () => {
      begun[own]?.open();
      await Promise.all(begun.map(({ held }) => held));
      return (await cache.resolve(other, async () => `inner ${own}`)).value;
    };
    const answers = [cache.resolve(KEY, crossing(0, OTHER_KEY)), cache.resolve(OTHER_KEY, crossing(1, KEY))];
    // Whichever waits longer may still get what the other has loaded for itself.
    for (const { value } of await Promise.all(answers)) expect(value).toMatch(/^inner [01]$/);
  });

  test.each([undefined, { amount: Number.NaN }, [1n], { when: new Map() }])(
    'a value without an encoding is answered and not stored: %p',
    async (value) => {
      const errors: unknown[] = [];
      const cache = open({ onError: (error) => errors.push(error) });
      expect((await cache.resolve<unknown>(KEY, async () => value)).value).toBe(value);
      expect(cache.getCacheMetrics().errors).toBe(1);
      expect(errors).toEqual([expect.any(UnencodableValueError)]);
      expect((await cache.resolve(KEY, async () => 'next')).outcome).toBe('miss');
    },
  );

  test.each([0, -1, Number.NaN])('a TTL of %j is an error', async (ttlSeconds) => {
    await expect(open().resolve(KEY, async () => 1, { ttlSeconds })).rejects.toThrow('ttlSeconds');
  });
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for something that happens soon; fails by the test's own timeout. */
export async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await sleep(1);
}
