/** Departures in the epochs of tagged entries. */
import { isPlain, seal } from '../../../lambda/cache/entry.ts';
import { readEpochs } from '../../../lambda/cache/epochs.ts';
import { isLease } from '../../../lambda/cache/lease.ts';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import type { CacheStore } from '../../../lambda/cache/store.ts';
import { EPOCH } from './registry.ts';

/** Stores a tagged value with the epochs of after its load. */
export const sealsAfterLoad = (store: CacheStore): CacheStore => ({
  ...store,
  async fill(fill) {
    const sealed = epochsIn(fill.value);
    if (!sealed) return store.fill(fill);
    const epochs = await readEpochs(store, Object.keys(sealed));
    const value = seal(fill.value.slice(fill.value.indexOf('\n') + 1), epochs);
    return store.fill({ ...fill, value });
  },
});

/** The epochs by tag that a tagged value was loaded under, which its first line holds. */
function epochsIn(value: string | null): Readonly<Record<string, string>> | undefined {
  if (value === null || isPlain(value) || isLease(value)) return undefined;
  return JSON.parse(value.slice(1, value.indexOf('\n')));
}

/** Takes an epoch that is gone for the one that the entry has. */
export const missingIsHit = (store: CacheStore): CacheStore => {
  const seen = new Map<string, string>();
  return {
    ...store,
    async get(key) {
      // Both travel in one command, the entry first.
      const value = await store.get(key);
      for (const [tag, epoch] of Object.entries(epochsIn(value) ?? {})) seen.set(EPOCH + tag, epoch);
      return value ?? seen.get(key) ?? null;
    },
  };
};

/** Counts a tag's bumps, from 0 on where nothing is known of it. */
export const bumpsByCounting = (store: CacheStore, { send }: { send: Send }): CacheStore => ({
  ...store,
  acquire: async (key, token, leaseMs) =>
    key.startsWith(EPOCH)
      ? ((await store.acquire(key, '0', leaseMs)) ?? '0')
      : store.acquire(key, token, leaseMs),
  replace: async (key, ...rest) =>
    key.startsWith(EPOCH) ? void (await send(['INCR', key])) : store.replace(key, ...rest),
});
