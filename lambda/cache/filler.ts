import { seal } from './entry.ts';
import { type Epochs, ensureEpochs } from './epochs.ts';
import type { Loader, RunLoader } from './flight.ts';
import type { LeaseToken } from './lease.ts';
import { type Beside, lookBeside } from './legacy-entry.ts';
import type { Look } from './look.ts';
import type { Counts } from './metrics.ts';
import { jittered } from './ttl.ts';

/** A load that may be stored. */
export interface Filling<T> {
  readonly request: Look<T>;
  readonly load: Loader<T>;
  readonly ttlMs: number;
  /** How long "nothing" is kept; without it, it is not. */
  readonly negativeTtlMs: number | undefined;
  /** Whether phase `dual` takes over and fills the legacy key. */
  readonly adoptLegacy: boolean;
}

/** The lease that its caller holds, and the epochs that a tagged read has seen. */
export interface Held {
  readonly token: LeaseToken;
  readonly epochs: Epochs | undefined;
}

/** What a load gave, and the epochs that it began under. */
export interface Loaded<T> {
  readonly value: T;
  readonly outcome: 'hit' | 'miss';
  readonly epochs: Epochs | undefined;
}

export interface Filler {
  /**
   * Loads, or in phase `dual` takes over what the legacy key holds, stores it under the lease, and answers it either
   * way. @throws what the loader throws; the lease is ended then.
   */
  fill<T>(filling: Filling<T>, held: Held): Promise<Loaded<T>>;
  /** The load under this lease, while it runs in this process. */
  flight(lease: LeaseToken): Promise<Loaded<unknown>> | undefined;
  readonly inFlight: number;
}

export interface FillerOptions {
  readonly runLoader: RunLoader;
  readonly counts: Counts;
}

export function createFiller({ runLoader, counts }: FillerOptions): Filler {
  const flights = new Map<LeaseToken, Promise<Loaded<unknown>>>();
  const missed = <T>(value: T): Loaded<T> => ({ value, outcome: 'miss', epochs: undefined });

  return {
    flight: (lease) => flights.get(lease),
    get inFlight() {
      return flights.size;
    },
    async fill<T>(filling: Filling<T>, held: Held) {
      const { request, load } = filling;
      const { store, places, onError } = request;
      const { token } = held;
      const adoptsLegacy = places.fillsLegacy && filling.adoptLegacy && !held.epochs;
      let beside: Beside<T> = {};
      const prepareAndLoad = async (): Promise<Loaded<T>> => {
        // Where they cannot be had, the value is loaded and not stored.
        const epochs = held.epochs && (await ensureEpochs(store, held.epochs).catch(onError));
        if (adoptsLegacy) beside = await lookBeside(request);
        if (beside.entry) return { value: beside.entry.value, outcome: 'hit', epochs: undefined };
        return { value: await runLoader(load), outcome: 'miss', epochs: epochs ?? undefined };
      };
      // Not waited for: where it fails, the leases expire, and the reader has waited for Redis long enough.
      const release = () => {
        store.release(places.leaseAt, token).catch(onError);
        if (beside.fence) store.release(places.fence, beside.fence).catch(onError);
      };
      const flight = adoptsLegacy || held.epochs ? prepareAndLoad() : runLoader(load).then<Loaded<T>>(missed);
      flights.set(token, flight);
      try {
        const loaded = await flight;
        try {
          // Awaited although nobody waits for its outcome: a frozen sandbox would lose it.
          if (!(await keep(filling, held, beside, loaded))) counts.fencedFills += 1;
        } catch (error) {
          onError(error);
          release();
        }
        if (beside.entry) counts.legacyFallbacks += 1;
        return loaded;
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

/** Stores under the leases. @returns false if an invalidation came between. */
function keep<T>(
  { request, ttlMs: wantedMs, negativeTtlMs }: Filling<T>,
  { token, epochs }: Held,
  { fence, entry, foreign }: Beside<T>,
  loaded: Loaded<T>,
): Promise<boolean> {
  const { store, places, codec } = request;
  const { leaseAt, home, legacy } = places;
  const isNothing = loaded.value === null && !entry;
  // "Nothing" is no value that the legacy backend writes, so that its key never holds it.
  const keptMs = isNothing ? (home === legacy ? undefined : negativeTtlMs) : wantedMs;
  const hasEpochs = !epochs || loaded.epochs;
  if (keptMs === undefined || !hasEpochs) {
    const released = [store.release(leaseAt, token), fence && store.release(places.fence, fence)];
    return Promise.all(released).then(() => true);
  }
  const bytes = entry?.bytes ?? codec.encode(loaded.value);
  const ttlMs = Math.min(jittered(keptMs), Math.max(1, entry?.ttlMs ?? Number.POSITIVE_INFINITY));
  const stored = store.fill({ leaseAt, token, home, value: seal(bytes, loaded.epochs), ttlMs });
  if (!fence) return stored;
  // What was taken over is there already.
  const beside =
    entry || foreign || isNothing
      ? store.release(places.fence, fence)
      : store.fill({ leaseAt: places.fence, token: fence, home: legacy, value: bytes, ttlMs });
  return Promise.all([stored, beside]).then(([isStored]) => isStored);
}
