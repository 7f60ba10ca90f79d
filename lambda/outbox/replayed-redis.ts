import { setTimeout as sleep } from 'node:timers/promises';
import { createCache } from '../cache/cache.ts';
import { claimEnvironment } from '../cache/claim.ts';
import type { Keyspace } from '../cache/keyspace.ts';
import { redisStore, type Send } from '../cache/redis-store.ts';
import { createReplayGate, type ReplayGate } from '../cache/replay-gate.ts';
import { ConfigurationError } from '../contract/errors.ts';
import type { Database } from '../database/pool.ts';
import { connectRedis, type RedisConnection, type RedisOptions } from '../redis/connection.ts';
import { freshConnections } from '../redis/fresh.ts';
import { errorFields, type Logger } from '../telemetry/logger.ts';
import { barState } from './bar-state.ts';
import { LATELY_SECONDS } from './dispatch.ts';
import { replayOutbox } from './replay.ts';

/** A Redis that this environment has claimed, and to which its outbox is replayed before it is read. */
export interface ReplayedRedis
  extends Pick<RedisConnection, 'clustered' | 'longestWaitMs' | 'connections' | 'close'> {
  readonly send: Send;
  /** Over a connection that is opened for the occasion. */
  readonly sendFresh: Send;
  readonly gate: ReplayGate;
  /** Asks anew whether the outbox is replayed to it, and replays it: the mark may have been flushed. Never rejects. */
  recheck(): Promise<void>;
  /** Whether that was in the last minutes. @throws what Redis throws. */
  wasReplayedLately(): Promise<boolean>;
}

export interface ReplayedRedisOptions
  extends Pick<RedisOptions, 'url' | 'cluster' | 'iam' | 'name' | 'deadlineMs'> {
  readonly keyspace: Keyspace;
  /** Whose outbox is replayed. Without one, another process has to. */
  readonly database?: Database | undefined;
  readonly logger: Logger;
  /** Told of each connection that could not be opened, or was lost; the next attempt follows by itself. */
  readonly onConnectionFailure?: (() => void) | undefined;
}

/** How long a cold start waits for the connection, which goes on behind it, and for what it asks there. */
const COLD_START_WAIT_MS = 250;
const CLAIM_AGAIN_AFTER_MS = 5000;

/**
 * Connects; what can be had within 250 ms is there when this resolves, and the rest goes on behind it.
 * @throws ConfigurationError when the Redis is in use under another NODE_ENV.
 */
export async function openReplayedRedis(options: ReplayedRedisOptions): Promise<ReplayedRedis> {
  const { keyspace, database, logger, onConnectionFailure = () => {}, ...connection } = options;
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
    primaries: () => redis.primaries(),
    // What belongs to another environment is not ours to invalidate.
    replay:
      database && (async (isFirst) => (await claim) && replayTo(redis, { ...options, database, isFirst })),
    onError: (error) => logger.warn('the outbox is not replayed yet', errorFields(error)),
  });
  const redis = connectRedis({
    ...connection,
    onReady: (primary) => {
      logger.info('redis connected');
      claimNow();
      checked = gate.connected(primary);
    },
    onError: (error) => {
      logger.warn('redis connection error', errorFields(error));
      onConnectionFailure();
    },
  });

  const fresh = freshConnections(connection, redis);

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
    sendFresh: (command) => (refused ? Promise.reject(refused) : fresh.send(command)),
    gate,
    async recheck() {
      await Promise.all(redis.primaries().map((primary) => gate.connected(primary)));
    },
    wasReplayedLately: async () => (await redis.send(['GET', REPLAYED_LATELY])) !== null,
    clustered: redis.clustered,
    longestWaitMs: redis.longestWaitMs,
    get connections() {
      return redis.connections + fresh.connections;
    },
    close,
  };
}

/** Stands there for a while after a replay; `dispatch` says what for. */
export const REPLAYED_LATELY = 'cutover:replayed-lately';

async function replayTo(
  redis: RedisConnection,
  { database, keyspace, logger, isFirst }: ReplayedRedisOptions & { database: Database; isFirst: boolean },
): Promise<boolean> {
  const onError = (error: unknown, family: string) =>
    logger.warn('replay failed', { family, ...errorFields(error) });
  const cache = createCache({
    keyspace,
    store: redisStore(redis.send, redis),
    onError,
  });
  const bar = barState({ keyspace, send: redis.send, onError });
  if (!(await replayOutbox({ database, keyspace, cache, barState: bar }))) return false;
  // Where there was no server before, nobody can still be writing to it.
  if (!isFirst) await redis.send(['SET', REPLAYED_LATELY, '1', 'EX', String(LATELY_SECONDS)]);
  return true;
}
