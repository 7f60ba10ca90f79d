import type { Answer, Counts } from './cache.ts';
import type { Codec } from './codec.ts';
import { type Loader, runLoader } from './flight.ts';
import type { Places } from './keyspace.ts';
import type { LeaseToken } from './lease.ts';
import { type Beside, lookBeside } from './legacy-entry.ts';
import type { CacheStore } from './store.ts';

/** A load under a lease that its caller holds. */
export interface Filling<T> {
  readonly places: Places;
  readonly token: LeaseToken;
  readonly load: Loader<T>;
  readonly ttlSeconds: number;
}

export interface Filler {
  /**
   * Loads, or in phase `dual` takes over what the legacy key holds, stores it under the lease, and answers it either
   * way. @throws what the loader throws; the lease is ended then.
   */
  fill<T>(filling: Filling<T>): Promise<Answer<T>>;
  /** The load under this lease, while it runs in this process. */
  flight(lease: LeaseToken): Promise<unknown> | undefined;
  readonly inFlight: number;
}

export interface FillerOptions {
  readonly store: CacheStore;
  readonly codec: Codec;
  readonly loaderTimeoutMs: number;
  readonly leaseMs: number;
  readonly counts: Counts;
  readonly onError: (error: unknown, places: Places) => void;
}

export function createFiller({
  store,
  codec,
  loaderTimeoutMs,
  leaseMs,
  counts,
  onError,
}: FillerOptions): Filler {
  const flights = new Map<LeaseToken, Promise<unknown>>();

  /** Stores under the leases, and counts what came between. */
  const keep = async (
    { places, token, ttlSeconds }: Filling<unknown>,
    { fence, entry }: Beside,
    value: unknown,
  ) => {
    const encoded = entry?.bytes ?? codec.encode(value);
    if (encoded === undefined) {
      throw new TypeError('cache: the loaded value has no encoding; return null for "nothing"');
    }
    const { leaseAt, home, legacy } = places;
    // At least 1: what expires in this very millisecond would otherwise never expire.
    const ttlMs = Math.max(1, Math.ceil(Math.min(ttlSeconds * 1000, entry?.ttlMs ?? Infinity)));
    const kept = { value: encoded, ttlMs };
    const beside = async () => {
      if (!fence) return;
      // What was taken over is there already, and "nothing" is no value that the legacy backend writes.
      if (entry || value === null) await store.release(places.fence, fence);
      else await store.fill({ ...kept, leaseAt: places.fence, token: fence, home: legacy });
    };
    const [stored] = await Promise.all([store.fill({ ...kept, leaseAt, token, home }), beside()]);
    if (!stored) counts.fencedFills += 1;
  };

  return {
    flight: (lease) => flights.get(lease),
    get inFlight() {
      return flights.size;
    },
    async fill<T>(filling: Filling<T>) {
      const { places, token, load } = filling;
      const failed = (error: unknown) => onError(error, places);
      let beside: Beside = {};
      const obtain = async (): Promise<T> => {
        if (places.fillsLegacy) beside = await lookBeside({ store, places, codec, leaseMs, onError: failed });
        return beside.entry ? (beside.entry.value as T) : runLoader(load, loaderTimeoutMs);
      };
      // Not waited for: where it fails, the leases expire, and the reader has waited for Redis long enough.
      const release = () => {
        store.release(places.leaseAt, token).catch(failed);
        if (beside.fence) store.release(places.fence, beside.fence).catch(failed);
      };
      const flight = obtain();
      flights.set(token, flight);
      try {
        const value = await flight;
        // Awaited although nobody waits for its outcome: a frozen sandbox would lose it.
        await keep(filling, beside, value).catch((error: unknown) => {
          failed(error);
          release();
        });
        if (!beside.entry) return { value, outcome: 'miss' as const };
        counts.legacyFallbacks += 1;
        return { value, outcome: 'hit' as const };
      } catch (error) {
        release();
        throw error;
      } finally {
        counts[beside.entry ? 'hits' : 'misses'] += 1;
        flights.delete(token);
      }
    },
  };
}
