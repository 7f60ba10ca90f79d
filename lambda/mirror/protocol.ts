import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { bumpEpochs } from '../cache/epochs.ts';
import { invalidationSteps, type PhysicalKey, type Places } from '../cache/keyspace.ts';
import { drawToken, isLease, type LeaseToken } from '../cache/lease.ts';
import { fillCommand, redisStore, type Send } from '../cache/redis-store.ts';
import { markFilled, markSeen } from '../cache/seen.ts';
import type { Argument, PlainSet } from './commands.ts';
import { createReadContext } from './context.ts';

/** A lease for a load of at most 5 s, like the runtime's, and the way of the fill. */
const LEASE_MS = 6000;
/** How long a read waits for another filler. Shorter than the runtime's: this code was not written to wait. */
const WAIT_FOR_FILLER_MS = 100;
const INVALIDATION_ATTEMPTS = 2;
const NOT_HELD = { held: false, token: undefined } as const;

/** The legacy backend's side of the coherence protocol, on its own connection. */
export interface MirrorProtocol {
  /** A GET: after a miss it takes the lease beside the key, or waits a little for who holds it. */
  read(places: Places, get: () => Promise<unknown>): Promise<unknown>;
  /** An MGET: as `read` for each key, without waiting. */
  readMany(all: readonly (Places | undefined)[], get: () => Promise<unknown>): Promise<unknown>;
  /** The token that a SET in this context follows. Has to be called in the caller's own tick. */
  take(key: string): LeaseToken | undefined;
  /** A SET: a fill if its token still holds; if it does not, or there is none, an invalidation. */
  set(places: Places, set: PlainSet & { token: LeaseToken | undefined }): Promise<void>;
  /**
   * After a SET that was a fill, stored or not: get, UPDATE, SET looks the same, so what differs from the value goes,
   * everywhere (docs/decisions/0001-a-fill-keeps-what-is-equal.md).
   */
  afterFill(places: Places, fill: { value: Argument; stored: boolean }): Promise<void>;
  /** Forgets the key in all its places, the command in the place of the legacy key's UNLINK if one is given. */
  invalidate(places: readonly Places[], command?: () => Promise<unknown>): Promise<unknown>;
}

export interface ProtocolOptions {
  readonly send: Send;
  /** Whether commands on namespaced keys travel on a connection of their own, where one could overtake the others. */
  readonly hasTwins: boolean;
  /** Whether what Redis holds may be read; where it may not, every read is a miss that fills nothing. */
  readonly mayRead: () => boolean;
}

export function createProtocol({ send, hasTwins, mayRead }: ProtocolOptions): MirrorProtocol {
  // As in a cluster, a step then waits for the one before it.
  const store = redisStore(send, { clustered: hasTwins });
  const context = createReadContext(LEASE_MS);
  /** Keys whose filler did not come: code that reads and never stores must not be slowed down for ever. */
  const unfilled = new LRUCache<string, true>({ max: 1000, ttl: LEASE_MS });

  /** The token to fill under: one's own, or the one that holds, since it was there before one's own load. */
  const acquire = async (places: Places): Promise<{ held: boolean; token: LeaseToken | undefined }> => {
    const token = drawToken();
    // A failure costs the fill, and the SET that follows is then an invalidation.
    const there = await store.acquire(places.fence, token, LEASE_MS).catch(() => undefined);
    if (there === null) return { held: true, token };
    return { held: false, token: there !== undefined && isLease(there) ? there : undefined };
  };

  const unlinkUnless = async (key: PhysicalKey, value: Argument) => {
    // Bytes that are not text cannot be compared as text.
    const there = typeof value === 'string' ? await store.get(key) : undefined;
    if (there !== null && there !== value) await store.unlink([[key]]);
  };

  const bumpTags = (places: readonly Places[]) =>
    bumpEpochs(
      store,
      places.flatMap(({ tags }) => tags),
    );

  const unlinkAll = async (places: readonly Places[]) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const forgotten = Promise.all([store.unlink(invalidationSteps(places)), bumpTags(places)]);
        markSeen(store, places);
        await forgotten;
        return;
      } catch (error) {
        // Its writer has to know, as of a DEL that failed.
        if (attempt === INVALIDATION_ATTEMPTS) throw error;
      }
    }
  };

  const protocol: MirrorProtocol = {
    async read(places, get) {
      const [reading] = context.begin([places.legacy]);
      if (!reading) return get();
      const waitUntil = performance.now() + WAIT_FOR_FILLER_MS;
      for (let waitMs = 4; ; waitMs *= 2) {
        const value = await get();
        if (!mayRead()) {
          reading.open = false;
          return null;
        }
        // The second time beside the lease, which goes first: meanwhile its filler may have stored.
        const [{ held, token }, again] =
          value === null ? await Promise.all([acquire(places), get()]) : [NOT_HELD, value];
        if (again !== null) {
          reading.open = false;
          if (held && token) store.release(places.fence, token).catch(() => {});
          return again;
        }
        if (token) reading.token = token;
        if (held) return null;
        if (reading.ambiguous || unfilled.has(places.legacy)) return null;
        if (performance.now() >= waitUntil) {
          unfilled.set(places.legacy, true);
          return null;
        }
        await sleep(waitMs * (0.5 + Math.random() / 2));
      }
    },
    async readMany(all, get) {
      const mapped = all.flatMap((places, index) => (places ? [{ places, index }] : []));
      const readings = context.begin(mapped.map(({ places }) => places.legacy));
      const values = await get();
      if (!Array.isArray(values)) return values;
      if (!mayRead()) {
        for (const reading of readings) reading.open = false;
        return values.map((value, index) => (all[index] ? null : value));
      }
      await Promise.all(
        mapped.map(async ({ places, index }, order) => {
          const { token } = values[index] === null ? await acquire(places) : { token: undefined };
          const reading = readings[order];
          if (reading && token) reading.token = token;
          else if (reading) reading.open = false;
        }),
      );
      return values;
    },
    take: (key) => context.take(key),
    async set(places, { token, value, expiry }) {
      if (!token) return unlinkAll([places]);
      const { fence: leaseAt, legacy: home } = places;
      // An unknown outcome counts as not stored: what follows is right after either.
      const reply = await send(fillCommand({ leaseAt, token, home, value, expiry })).catch(() => undefined);
      await protocol.afterFill(places, { value, stored: reply === 1 });
    },
    async afterFill(places, { value, stored }) {
      try {
        if (!stored) {
          // First the lease: who holds it now may have loaded before this write.
          await store.unlink([[places.fence]]);
          await unlinkUnless(places.legacy, value);
        }
        markFilled(store, [places]);
        await Promise.all([...places.namespaced.map((key) => unlinkUnless(key, value)), bumpTags([places])]);
      } catch {
        await unlinkAll([places]);
      }
    },
    async invalidate(places, command) {
      if (!command) return unlinkAll(places);
      const all = (pick: (each: Places) => readonly Places['home'][]) => store.unlink([places.flatMap(pick)]);
      // Sources before what is filled from them: pipelined on the one connection, else after their replies.
      const sources = [all((each) => [each.fence]), command()] as const;
      if (hasTwins) await Promise.allSettled(sources);
      const settled = Promise.allSettled([...sources, all((each) => each.namespaced), bumpTags(places)]);
      markSeen(store, places);
      const [before, reply, after, bumped] = await settled;
      if (reply.status === 'rejected') {
        await unlinkAll(places);
        throw reply.reason;
      }
      if ([before, after, bumped].some(({ status }) => status === 'rejected')) await unlinkAll(places);
      return reply.value;
    },
  };
  return protocol;
}
