import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { PhysicalKey, Places } from '../cache/keyspace.ts';
import { drawToken, type LeaseToken } from '../cache/lease.ts';
import { redisStore, type Send } from '../cache/redis-store.ts';
import type { Argument, PlainSet } from './commands.ts';
import { createReadContext } from './context.ts';

/** A lease for a load of at most 5 s, like the runtime's, and the way of the fill. */
const LEASE_MS = 6000;
/** How long a read waits for another filler. Shorter than the runtime's: this code was not written to wait. */
const WAIT_FOR_FILLER_MS = 100;
const INVALIDATION_ATTEMPTS = 2;

/** The legacy backend's side of the coherence protocol, on its own connection. */
export interface MirrorProtocol {
  /** A GET: after a miss it takes the lease beside the key, or waits a little for who holds it. */
  read(places: Places, get: () => Promise<unknown>): Promise<unknown>;
  /** An MGET: as `read` for each key, without waiting. */
  readMany(all: readonly (Places | undefined)[], get: () => Promise<unknown>): Promise<unknown>;
  /** The token that a SET in this context follows. Has to be called in the caller's own tick. */
  take(key: string): LeaseToken | undefined;
  /** A SET: a fill if its token still holds, else an invalidation. */
  set(places: Places, set: PlainSet & { token: LeaseToken | undefined }): Promise<void>;
  /**
   * After a fill: get, UPDATE, SET looks the same as a fill, so the serverless entries go too, unless they hold
   * just what was stored (docs/decisions/0001-a-fill-keeps-an-equal-entry.md).
   */
  afterFill(places: Places, value: Argument): Promise<void>;
  /** Forgets the key in all its places, the command in the place of the legacy key's UNLINK if one is given. */
  invalidate(places: readonly Places[], command?: () => Promise<unknown>): Promise<unknown>;
}

export function createProtocol(send: Send): MirrorProtocol {
  const store = redisStore(send);
  const context = createReadContext(LEASE_MS);
  /** Keys whose filler did not come: code that reads and never stores must not be slowed down for ever. */
  const unfilled = new LRUCache<string, true>({ max: 1000, ttl: LEASE_MS });

  const acquire = async (places: Places) => {
    const token = drawToken();
    // A failure costs the fill, and the SET that follows is then an invalidation.
    const there = await store.acquire(places.fence, token, LEASE_MS).catch(() => undefined);
    return there === null ? token : undefined;
  };

  const unlinkAll = async (places: readonly Places[]) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await store.unlink(places.flatMap((each) => each.invalidation));
      } catch (error) {
        // Its writer has to know, as of a DEL that failed.
        if (attempt === INVALIDATION_ATTEMPTS) throw error;
      }
    }
  };

  const protocol: MirrorProtocol = {
    async read(places, get) {
      const reading = context.begin(places.legacy);
      const waitUntil = performance.now() + WAIT_FOR_FILLER_MS;
      for (let waitMs = 4; ; waitMs *= 2) {
        const value = await get();
        if (value !== null) {
          reading.open = false;
          return value;
        }
        const token = await acquire(places);
        if (token !== undefined) {
          reading.token = token;
          return null;
        }
        if (reading.ambiguous || unfilled.has(places.legacy)) return null;
        if (performance.now() >= waitUntil) {
          unfilled.set(places.legacy, true);
          return null;
        }
        await sleep(waitMs * (0.5 + Math.random() / 2));
      }
    },
    async readMany(all, get) {
      const readings = all.map((places) => places && context.begin(places.legacy));
      const values = await get();
      if (!Array.isArray(values)) return values;
      await Promise.all(
        all.map(async (places, index) => {
          const reading = readings[index];
          if (!places || !reading) return;
          const token = values[index] === null ? await acquire(places) : undefined;
          if (token === undefined) reading.open = false;
          else reading.token = token;
        }),
      );
      return values;
    },
    take: (key) => context.take(key),
    async set(places, { token, value, expiry }) {
      const { fence: leaseAt, legacy: home } = places;
      // An unknown outcome counts as not stored: an invalidation is right after either.
      const stored = token
        ? await store.fill({ leaseAt, token, home, value, expiry }).catch(() => false)
        : false;
      if (stored) await protocol.afterFill(places, value);
      else await unlinkAll([places]);
    },
    async afterFill(places, value) {
      const unlinkIfOther = async (key: PhysicalKey) => {
        // Bytes that are not text cannot be compared as text.
        const stored = typeof value === 'string' ? await store.get(key) : undefined;
        if (stored !== null && stored !== value) await store.unlink([key]);
      };
      await Promise.all(places.namespaced.map(unlinkIfOther)).catch(() => unlinkAll([places]));
    },
    async invalidate(places, command) {
      if (!command) return unlinkAll(places);
      const all = (pick: (each: Places) => readonly Places['home'][]) => store.unlink(places.flatMap(pick));
      // Pipelined on the one connection: sources before what is filled from them.
      const [before, reply, after] = await Promise.allSettled([
        all((each) => [each.fence]),
        command(),
        all((each) => each.namespaced),
      ]);
      if (reply.status === 'rejected') {
        await unlinkAll(places);
        throw reply.reason;
      }
      if (before.status === 'rejected' || after.status === 'rejected') await unlinkAll(places);
      return reply.value;
    },
  };
  return protocol;
}
