import { AsyncLocalStorage } from 'node:async_hooks';
import type { LeaseToken } from '../cache/lease.ts';

/** What the caller's context knows of one read of one key. */
export interface Reading {
  /** The lease that a miss took, or found there. */
  token?: LeaseToken;
  /** Whether a SET may still follow: not after a hit, nor after the SET. */
  open: boolean;
  /** Two reads of one key in one context: a SET could belong to either. */
  ambiguous: boolean;
  readonly expiresAt: number;
}

/** Remembers, for each asynchronous context, the reads that its code made. */
export interface ReadContext {
  /** Notes reads. Has to be called in the caller's own tick, so that what the caller awaits inherits them. */
  begin(keys: readonly string[]): Reading[];
  /** The token under which a SET of this key may be stored, once. In the caller's own tick, too. */
  take(key: string): LeaseToken | undefined;
}

/** Reads that a context remembers; what is forgotten turns a fill into an invalidation. */
const MAX_OPEN_READINGS = 256;

/**
 * Plain handlers pass nothing from their `get` to their `setEx`; the context does. Each read enters a map of its
 * own, copied from the one before, so that requests on one keep-alive connection, or two helpers in one
 * `Promise.all`, do not share one.
 * @param lifetimeMs for how long a token can be of use: the lease's own lifetime.
 */
export function createReadContext(lifetimeMs: number): ReadContext {
  const contexts = new AsyncLocalStorage<ReadonlyMap<string, Reading>>();
  return {
    begin(keys) {
      const now = performance.now();
      const useful = [...(contexts.getStore() ?? [])].filter(([, it]) => it.open && it.expiresAt > now);
      const readings = new Map(useful.slice(-MAX_OPEN_READINGS));
      const begun = keys.map((key) => {
        const before = readings.get(key);
        if (before) before.ambiguous = true;
        const reading: Reading = { open: true, ambiguous: before !== undefined, expiresAt: now + lifetimeMs };
        readings.set(key, reading);
        return reading;
      });
      contexts.enterWith(readings);
      return begun;
    },
    take(key) {
      const reading = contexts.getStore()?.get(key);
      if (!reading?.open || reading.expiresAt <= performance.now()) return undefined;
      reading.open = false;
      return reading.ambiguous ? undefined : reading.token;
    },
  };
}
