/** Departures in the steps of the store, or in the cache on it. */
import type { Answer } from '../../../lambda/cache/cache.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { redisStore, type Send } from '../../../lambda/cache/redis-store.ts';
import type { CacheStore } from '../../../lambda/cache/store.ts';
import type { ApiCache } from '../../../lambda/http/wire.ts';
import { unfenced } from './departing-send.ts';

/** `C`, `K`, then `N` in each namespace: as an invalidation names them. */
type Steps = Parameters<CacheStore['unlink']>[0];
type Places = readonly [Steps[number], Steps[number], Steps[number]];

/** Unlinks the places of a key in another order. Other removals, of one key alone, stay. */
export const inOrder =
  (reorder: (places: Places) => Steps) =>
  (store: CacheStore): CacheStore => ({
    ...store,
    unlink: (steps) => store.unlink(isAll(steps) ? reorder(steps) : steps),
  });

const isAll = (steps: Steps): steps is Places => steps.length === 3;

/** In phase legacy, unlinks what that phase uses, and no namespace. */
export const legacyOnly = (store: CacheStore, { phase }: { phase: Phase }): CacheStore =>
  phase === 'legacy' ? inOrder(([fence, legacy]) => [fence, legacy])(store) : store;

/** Repeats the one UNLINK that failed, instead of all of them from the first. */
export const repeatsOnlyWhatFailed = (store: CacheStore): CacheStore => ({
  ...store,
  async unlink(steps) {
    await Promise.all(steps.flat().map((key) => store.unlink([[key]]).catch(() => store.unlink([[key]]))));
  },
});

/** Stores what it took over from the legacy key whether or not it still holds the lease on the namespaced one. */
export const adoptsWithoutLease = (store: CacheStore, { send }: { send: Send }): CacheStore => {
  const careless = redisStore(unfenced(() => true)(send));
  let adopted: string | undefined;
  return {
    ...store,
    async getWithTtl(key) {
      const found = await store.getWithTtl(key);
      adopted = found?.value;
      return found;
    },
    fill: (fill) => (fill.value === adopted ? careless : store).fill(fill),
  };
};

/** Joins any load of the key that runs, whatever lease it runs under. */
export const joinsByName = (cache: ApiCache): ApiCache => {
  const running = new Map<string, Promise<Answer<unknown>>>();
  return {
    ...cache,
    resolve<T>(...[key, ...rest]: Parameters<typeof cache.resolve<T>>): Promise<Answer<T>> {
      const joinable = running.get(key) as Promise<Answer<T>> | undefined;
      if (joinable) return joinable;
      const own = cache.resolve<T>(key, ...rest).finally(() => running.delete(key));
      running.set(key, own);
      return own;
    },
  };
};
