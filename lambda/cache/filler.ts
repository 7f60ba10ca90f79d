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

  const prepareAndLoad = async <T>(filling: Filling<T>, held: Held, finds: Finds<T>): Promise<Loaded<T>> => {
    const { request, load } = filling;
    const { store, budget, onError } = request;
    // Where they cannot be had, the value is loaded and not stored.
    const epochs = held.epochs && (await budget.wait(ensureEpochs(store, held.epochs)).catch(onError));
    if (adoptsLegacy(filling, held)) finds.beside = await lookBeside(request);
    const { entry } = finds.beside;
    if (entry) return { value: entry.value, outcome: 'hit', epochs: undefined };
    return { value: await runLoader(load), outcome: 'miss', epochs: epochs ?? undefined };
  };

  return {
    flight: (lease) => flights.get(lease),
    get inFlight() {
      return flights.size;
    },
    async fill<T>(filling: Filling<T>, held: Held) {
      const finds: Finds<T> = { beside: NOTHING };
      const flight =
        held.epochs || adoptsLegacy(filling, held)
          ? prepareAndLoad(filling, held, finds)
          : runLoader(filling.load).then<Loaded<T>>(missed);
      flights.set(held.token, flight);
      try {
        const loaded = await flight;
        try {
          // Awaited although nobody waits for its outcome: a frozen sandbox would lose it.
          const kept = await filling.request.budget.wait(keep(filling, held, finds.beside, loaded));
          if (!kept) counts.fencedFills += 1;
        } catch (error) {
          filling.request.onError(error);
          release(filling, held, finds.beside);
        }
        if (finds.beside.entry) counts.legacyFallbacks += 1;
        return loaded;
      } catch (error) {
        release(filling, held, finds.beside);
        throw error;
      } finally {
        counts[finds.beside.entry ? 'hits' : 'misses'] += 1;
        flights.delete(held.token);
      }
    },
  };
}

/** What a load in phase `dual` finds beside the legacy key. */
interface Finds<T> {
  beside: Beside<T>;
}

const NOTHING = {};

const missed = <T>(value: T): Loaded<T> => ({ value, outcome: 'miss', epochs: undefined });

const adoptsLegacy = <T>({ request, adoptLegacy }: Filling<T>, { epochs }: Held): boolean =>
  request.places.fillsLegacy && adoptLegacy && !epochs;

/** Not waited for: where it fails, the leases expire, and the reader has waited for Redis long enough. */
function release<T>({ request }: Filling<T>, { token }: Held, { fence }: Beside<T>): void {
  const { store, places, onError } = request;
  store.release(places.leaseAt, token).catch(onError);
  if (fence) store.release(places.fence, fence).catch(onError);
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
