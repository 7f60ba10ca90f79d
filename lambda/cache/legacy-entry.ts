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
  const { store, places, leaseMs, onError } = request;
  const token = drawToken();
  const [there, legacy] = await Promise.allSettled([
    store.acquire(places.fence, token, leaseMs),
    store.getWithTtl(places.legacy),
  ]);
  for (const each of [there, legacy]) if (each.status === 'rejected') onError(each.reason);
  const fence = there.status === 'fulfilled' && there.value === null ? token : undefined;
  const found = legacy.status === 'fulfilled' ? legacy.value : null;
  if (!found || isLease(found.value)) return { fence };
  try {
    const { value: bytes, ttlMs } = found;
    const entry = readEntry(bytes, request);
    return entry.kind === 'value' ? { fence, entry: { value: entry.value, bytes, ttlMs } } : { fence };
  } catch (error) {
    onError(error);
    return { fence, foreign: error instanceof UnexpectedValueError };
  }
}
