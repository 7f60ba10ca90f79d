import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { readEpochs, sameEpochs } from './epochs.ts';
import type { Fallback } from './fallback.ts';
import type { Filler, Filling, Loaded } from './filler.ts';
import { isNested, type Loader, type RunLoader } from './flight.ts';
import type { LeaseToken } from './lease.ts';
import { type FirstGet, type Look, look, type Seen } from './look.ts';
import type { Counts } from './metrics.ts';

/** Where an answer came from: the cache, a load, or a load because the cache could not or may not be asked. */
export type Outcome = 'hit' | 'miss' | 'bypass';

export interface Answer<T> {
  readonly value: T;
  readonly outcome: Outcome;
}

/** A read that may load. */
export type Read<T> = Filling<T>;

export interface ReadThrough {
  /** Reads; goes on after a GET that was no plain hit, where there was one: loads, or joins or waits for who does. */
  readOn<T>(read: Read<T>, first: FirstGet | undefined): Promise<Answer<T>>;
  /** Loads for a read that could not ask the store; within the limits of the fallback. */
  bypass<T>(key: string, load: Loader<T>): Promise<Answer<T>>;
  /** Loads, and stores nothing. */
  loadOnly<T>(load: Loader<T>, outcome: 'miss' | 'bypass'): Promise<Answer<T>>;
}

export interface ReadThroughOptions {
  readonly filler: Filler;
  readonly fallback: Fallback;
  readonly runLoader: RunLoader;
  readonly leaseMs: number;
  readonly counts: Counts;
}

/** How long a reader waits for another process's load before it loads for itself, without storing. */
const WAIT_FOR_FILLER_MS = 500;
const FIRST_WAIT_MS = 4;
const LONGEST_WAIT_MS = 64;
const MAX_ABANDONED = 1000;

export function createReadThrough(options: ReadThroughOptions): ReadThrough {
  const { filler, fallback, runLoader, leaseMs, counts } = options;
  /** Leases that were waited for in vain: nobody else has to wait for them. */
  const abandoned = new LRUCache<LeaseToken, true>({ max: MAX_ABANDONED, ttl: leaseMs });

  const loadOnly: ReadThrough['loadOnly'] = async (load, outcome) => {
    counts[outcome === 'miss' ? 'misses' : 'bypasses'] += 1;
    return { value: await runLoader(load), outcome };
  };

  const loadInTurn = <T>(key: string, load: Loader<T>): Promise<T> =>
    fallback.run(key, () => runLoader(load));

  const bypass: ReadThrough['bypass'] = async (key, load) => {
    counts.bypasses += 1;
    return { value: await loadInTurn(key, load), outcome: 'bypass' };
  };

  /** Joins the load under a lease that this reader has seen: since it is there, no invalidation came after its beginning. */
  const join = async <T>(
    flight: Promise<Loaded<unknown>>,
    { request, load }: Read<T>,
    seen: Seen<T> & { kind: 'lease' },
  ): Promise<Answer<T>> => {
    const loaded = await flight.catch(() => undefined);
    // An error belongs to the one whose load failed; the others try once for themselves.
    if (!loaded || !(await isCurrent(request, loaded, seen))) return loadOnly(load, 'miss');
    counts.misses += 1;
    return { value: loaded.value as T, outcome: 'miss' };
  };

  return {
    loadOnly,
    bypass,
    async readOn<T>(read: Read<T>, begun: FirstGet | undefined): Promise<Answer<T>> {
      const { request, load } = read;
      const key = request.places.legacy;
      const waitUntil = performance.now() + WAIT_FOR_FILLER_MS;
      let first = begun;
      for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
        const seen: Seen<T> = await look(request, first);
        first = undefined;
        if (seen.kind === 'away') return bypass(key, load);
        if (seen.kind === 'foreign') return loadOnly(load, 'miss');
        if (seen.kind === 'held') return filler.fill(read, seen);
        if (seen.kind === 'value') {
          counts.hits += 1;
          return { value: seen.value, outcome: 'hit' };
        }
        const flight = filler.flight(seen.lease);
        if (flight && !isNested()) return join(flight, read, seen);
        if (performance.now() >= waitUntil) abandoned.set(seen.lease, true);
        if (flight) return loadOnly(load, 'miss');
        if (abandoned.has(seen.lease)) {
          counts.misses += 1;
          return { value: await loadInTurn(key, load), outcome: 'miss' };
        }
        await sleep(waitMs * (0.5 + Math.random() / 2));
      }
    },
  };
}

/** Whether the load began under the epochs of this read; those that its filler made are asked for again. */
async function isCurrent<T>(
  { store, tags, budget, onError }: Look<T>,
  { epochs }: Loaded<unknown>,
  seen: Seen<T> & { kind: 'lease' },
): Promise<boolean> {
  if (!tags) return true;
  if (!epochs) return false;
  if (sameEpochs(epochs, seen.epochs)) return true;
  try {
    return sameEpochs(epochs, await budget.wait(readEpochs(store, tags)));
  } catch (error) {
    onError(error);
    return false;
  }
}
