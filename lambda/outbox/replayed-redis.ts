import { setTimeout as sleep } from 'node:timers/promises';
import { createCache } from '../cache/cache.ts';
import { claimEnvironment } from '../cache/claim.ts';
import type { Keyspace } from '../cache/keyspace.ts';
import { redisStore, type Send } from '../cache/redis-store.ts';
import { createReplayGate, REPLAYED, type ReplayGate } from '../cache/replay-gate.ts';
import { ConfigurationError } from '../contract/errors.ts';
import type { Database } from '../database/pool.ts';
import { connectRedis } from '../redis/connection.ts';
import { errorFields, type Logger } from '../telemetry/logger.ts';
import { replayOutbox } from './replay.ts';

/** A Redis that this environment has claimed, and to which its outbox is replayed before it is read. */
export interface ReplayedRedis {
  readonly send: Send;
  readonly gate: ReplayGate;
  close(): void;
}

export interface ReplayedRedisOptions {
  readonly url: string;
  /** How the connection is named in CLIENT LIST. */
  readonly name: string;
  readonly keyspace: Keyspace;
  readonly database: Database;
  readonly logger: Logger;
  /** How long a reply may take. Default: a handler's deadline. */
  readonly deadlineMs?: number;
}

/** How long a cold start waits for the connection, which goes on behind it, and for what it asks there. */
const COLD_START_WAIT_MS = 250;
const CLAIM_AGAIN_AFTER_MS = 5000;

/**
 * Connects; what can be had within 250 ms is there when this resolves, and the rest goes on behind it.
 * @throws ConfigurationError when the Redis is in use under another NODE_ENV.
 */
export async function openReplayedRedis(options: ReplayedRedisOptions): Promise<ReplayedRedis> {
  const { keyspace, database, logger, ...connection } = options;
  let refused: ConfigurationError | undefined;
  let claim: Promise<boolean> = Promise.resolve(false);
  let checked: Promise<unknown> = Promise.resolve();

  const askForClaim = async (): Promise<boolean> => {
    try {
      await claimEnvironment(redis.send, keyspace.env);
      return true;
    } catch (error) {
      if (error instanceof ConfigurationError) refused = error;
      else setTimeout(claimNow, CLAIM_AGAIN_AFTER_MS).unref();
      logger.error(refused ? 'serving without Redis' : 'this Redis is not claimed yet', errorFields(error));
      return false;
    }
  };
  const claimNow = () => {
    claim = askForClaim();
  };
  const gate = createReplayGate({
    primaries: () => [{ send: redis.send, markKey: REPLAYED }],
    // What belongs to another environment is not ours to invalidate.
    replay: async () =>
      (await claim) &&
      replayOutbox({ database, keyspace, cache: createCache({ keyspace, store: redisStore(redis.send) }) }),
    onError: (error) => logger.warn('the outbox is not replayed yet', errorFields(error)),
  });
  const redis = connectRedis({
    ...connection,
    onReady: () => {
      logger.info('redis connected');
      claimNow();
      checked = gate.connected();
    },
    onError: (error) => logger.warn('redis connection error', errorFields(error)),
  });

  await redis.ready(COLD_START_WAIT_MS).catch(() => {});
  await Promise.race([Promise.all([claim, checked]), sleep(COLD_START_WAIT_MS)]);
  const close = () => {
    gate.close();
    redis.close();
  };
  if (refused) {
    close();
    throw refused;
  }
  return {
    send: (command) => (refused ? Promise.reject(refused) : redis.send(command)),
    gate,
    close,
  };
}
