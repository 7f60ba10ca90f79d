import { createCache } from '../../../lambda/cache/cache.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { redisStore, type Send } from '../../../lambda/cache/redis-store.ts';
import type { ApiCache } from '../../../lambda/http/wire.ts';
import type { Row } from './database.ts';
import type { Departure } from './departures.ts';
import { ENV, type LegacyClient } from './legacy-client.ts';

/** A process of the schedule: what its requests do. */
export interface Backend {
  read(): Promise<number>;
  /** @returns the version, or undefined where the answer was `pending`. */
  write(): Promise<number | undefined>;
}

/** An instance of the cache runtime. */
export interface Instance extends Backend {
  /** A new process takes over in the other phase, while the old one's requests go on. */
  changePhase(): void;
}

/** The legacy backend. */
export interface Legacy extends Backend {
  /** Get, UPDATE, setEx, as plain code does it. */
  modify(): Promise<number | undefined>;
}

const TTL_SECONDS = 300;

export interface BackendOptions {
  readonly key: string;
  readonly row: Row;
  readonly send: Send;
  readonly departure: Departure;
}

/** @param phases the one that it begins in, and the one that it changes to. */
export function createInstance(phases: readonly [Phase, Phase], options: BackendOptions): Instance {
  const { key, row, departure } = options;
  let [phase, other] = phases;
  let cache = cacheOf(phase, options);
  const forget = async () => (await cache.invalidate(key)) === 'done';
  return {
    read: async () => (await cache.resolve(key, row.load)).value,
    write: () => writeThrough(row, forget, departure),
    changePhase() {
      [phase, other] = [other, phase];
      cache = cacheOf(phase, options);
    },
  };
}

function cacheOf(phase: Phase, { send, departure }: BackendOptions): ApiCache {
  const keyspace = createKeyspace({ phase, env: ENV });
  const sent = departure.runtimeSend?.(send) ?? send;
  const store = redisStore(sent);
  const cache = createCache({ keyspace, store: departure.store?.(store, { phase, send: sent }) ?? store });
  return departure.cache?.(cache, { keyspace, send: sent }) ?? cache;
}

/** Plain code on the client; what that sends waits for its turn. */
export function createLegacy(client: LegacyClient, { key, row, send, departure }: BackendOptions): Legacy {
  client.use(departure.mirrorSend?.(send) ?? send);
  const redis = departure.mirrorOff ? client.plain : client.mirrored;
  const get = () => redis.get(key).catch(() => null);
  const store = (version: number) => redis.setEx(key, TTL_SECONDS, JSON.stringify(version));
  const succeeds = (reply: Promise<unknown>) =>
    reply.then(
      () => true,
      () => false,
    );
  return {
    async read() {
      const stored = await get();
      if (stored !== null) return JSON.parse(stored) as number;
      const version = await row.load();
      await succeeds(store(version));
      return version;
    },
    write: () => writeThrough(row, () => succeeds(redis.del(key)), departure),
    async modify() {
      await get();
      const version = await row.update();
      return (await succeeds(store(version))) ? version : undefined;
    },
  };
}

async function writeThrough(
  row: Row,
  forget: () => Promise<boolean>,
  { invalidatesBeforeCommit }: Departure,
): Promise<number | undefined> {
  if (invalidatesBeforeCommit) {
    const done = await forget();
    const version = await row.update();
    return done ? version : undefined;
  }
  const version = await row.update();
  return (await forget()) ? version : undefined;
}
