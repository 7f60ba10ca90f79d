import { withBreaker } from '../../../lambda/cache/breaker.ts';
import { createCache } from '../../../lambda/cache/cache.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { redisStore, type Send } from '../../../lambda/cache/redis-store.ts';
import { throughGate } from '../../../lambda/cache/replay-gate.ts';
import { isInTransaction, withTransaction } from '../../../lambda/database/pool.ts';
import type { ApiCache } from '../../../lambda/http/wire.ts';
import { createWrites } from '../../../lambda/outbox/writes.ts';
import { type GatedConnection, gateOf } from './connection.ts';
import type { ProcessDatabase } from './database.ts';
import type { Departure } from './departures.ts';
import type { LegacyClient } from './legacy-client.ts';
import { type Cached, keyspaceOf, type Named, type Subject } from './registry.ts';
import { loadRow, updateRow } from './rows.ts';

/** A process of the schedule: what its requests do. */
export interface Backend {
  read(cached: Cached): Promise<number>;
  /** @returns the version, or undefined where the answer was `pending`. */
  write(named: Named): Promise<number | undefined>;
}

/** An instance of the cache runtime. */
export interface Instance extends Backend {
  /** A new process takes over in the other phase, while the old one's requests go on. */
  changePhase(): void;
  /** Its connection to Redis is a new one. */
  connected(): Promise<void>;
}

/** The legacy backend. */
export interface Legacy extends Backend {
  /** Get, UPDATE, setEx, as plain code does it. */
  modify(): Promise<number | undefined>;
}

const TTL_SECONDS = 300;
/** What a write by the runtime leaves in the outbox, and what the triggers leave for one that does not know of it. */
const OWN_ENTRIES = 1;
const TRIGGERED_ENTRIES = 2;

export interface BackendOptions {
  readonly subject: Subject;
  readonly database: ProcessDatabase;
  readonly send: Send;
  readonly sendFresh: Send;
  readonly departure: Departure;
}

/** @param phases the one that it begins in, and the one that it changes to. */
export function createInstance(phases: readonly [Phase, Phase], options: BackendOptions): Instance {
  const { subject, database, departure } = options;
  const { user, list, view, tag } = subject;
  let [phase, other] = phases;
  const connection = gateOf({ ...options, database: database.pool });
  let { cache, writes } = runtimeOf(phase, connection, options);
  const load = async () => (await loadRow(database.pool, user)).view;
  const forget = (named: Named) => (named === 'key' ? cache.invalidate(list) : cache.invalidateTag(tag));
  return {
    async read(cached) {
      const answer =
        cached === 'list' ? cache.resolve(list, load) : cache.resolve(view, load, { tags: [tag] });
      return (await answer).value;
    },
    async write(named) {
      if (departure.invalidatesBeforeCommit) await forget(named);
      const { value, invalidation } = await writes.withTransaction((tx) => {
        if (named === 'key') tx.invalidate(list);
        else tx.invalidateTag(tag);
        return updateRow(tx, { user, named, entries: OWN_ENTRIES });
      });
      return invalidation === 'done' ? value : undefined;
    },
    changePhase() {
      [phase, other] = [other, phase];
      ({ cache, writes } = runtimeOf(phase, connection, options));
    },
    connected: connection.connected,
  };
}

/** As lambda/outbox/wire-cache.ts and open-cache.ts wire it. */
function runtimeOf(
  phase: Phase,
  { gate }: GatedConnection,
  { send, sendFresh, database, departure }: BackendOptions,
) {
  const keyspace = keyspaceOf(phase);
  const departing = departure.runtimeSend ?? ((send) => send);
  const sent = departing(send);
  const storeOn = (send: Send) => {
    const store = redisStore(send);
    return departure.store?.(store, { phase, send }) ?? store;
  };
  const made = createCache({
    keyspace,
    store: storeOn(throughGate(withBreaker(sent), gate)),
    invalidates: [storeOn(sent)],
    freshStores: [storeOn(departing(sendFresh))],
    epochs: true,
    inTransaction: isInTransaction,
  });
  const cache: ApiCache = departure.cache?.(made, { keyspace, send: sent }) ?? made;
  const invalidation = departure.invalidatesBeforeCommit ? NOTHING_LEFT : cache;
  const writes = (departure.writes ?? createWrites)({
    database: database.writer,
    keyspace,
    cache: invalidation,
  });
  return { cache, writes };
}

const done = async () => 'done' as const;
const NOTHING_LEFT = { invalidate: done, invalidateTag: done };

/** Plain code on the client; what that sends waits for its turn. */
export function createLegacy(
  client: LegacyClient,
  { subject: { user, list }, database, send, departure }: BackendOptions,
): Legacy {
  client.use(departure.mirrorSend?.(send) ?? send);
  const redis = departure.mirrorOff ? client.plain : client.mirrored;
  const get = () => redis.get(list).catch(() => null);
  const store = (version: number) => redis.setEx(list, TTL_SECONDS, JSON.stringify(version));
  const forget = () => succeeds(redis.del(list));
  const update = () => updateBare(database, user);
  return {
    async read() {
      const stored = await get();
      if (stored !== null) return JSON.parse(stored) as number;
      const version = (await loadRow(database.pool, user)).view;
      await succeeds(store(version));
      return version;
    },
    async write() {
      if (departure.invalidatesBeforeCommit) return (await forget()) ? update() : void (await update());
      const version = await update();
      return (await forget()) ? version : undefined;
    },
    async modify() {
      await get();
      const version = await update();
      return (await succeeds(store(version))) ? version : undefined;
    },
  };
}

/** A write by somebody who knows of no outbox: only the triggers tell of it. */
export const updateBare = (database: ProcessDatabase, user: string): Promise<number> =>
  withTransaction(database.writer, (tx) => updateRow(tx, { user, named: 'key', entries: TRIGGERED_ENTRIES }));

const succeeds = (reply: Promise<unknown>) =>
  reply.then(
    () => true,
    () => false,
  );
