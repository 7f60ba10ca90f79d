import { setTimeout as sleep } from 'node:timers/promises';
import { createCache } from '../cache/cache.ts';
import { createKeyspace } from '../cache/keyspace.ts';
import { type Environment, environmentName } from '../cache/phase.ts';
import { createPresence } from '../cache/presence.ts';
import { redisStore } from '../cache/redis-store.ts';
import { SEEN_SECONDS } from '../cache/seen.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { retentionSeconds } from '../contract/families.ts';
import { DISPATCHER_SERVICE } from '../contract/metrics.ts';
import { createEvictions } from '../coverage/evictions.ts';
import { judgeCoverage } from '../coverage/judge.ts';
import { databaseOptionsOf } from '../database/options.ts';
import { createPool } from '../database/pool.ts';
import { redisOptionsOf } from '../redis/options.ts';
import { errorFields, type Logger } from '../telemetry/logger.ts';
import { type Backlog, backlogOf } from './backlog.ts';
import { barState } from './bar-state.ts';
import { type DispatchReport, dispatch, LATELY_SECONDS } from './dispatch.ts';
import { openReplayedRedis } from './replayed-redis.ts';

export interface Dispatcher {
  /** One pass over the outbox. @throws what the database throws. */
  dispatch(): Promise<DispatchReport>;
  /** What is left of it now. @throws what the database throws. */
  backlog(): Promise<Backlog>;
  /** Passes, each so long after the one before, until it is closed. What a pass throws is logged. */
  every(intervalMs: number): void;
  close(): Promise<void>;
}

/** Nobody waits for an answer here. */
const DEADLINE_MS = 2000;

/**
 * The process that makes good for writes whose invalidation was not confirmed, on connections of its own. Reads what
 * `redisOptionsOf` and `databaseOptionsOf` read, and NODE_ENV.
 * @throws ConfigurationError naming the variable; also when the Redis is in use under another NODE_ENV.
 * @example
 * ```ts
 * import pg from 'pg';
 * import { openDispatcher, prepareOutbox } from 'cutover/outbox';
 *
 * const database = new pg.Pool({ connectionString: process.env.DATABASE_URL });
 * await prepareOutbox(database, []);
 * await database.query("INSERT INTO cutover_outbox (kind, name) VALUES ('key', 'mocs:user:123:list')"); // as a killed process leaves it
 * const { DATABASE_URL, REDIS_URL } = process.env;
 * const dispatcher = await openDispatcher({ NODE_ENV: 'production', DATABASE_URL, REDIS_URL }, console);
 * await dispatcher.dispatch(); // => { confirmed: 1, pending: false, pruned: 0 }
 * await dispatcher.close();
 * await database.end();
 * ```
 */
export async function openDispatcher(environment: Environment, logger: Logger): Promise<Dispatcher> {
  const target = redisOptionsOf(environment);
  if (!target) throw new ConfigurationError('dispatcher: REDIS_URL is not set; it is redis://host:6379');
  const databaseTarget = databaseOptionsOf(environment, 'dispatcher');
  const env = environmentName(environment['NODE_ENV']);
  // An invalidation names the same keys in every phase.
  const keyspace = createKeyspace({ phase: 'legacy', env });
  const database = createPool({
    ...databaseTarget,
    applicationName: 'cutover-dispatcher',
    maxConnections: 2,
    onError: (error) => logger.warn('database connection error', errorFields(error)),
  });
  const redis = await openReplayedRedis({
    ...target,
    name: 'cutover-dispatcher',
    keyspace,
    database,
    logger,
    deadlineMs: DEADLINE_MS,
  });
  const cache = createCache({
    keyspace,
    store: redisStore(redis.send, redis),
    onError: (error, family) => logger.warn('invalidation failed', { family, ...errorFields(error) }),
  });
  const bar = barState({
    keyspace,
    send: redis.send,
    onError: (error, family) => logger.warn('state not barred', { family, ...errorFields(error) }),
  });
  const isHere = createPresence({
    ...{ send: redis.send, service: DISPATCHER_SERVICE, env, mirror: false },
    // It neither reads nor fills.
    phase: null,
  });
  const evictions = createEvictions(redis.send, SEEN_SECONDS * 1000);
  /** Not while marks may have been lost with a server, or evicted: then nobody can be blamed. */
  const judge = async (isLately: boolean) => {
    try {
      if ((await evictions.wereLately()) || isLately) return [];
      const uncovered = await judgeCoverage({ database, keyspace, send: redis.send });
      if (uncovered.length > 0) {
        logger.warn('rows are changed without an invalidation: is the mirror on in this writer?', {
          uncovered,
        });
      }
      return uncovered;
    } catch (error) {
      logger.warn('coverage not judged', errorFields(error));
      return [];
    }
  };
  const ended = new AbortController();
  let running: Promise<void> = Promise.resolve();
  /** When the last pass began that forgot once more what was confirmed until then. */
  let forgottenAgainAt = Number.NEGATIVE_INFINITY;
  const pass = async () => {
    isHere();
    await redis.recheck();
    const beganAt = performance.now();
    const isLately = await redis.wasReplayedLately().catch(() => true);
    const sinceSeconds = Math.ceil((beganAt - forgottenAgainAt) / 1000);
    const againSeconds = isLately ? Math.min(LATELY_SECONDS, sinceSeconds) : 0;
    const { families } = keyspace;
    const report = await dispatch({
      database,
      keyspace,
      cache,
      barState: bar,
      retentionSeconds: retentionSeconds(families),
      againSeconds,
    });
    if (isLately && !report.pending) forgottenAgainAt = beganAt;
    const uncovered = await judge(isLately);
    return uncovered.length > 0 ? { ...report, uncovered } : report;
  };

  return {
    dispatch: pass,
    backlog: () => backlogOf(database),
    every(intervalMs) {
      const { signal } = ended;
      running = (async () => {
        while (!signal.aborted) {
          await pass().catch((error: unknown) => logger.error('no dispatch', errorFields(error)));
          await sleep(intervalMs, undefined, { signal }).catch(() => {});
        }
      })();
    },
    async close() {
      ended.abort();
      await running;
      redis.close();
      await database.end();
    },
  };
}
