import { createCache } from '../../../lambda/cache/cache.ts';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import { createReplayGate, type ReplayGate } from '../../../lambda/cache/replay-gate.ts';
import type { Database } from '../../../lambda/database/pool.ts';
import { type ReplayOptions, replayOutbox } from '../../../lambda/outbox/replay.ts';
import { REPLAYED_LATELY } from '../../../lambda/outbox/replayed-redis.ts';
import type { Primary } from '../../../lambda/redis/connection.ts';
import { ALL_SLOTS } from '../../../lambda/redis/slot.ts';
import type { Departure } from './departures.ts';
import { keyspaceOf } from './registry.ts';

/** A process's connection to Redis, and the gate on it. */
export interface GatedConnection {
  readonly gate: ReplayGate;
  /** The connection is a new one. Resolves with the first answer of the gate. */
  connected(): Promise<void>;
}

export interface GatedConnectionOptions {
  readonly send: Send;
  readonly database: Database;
  readonly departure: Departure;
}

/** As lambda/outbox/replayed-redis.ts wires it. */
export function gateOf({ send, database, departure }: GatedConnectionOptions): GatedConnection {
  const keyspace = keyspaceOf('legacy');
  const replay: ReplayOptions = {
    database,
    keyspace,
    cache: createCache({ keyspace, store: redisStore(send) }),
  };
  const primary: Primary = { send: departure.gateSend?.(send) ?? send, slots: ALL_SLOTS };
  const gate = createReplayGate({
    async replay() {
      if (!(await (departure.replay ?? replayOutbox)(replay))) return false;
      await send(['SET', REPLAYED_LATELY, '1']);
      return true;
    },
  });
  return { gate, connected: () => gate.connected(primary) };
}
