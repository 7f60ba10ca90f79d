import { describe, expect, jest, test } from '@jest/globals';
import { type CacheOptions, createCache } from '../../../lambda/cache/cache.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import type { CacheStore } from '../../../lambda/cache/store.ts';
import { FAMILIES } from '../../../lambda/contract/families.ts';
import { gate } from '../../support/gate.ts';
import { QUERY } from '../../support/query-family.ts';
import { KEY, until } from './contract.ts';

const ENTRY = 'query:list:1';
const TAGS = ['user:1', 'all'];

/** What every store has to make true of tagged entries, which live in a namespace only. */
export function tagContract(phase: Phase, store: () => CacheStore): void {
  const keyspace = createKeyspace({ phase, env: 'test', families: [...FAMILIES, QUERY] });
  const open = (options: Partial<CacheOptions> = {}) =>
    createCache({ keyspace, store: store(), epochs: true, ...options });
  const isStored = phase !== 'legacy';
  const counted = () => {
    let loads = 0;
    return { load: async () => (loads += 1) };
  };

  describe(isStored ? 'tags' : 'tags, which the legacy phase does not store', () => {
    test('an entry is a hit until one of its tags is invalidated', async () => {
      const cache = open();
      const { load } = counted();
      const read = () => cache.resolve(ENTRY, load, { tags: TAGS });
      expect(await read()).toEqual({ value: 1, outcome: isStored ? 'miss' : 'bypass' });
      expect(await read()).toEqual(isStored ? { value: 1, outcome: 'hit' } : { value: 2, outcome: 'bypass' });
      if (!isStored) return;
      for (const [index, tag] of TAGS.entries()) {
        expect(await cache.invalidateTag(tag)).toBe('done');
        expect(await read()).toEqual({ value: index + 2, outcome: 'miss' });
        expect((await read()).outcome).toBe('hit');
      }
      await cache.invalidateTag('another');
      expect((await read()).outcome).toBe('hit');
      expect(await cache.get(ENTRY, { tags: TAGS })).toEqual({ outcome: 'hit', value: 3 });
    });

    test("a changed row's key bumps the tags that the registry gives it", async () => {
      const cache = open();
      const { load } = counted();
      await cache.resolve(ENTRY, load, { tags: ['user:1'] });
      await cache.invalidate(KEY);
      expect((await cache.resolve(ENTRY, load, { tags: ['user:1'] })).value).toBe(2);
    });

    test('a bump during the load makes what it stores outdated', async () => {
      const cache = open();
      const { held, open: release } = gate();
      const { load } = counted();
      const reading = cache.resolve(ENTRY, () => held.then(load), { tags: TAGS });
      await until(() => cache.getCacheMetrics().inFlight === 1 || !isStored);
      await cache.invalidateTag('all');
      release();
      await reading;
      expect((await cache.resolve(ENTRY, load, { tags: TAGS })).value).toBe(2);
    });

    test('a read that begins after a bump does not join a load from before it', async () => {
      const cache = open();
      const { held, open: release } = gate();
      const before = cache.resolve(ENTRY, () => held.then(() => 'old'), { tags: TAGS });
      await until(() => cache.getCacheMetrics().inFlight === 1 || !isStored);
      await cache.invalidateTag('all');
      const after = cache.resolve(ENTRY, async () => 'new', { tags: TAGS });
      release();
      await before;
      expect((await after).value).toBe('new');
    });

    test('readers with other tags, or none, do not take the entry for theirs', async () => {
      const cache = open();
      const { load } = counted();
      await cache.resolve(ENTRY, load, { tags: TAGS });
      expect((await cache.resolve(ENTRY, load, { tags: ['all'] })).value).toBe(2);
      expect((await cache.resolve(ENTRY, load)).value).toBe(3);
      expect((await cache.resolve(ENTRY, load, { tags: TAGS })).value).toBe(4);
    });

    test('where epochs are off they load and store nothing, and invalidateTag bumps all the same', async () => {
      const cache = open();
      const off = open({ epochs: false });
      const { load } = counted();
      await cache.resolve(ENTRY, load, { tags: TAGS });
      expect(await off.resolve(ENTRY, load, { tags: TAGS })).toEqual({ value: 2, outcome: 'bypass' });
      await off.invalidateTag('all');
      expect((await cache.resolve(ENTRY, load, { tags: TAGS })).value).toBe(3);
    });

    test.each([[[]], [['']], [['a\nb']], [Array.from({ length: 33 }, (_, index) => `tag ${index}`)]])(
      'the tags %j are refused',
      async (tags) => {
        const load = jest.fn(async () => 1);
        await expect(open().resolve(ENTRY, load, { tags })).rejects.toThrow(/cache: (the tag|tags)/);
        if (tags.length === 1) await expect(open().invalidateTag(...tags)).rejects.toThrow('cache: the tag');
        expect(load).not.toHaveBeenCalled();
      },
    );
  });

  if (!isStored) return;

  test('100 readers of a missing tagged key load it once', async () => {
    const cache = open();
    const { load } = counted();
    const reads = Array.from({ length: 100 }, () => cache.resolve(ENTRY, load, { tags: TAGS }));
    expect(new Set((await Promise.all(reads)).map(({ value }) => value))).toEqual(new Set([1]));
  });
}
