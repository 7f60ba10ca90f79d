import { readEntry } from './entry.ts';
import { drawToken, isLease, type LeaseToken } from './lease.ts';
import type { Look } from './look.ts';
import { UnexpectedValueError } from './validation.ts';

/** What stood under the legacy key: its own bytes, so that both entries stay equal. */
export interface LegacyEntry<T> {
  readonly value: T;
  readonly bytes: string;
  readonly ttlMs: number;
}

/** What the holder of the lease on a namespaced key finds beside it, in phase `dual`. */
export interface Beside<T> {
  /** The lease beside the legacy key, if it was free: without it the legacy key is not filled. */
  readonly fence?: LeaseToken | undefined;
  readonly entry?: LegacyEntry<T> | undefined;
  /** Something of another shape stands there, which is the legacy backend's own and stays. */
  readonly foreign?: boolean;
}

/**
 * Takes the lease beside the legacy key, and reads that key. Only for who holds the lease on the namespaced key, and
 * before the load: what is taken over, or loaded, then falls to an invalidation of either key. Never rejects.
 */
export async function lookBeside<T>(request: Look<T>): Promise<Beside<T>> {
  const { store, places, leaseMs, budget, onError } = request;
  const token = drawToken();
  const acquired = store.acquire(places.fence, token, leaseMs);
  const both = Promise.allSettled([acquired, store.getWithTtl(places.legacy)]);
  const found = await budget.wait(both).catch(onError);
  if (!found) {
    // Should it be taken after all, nobody fills under it.
    acquired
      .then((there) => (there === null ? store.release(places.fence, token) : undefined))
      .catch(() => {});
    return {};
  }
  const [there, legacy] = found;
  for (const each of found) if (each.status === 'rejected') onError(each.reason);
  const fence = there.status === 'fulfilled' && there.value === null ? token : undefined;
  const stored = legacy.status === 'fulfilled' ? legacy.value : null;
  if (!stored || isLease(stored.value)) return { fence };
  try {
    const { value: bytes, ttlMs } = stored;
    const entry = readEntry(bytes, request);
    return entry.kind === 'value' ? { fence, entry: { value: entry.value, bytes, ttlMs } } : { fence };
  } catch (error) {
    onError(error);
    return { fence, foreign: error instanceof UnexpectedValueError };
  }
}
