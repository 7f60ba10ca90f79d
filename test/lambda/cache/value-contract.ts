import { describe, expect, jest, test } from '@jest/globals';
import * as v from 'valibot';
import { type CacheOptions, createCache } from '../../../lambda/cache/cache.ts';
import { UnencodableValueError } from '../../../lambda/cache/codec.ts';
import { createKeyspace, InvalidKeyError } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import type { CacheStore } from '../../../lambda/cache/store.ts';
import { UnexpectedValueError } from '../../../lambda/cache/validation.ts';
import { FAMILIES, type Family } from '../../../lambda/contract/families.ts';
import { KEY } from './contract.ts';

const OWN: Family = { name: 'own', kind: 'cache', onFlush: 'flush', ttlSeconds: 60 };
const LIST = v.object({ items: v.array(v.string()) });

/** What every store has to make true of plain reads, of values that the cache owns, of "nothing" and of shapes. */
export function valueContract(phase: Phase, store: () => CacheStore): void {
  const keyspace = createKeyspace({ phase, env: 'test', families: [...FAMILIES, OWN] });
  const open = (options: Partial<CacheOptions> = {}) => createCache({ keyspace, store: store(), ...options });
  const { home } = keyspace.locate(KEY);

  describe('get and getMany', () => {
    test('answer a miss, and then what a load has stored', async () => {
      const cache = open();
      expect(await cache.get(KEY)).toEqual({ outcome: 'miss' });
      await cache.getOrLoad(KEY, async () => ({ items: ['a'] }));
      expect(await cache.get(KEY)).toEqual({ outcome: 'hit', value: { items: ['a'] } });
      expect(await cache.getMany([KEY, 'mocs:user:2:list'])).toEqual([
        { outcome: 'hit', value: { items: ['a'] } },
        { outcome: 'miss' },
      ]);
      expect(cache.getCacheMetrics()).toMatchObject({ hits: 2, misses: 3, legacyFallbacks: 0, errors: 0 });
    });

    test("do not take another reader's lease for a value", async () => {
      const cache = open();
      const seen = await cache.getOrLoad(KEY, async () => (await cache.get(KEY)).outcome);
      expect(seen).toBe('miss');
    });

    test.each([0, -1])('a TTL of %p is an error even on a hit', async (ttlSeconds) => {
      const cache = open();
      await cache.getOrLoad(KEY, async () => 1);
      await expect(cache.getOrLoad(KEY, async () => 1, { ttlSeconds })).rejects.toThrow(RangeError);
    });
  });

  describe('set', () => {
    test('is what get answers, until it is invalidated', async () => {
      const cache = open();
      expect(await cache.set('own:1', { a: 1 })).toBe('stored');
      expect(await cache.get('own:1')).toEqual({ outcome: 'hit', value: { a: 1 } });
      expect(await cache.set('own:1', 'next', { ttlSeconds: 'does not expire' })).toBe('stored');
      expect(await cache.get('own:1')).toEqual({ outcome: 'hit', value: 'next' });
      await cache.invalidate('own:1');
      expect(await cache.get('own:1')).toEqual({ outcome: 'miss' });
    });

    test('is what every other phase reads, or a miss there: never what was set before', async () => {
      const others = (['legacy', 'isolated', 'dual', 'prefixed'] as const).map((at) =>
        open({ keyspace: createKeyspace({ phase: at, env: 'test', families: [...FAMILIES, OWN] }) }),
      );
      for (const other of others) {
        await other.set('own:1', 'before');
        await open().set('own:1', 'after');
        for (const reader of others) {
          expect([{ outcome: 'hit', value: 'after' }, { outcome: 'miss' }]).toContainEqual(
            await reader.get('own:1'),
          );
        }
      }
      expect(await open().get('own:1')).toEqual({ outcome: 'hit', value: 'after' });
    });

    test.each([
      /x/,
      new Error('x'),
      Promise.resolve(1),
      new Uint8Array(2),
      new Map(),
      { deep: [new WeakMap()] },
    ])('is refused for %p, of which JSON would make something else', async (value) => {
      await expect(open().set('own:1', value)).rejects.toThrow(UnencodableValueError);
    });

    test('wins over a load that began before it', async () => {
      const cache = open();
      await cache.getOrLoad('own:1', async () => {
        await cache.set('own:1', 'set');
        return 'loaded';
      });
      expect(await cache.get('own:1')).toEqual({ outcome: 'hit', value: 'set' });
    });

    test('is refused on a family with a source table, and what JSON cannot hold is, too', async () => {
      const cache = open();
      await expect(cache.set(KEY, 1)).rejects.toThrow(InvalidKeyError);
      await expect(cache.set(KEY, 1)).rejects.toThrow(/table mocs owns/);
      await expect(cache.set('own:1', { deep: [{ big: 1n }] })).rejects.toThrow(UnencodableValueError);
      await expect(cache.set('own:1', { deep: [{ big: 1n }] })).rejects.toThrow('the value.deep.0.big');
      await expect(cache.set('own:1', 1, { ttlSeconds: 0 })).rejects.toThrow(RangeError);
      expect(await cache.get('own:1')).toEqual({ outcome: 'miss' });
    });
  });

  describe('lifetimes', () => {
    test('what a database owns may live no longer than the outbox remembers', async () => {
      const load = jest.fn(async () => 1);
      for (const ttlSeconds of [901, 'does not expire'] as const) {
        await expect(open().getOrLoad(KEY, load, { ttlSeconds })).rejects.toThrow('900 s');
      }
      expect(load).not.toHaveBeenCalled();
      expect(await open().getOrLoad('own:1', load, { ttlSeconds: 'does not expire' })).toBe(1);
    });

    test('no TTL at all has to be said in words', async () => {
      await expect(open().set('own:1', 1, { ttlSeconds: Number.POSITIVE_INFINITY })).rejects.toThrow(
        RangeError,
      );
      const families: Family[] = [{ name: 'bare', kind: 'cache', onFlush: 'flush' }];
      const cache = open({ keyspace: createKeyspace({ phase, env: 'test', families }) });
      await expect(cache.set('bare:1', 1)).rejects.toThrow("'does not expire'");
    });
  });

  describe('"nothing"', () => {
    test('is not kept unless its TTL is given', async () => {
      const cache = open();
      const load = jest.fn(async () => null);
      expect(await cache.getOrLoad(KEY, load)).toBeNull();
      expect(await cache.getOrLoad(KEY, load)).toBeNull();
      expect(load).toHaveBeenCalledTimes(2);
      expect(cache.getCacheMetrics()).toMatchObject({ misses: 2, fencedFills: 0, errors: 0 });
    });

    test(`is kept in a namespace only: ${phase}`, async () => {
      const cache = open();
      const load = jest.fn(async () => null);
      for (let count = 0; count < 2; count += 1) {
        expect(await cache.getOrLoad(KEY, load, { negativeTtlSeconds: 3 })).toBeNull();
      }
      expect(load).toHaveBeenCalledTimes(phase === 'legacy' ? 2 : 1);
      await expect(cache.getOrLoad(KEY, load, { negativeTtlSeconds: 0 })).rejects.toThrow(RangeError);
    });
  });

  describe('validate', () => {
    test('a value of the right shape is a hit', async () => {
      const cache = open();
      await cache.getOrLoad(KEY, async () => ({ items: ['a'] }), { validate: LIST });
      expect(await cache.resolve(KEY, async () => ({ items: ['b'] }), { validate: LIST })).toEqual({
        value: { items: ['a'] },
        outcome: 'hit',
      });
    });

    test(`another shape is a miss that is counted; what is the legacy backend's own stays: ${phase}`, async () => {
      const errors: unknown[] = [];
      const cache = open({ onError: (error) => errors.push(error) });
      await store().replace(home, '{"items":[1,"secret"]}', 5000);
      const load = async () => ({ items: ['ours'] });
      expect(await cache.get(KEY, { validate: LIST })).toEqual({ outcome: 'miss' });
      expect(await cache.resolve(KEY, load, { validate: LIST })).toEqual({
        value: { items: ['ours'] },
        outcome: 'miss',
      });
      expect(errors[0]).toBeInstanceOf(UnexpectedValueError);
      expect(String(errors[0])).toContain('items.0');
      expect(String(errors[0])).not.toContain('secret');
      expect(await store().get(home)).toBe(
        phase === 'legacy' ? '{"items":[1,"secret"]}' : '{"items":["ours"]}',
      );
    });
  });

  test('inside a transaction it loads, and neither reads nor stores', async () => {
    let inside = false;
    const cache = open({ inTransaction: () => inside });
    await cache.getOrLoad(KEY, async () => 'committed');
    inside = true;
    expect(await cache.resolve(KEY, async () => 'own')).toEqual({ value: 'own', outcome: 'bypass' });
    expect(await cache.get(KEY)).toEqual({ outcome: 'unavailable' });
    inside = false;
    expect(await cache.getOrLoad(KEY, async () => 'other')).toBe('committed');
  });
}
