import { bumpEpochs, requireTags } from './epochs.ts';
import { invalidationSteps, type Places } from './keyspace.ts';
import { isRecorded, markSeen } from './seen.ts';
import type { CacheStore } from './store.ts';

/** Whether every backend has forgotten the old value, or may still return it. */
export type Acknowledgement = 'done' | 'pending';

/** What a write has made outdated: entries by their keys, and by their tags. */
export interface Outdated {
  readonly places: readonly Places[];
  readonly tags: readonly string[];
}

export interface InvalidationOptions {
  /** Every store that somebody reads. */
  readonly stores: readonly CacheStore[];
  /** The same over connections of their own, for the second attempt. */
  readonly freshStores: readonly CacheStore[];
  readonly onError: (error: unknown) => void;
}

/** Makes every backend forget. @returns `pending` when one whole pass could not be confirmed; never rejects because of a store. */
export async function invalidateAll(
  { places, tags }: Outdated,
  { stores, freshStores, onError }: InvalidationOptions,
): Promise<Acknowledgement> {
  const steps = invalidationSteps(places);
  const marked = isRecorded() ? [] : places;
  const bumped = requireTags([...tags, ...places.flatMap((each) => each.tags)]);
  // Always all of it: repeating only the key that failed was stale in the model.
  for (const attempt of [stores, freshStores]) {
    try {
      await Promise.all(
        attempt.map((store) => {
          const forgotten = Promise.all([store.unlink(steps), bumpEpochs(store, bumped)]);
          // Behind what is waited for.
          markSeen(store, marked);
          return forgotten;
        }),
      );
      return 'done';
    } catch (error) {
      onError(error);
    }
  }
  return 'pending';
}
