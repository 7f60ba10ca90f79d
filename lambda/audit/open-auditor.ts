import { createKeyspace } from '../cache/keyspace.ts';
import { environmentName } from '../cache/phase.ts';
import { createReplayGate, throughGate } from '../cache/replay-gate.ts';
import { AUDITOR_SERVICE } from '../contract/metrics.ts';
import type { Environment } from '../contract/switches.ts';
import { databaseOptionsOf } from '../database/options.ts';
import { createPool } from '../database/pool.ts';
import { targetOf } from '../flush/target.ts';
import { connectRedis } from '../redis/connection.ts';
import { errorFields, type Logger } from '../telemetry/logger.ts';
import { type AuditOptions, type AuditReport, audit } from './audit.ts';
import { KEY_READERS } from './loaders.ts';
import { inTurns } from './turns.ts';

/** What of an audit is not given by the environment. */
export type AuditRun = Pick<
  AuditOptions,
  'sample' | 'maxLatencyMs' | 'limitSeconds' | 'from' | 'signal' | 'onProgress' | 'onRestart'
>;

export interface Auditor {
  /** @throws as `audit`; ReplayPendingError for a Redis that nobody reads, because its invalidations are not complete. */
  audit(run: AuditRun): Promise<AuditReport>;
  close(): Promise<void>;
}

/** Nobody waits for an answer here. */
const DEADLINE_MS = 5000;
const CONNECT_MS = 10_000;
/** At a time, of a database that has others to serve. */
const STATEMENTS = 4;

/**
 * An auditor on connections of its own, as a user who reads what is cached: `auditor` in lambda/contract/access.ts. Reads what
 * `redisOptionsOf` and `databaseOptionsOf` read, and NODE_ENV.
 * @throws ConfigurationError naming the variable. RedisUnavailableError.
 */
export async function openAuditor(environment: Environment, logger: Logger): Promise<Auditor> {
  const target = targetOf(environment, 'audit');
  const databaseOptions = databaseOptionsOf(environment, 'audit');
  const keyspace = createKeyspace({ phase: 'legacy', env: environmentName(environment['NODE_ENV']) });
  const gate = createReplayGate({
    primaries: () => redis.primaries(),
    onError: (error) => logger.warn('redis not asked', errorFields(error)),
  });
  let asked: Promise<unknown> = Promise.resolve();
  const redis = connectRedis({
    ...{ ...target, name: AUDITOR_SERVICE, deadlineMs: DEADLINE_MS },
    onReady: (primary) => {
      asked = Promise.all([asked, gate.connected(primary)]);
    },
    onError: (error) => logger.warn('redis connection error', errorFields(error)),
  });
  try {
    await redis.ready(CONNECT_MS);
  } catch (error) {
    redis.close();
    throw error;
  }
  const database = createPool({
    ...{ ...databaseOptions, applicationName: AUDITOR_SERVICE, maxConnections: STATEMENTS },
    onError: (error) => logger.warn('database connection error', errorFields(error)),
  });
  const send = throughGate(redis.send, gate);
  return {
    async audit(run) {
      await asked;
      return audit({
        ...{ target, keyspace, send, database, inTurn: inTurns(STATEMENTS), keyReaders: KEY_READERS },
        ...run,
      });
    },
    async close() {
      gate.close();
      redis.close();
      await database.end();
    },
  };
}
