import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { createDeadline } from '../redis/deadline.ts';
import { readEpochs, sameEpochs } from './epochs.ts';
import type { Fallback } from './fallback.ts';
import type { Filler, Filling, Flight } from './filler.ts';
import type { Loader, RunLoader } from './flight.ts';
import type { LeaseToken } from './lease.ts';
import { type Got, type Look, look, type Seen } from './look.ts';
import type { Counts } from './metrics.ts';

/** Where an answer came from: the cache, a load, or a load because the cache could not or may not be asked. */
export type Outcome = 'hit' | 'miss' | 'bypass';

export interface Answer<T> {
  readonly value: T;
  readonly outcome: Outcome;
}

/** A read that may load. */
export interface Read<T> extends Filling<T> {
  /** The loads that it is a part of. */
  readonly callers: readonly LeaseToken[];
}

export interface ReadThrough {
  /** Reads; goes on after a GET that was no plain hit, where there was one: loads, or joins or waits for who does. */
  readOn<T>(read: Read<T>, first: Got | undefined): Promise<Answer<T>>;
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
  readonly loaderTimeoutMs: number;
  readonly counts: Counts;
}

/** How long a reader waits for another process's load before it loads for itself, without storing. */
const WAIT_FOR_FILLER_MS = 500;
const FIRST_WAIT_MS = 4;
const LONGEST_WAIT_MS = 64;
const MAX_ABANDONED = 1000;
/** Of a loader's time: loads that wait for each other end in it, since both then load for themselves. */
const JOIN_SHARE = 0.5;

export function createReadThrough(options: ReadThroughOptions): ReadThrough {
  const { filler, fallback, runLoader, leaseMs, loaderTimeoutMs, counts } = options;
  const joined = createDeadline(JOIN_SHARE * loaderTimeoutMs);
  /** Leases that were waited for in vain: nobody else has to wait for them. */
  const abandoned = new LRUCache<LeaseToken, true>({ max: MAX_ABANDONED, ttl: leaseMs });

  const loadOnly: ReadThrough['loadOnly'] = async (load, outcome) => {
    counts[outcome === 'miss' ? 'misses' : 'bypasses'] += 1;
    return { value: await runLoader(load), outcome };
  };

  /** How many loads of one key run at once is bounded. */
  const loadInTurn = async <T>(
    key: string,
    load: Loader<T>,
    outcome: 'miss' | 'bypass',
  ): Promise<Answer<T>> => {
    counts[outcome === 'miss' ? 'misses' : 'bypasses'] += 1;
    return { value: await fallback.run(key, () => runLoader(load)), outcome };
  };

  const bypass: ReadThrough['bypass'] = (key, load) => loadInTurn(key, load, 'bypass');

  /** Joins the load under a lease that this reader has seen: since it is there, no invalidation came after its beginning. */
  const join = async <T>(
    flight: Flight,
    read: Read<T>,
    seen: Seen<T> & { kind: 'lease' },
  ): Promise<Answer<T>> => {
    const { places, load, budget } = read;
    const beganAt = performance.now();
    let value: T;
    try {
      value = (await joined(flight.value)) as T;
    } catch {
      // The error belongs to the one whose load failed; the others try once for themselves.
      return loadInTurn(places.legacy, load, 'miss');
    }
    budget.exclude(performance.now() - beganAt);
    if (!(await isCurrent(read, flight, seen))) return loadOnly(load, 'miss');
    counts.misses += 1;
    return { value, outcome: 'miss' };
  };

  return {
    loadOnly,
    bypass,
    async readOn<T>(read: Read<T>, begun: Got | undefined): Promise<Answer<T>> {
      const { load, budget } = read;
      const key = read.places.legacy;
      const waitUntil = performance.now() + WAIT_FOR_FILLER_MS;
      let first = begun;
      for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
        const seen: Seen<T> = await look(read, first);
        first = undefined;
        if (seen.kind === 'away') return bypass(key, load);
        if (seen.kind === 'foreign') return loadOnly(load, 'miss');
        if (seen.kind === 'held') return await filler.fill(read, seen);
        if (seen.kind === 'value') {
          counts.hits += 1;
          return { value: seen.value, outcome: 'hit' };
        }
        const flight = filler.flight(seen.lease);
        if (flight && read.callers.includes(seen.lease)) return loadOnly(load, 'miss');
        if (flight) return join(flight, read, seen);
        const beganAt = performance.now();
        if (beganAt >= waitUntil) abandoned.set(seen.lease, true);
        if (abandoned.has(seen.lease)) return loadInTurn(key, load, 'miss');
        await sleep(waitMs * (0.5 + Math.random() / 2));
        budget.exclude(performance.now() - beganAt);
      }
    },
  };
}

/** Whether the load began under the epochs of this read; those that its filler made are asked for again. */
async function isCurrent<T>(
  { store, tags, budget, onError }: Look<T>,
  { finds: { epochs } }: Flight,
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
