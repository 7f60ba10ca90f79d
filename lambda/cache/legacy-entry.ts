import type { Codec } from './codec.ts';
import type { Places } from './keyspace.ts';
import { drawToken, isLease, type LeaseToken } from './lease.ts';
import type { CacheStore } from './store.ts';

/** What stood under the legacy key: its own bytes, so that both entries stay equal. */
export interface LegacyEntry {
  readonly value: unknown;
  readonly bytes: string;
  readonly ttlMs: number;
}

/** What the holder of the lease on a namespaced key finds beside it, in phase `dual`. */
export interface Beside {
  /** The lease beside the legacy key, if it was free: without it the legacy key is not filled. */
  readonly fence?: LeaseToken | undefined;
  readonly entry?: LegacyEntry | undefined;
}

export interface BesideOptions {
  readonly store: CacheStore;
  readonly places: Places;
  readonly codec: Codec;
  readonly leaseMs: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Takes the lease beside the legacy key, and reads that key. Only for who holds the lease on the namespaced key, and
 * before the load: what is taken over, or loaded, then falls to an invalidation of either key. Never rejects.
 */
export async function lookBeside({ store, places, codec, leaseMs, onError }: BesideOptions): Promise<Beside> {
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
    return { fence, entry: { value: codec.decode(bytes), bytes, ttlMs } };
  } catch (error) {
    onError(error);
    return { fence };
  }
}
