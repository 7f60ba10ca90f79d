import { seal } from './entry.ts';
import { type Epochs, ensureEpochs } from './epochs.ts';
import type { Loader, RunLoader } from './flight.ts';
import type { LeaseToken } from './lease.ts';
import { type Beside, lookBeside } from './legacy-entry.ts';
import type { Look } from './look.ts';
import type { Counts } from './metrics.ts';
import { jittered } from './ttl.ts';

/** A read that may load and store. */
export interface Filling<T> extends Look<T> {
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

/** A load under a lease, while it runs, and what it found before it began. */
export interface Flight {
  readonly value: Promise<unknown>;
  readonly finds: { readonly epochs: Epochs | undefined };
}

export interface Filler {
  /**
   * Loads, or in phase `dual` takes over what the legacy key holds, stores it under the lease, and answers it either
   * way. @throws what the loader throws; the lease is ended then.
   */
  fill<T>(filling: Filling<T>, held: Held): Promise<{ readonly value: T; readonly outcome: 'hit' | 'miss' }>;
  /** The load under this lease, while it runs in this process. */
  flight(lease: LeaseToken): Flight | undefined;
  readonly inFlight: number;
  /** The loads that the caller is a part of, as far as one can know: it runs before the first of them waits for anything. */
  readonly callers: readonly LeaseToken[];
}

export interface FillerOptions {
  readonly runLoader: RunLoader;
  readonly counts: Counts;
}

export function createFiller({ runLoader, counts }: FillerOptions): Filler {
  const flights = new Map<LeaseToken, Flight>();
  let callers: readonly LeaseToken[] = [];

  const begin = <T>({ load, budget }: Filling<T>, { token }: Held): Promise<T> => {
    const outer = callers;
    callers = [...outer, token];
    const loading = runLoader(load, budget);
    callers = outer;
    return loading;
  };

  /** What tagged reads and phase `dual` do before they load, or instead of it. */
  const prepareAndLoad = async <T>(filling: Filling<T>, held: Held, finds: Finds<T>): Promise<T> => {
    const { store, budget, onError } = filling;
    // Where they cannot be had, the value is loaded and not stored.
    const epochs = held.epochs && (await budget.wait(ensureEpochs(store, held.epochs)).catch(onError));
    if (adoptsLegacy(filling, held)) finds.beside = await lookBeside(filling);
    const { entry } = finds.beside;
    if (entry) return entry.value;
    finds.epochs = epochs ?? undefined;
    return begin(filling, held);
  };

  return {
    flight: (lease) => flights.get(lease),
    get inFlight() {
      return flights.size;
    },
    get callers() {
      return callers;
    },
    async fill<T>(filling: Filling<T>, held: Held) {
      const { budget, onError } = filling;
      const finds: Finds<T> = { beside: NOTHING, epochs: undefined };
      const loading =
        held.epochs || adoptsLegacy(filling, held)
          ? prepareAndLoad(filling, held, finds)
          : begin(filling, held);
      flights.set(held.token, { value: loading, finds });
      try {
        const value = await loading;
        try {
          // Awaited although nobody waits for its outcome: a frozen sandbox would lose it.
          const kept = await budget.wait(keep(filling, held, { finds, value }));
          if (!kept) counts.fencedFills += 1;
        } catch (error) {
          onError(error);
          release(filling, held, finds);
        }
        if (!finds.beside.entry) return { value, outcome: 'miss' };
        counts.legacyFallbacks += 1;
        return { value, outcome: 'hit' };
      } catch (error) {
        release(filling, held, finds);
        throw error;
      } finally {
        counts[finds.beside.entry ? 'hits' : 'misses'] += 1;
        flights.delete(held.token);
      }
    },
  };
}

/** What is found before a load. */
interface Finds<T> {
  /** In phase `dual`, beside the legacy key. */
  beside: Beside<T>;
  /** The epochs that a tagged load began under. */
  epochs: Epochs | undefined;
}

const NOTHING = {};

const adoptsLegacy = <T>({ places, adoptLegacy }: Filling<T>, { epochs }: Held): boolean =>
  places.fillsLegacy && adoptLegacy && !epochs;

/** Not waited for: where it fails, the leases expire, and the reader has waited for Redis long enough. */
function release<T>(
  { store, places, onError }: Filling<T>,
  { token }: Held,
  { beside: { fence } }: Finds<T>,
): void {
  store.release(places.leaseAt, token).catch(onError);
  if (fence) store.release(places.fence, fence).catch(onError);
}

/** Stores under the leases. @returns false if an invalidation came between. */
function keep<T>(
  { store, places, codec, ttlMs: wantedMs, negativeTtlMs }: Filling<T>,
  { token, epochs }: Held,
  { finds, value }: { finds: Finds<T>; value: T },
): Promise<boolean> {
  const { leaseAt, home, legacy } = places;
  const { fence, entry, foreign } = finds.beside;
  const isNothing = value === null && !entry;
  // "Nothing" is no value that the legacy backend writes, so that its key never holds it.
  const keptMs = isNothing ? (home === legacy ? undefined : negativeTtlMs) : wantedMs;
  const hasEpochs = !epochs || finds.epochs;
  if (keptMs === undefined || !hasEpochs) {
    const released = [store.release(leaseAt, token), fence && store.release(places.fence, fence)];
    return Promise.all(released).then(() => true);
  }
  const bytes = entry?.bytes ?? codec.encode(value);
  const ttlMs = Math.min(jittered(keptMs), Math.max(1, entry?.ttlMs ?? Number.POSITIVE_INFINITY));
  const stored = store.fill({ leaseAt, token, home, value: seal(bytes, finds.epochs), ttlMs });
  if (!fence) return stored;
  // What was taken over is there already.
  const beside =
    entry || foreign || isNothing
      ? store.release(places.fence, fence)
      : store.fill({ leaseAt: places.fence, token: fence, home: legacy, value: bytes, ttlMs });
  return Promise.all([stored, beside]).then(([isStored]) => isStored);
}
