import { readInstances } from '../cache/instances.ts';
import { environmentName } from '../cache/phase.ts';
import type { Environment } from '../contract/switches.ts';
import { connectRedis, type RedisConnection } from '../redis/connection.ts';
import { redisOptionsOf } from '../redis/options.ts';
import { examineDatabase } from './database.ts';
import { type CheckReport, createExamination, notRun } from './examination.ts';
import { judgeInstances } from './instances.ts';
import { examineRedis } from './redis.ts';
import { examineVariables } from './variables.ts';

/** What the doctor has found, check by check, causes before what depends on them. */
export interface DoctorReport {
  readonly checks: readonly CheckReport[];
}

/**
 * Examines an environment before a cutover: variables, Redis, PostgreSQL, and who is there. Of the Redis it tries what the runtime
 * does, as the runtime's user: RUNTIME_REDIS_URL where it is set, else REDIS_URL; who looks through all keys is CENSUS_REDIS_URL's,
 * if it is set. Changes nothing but a key of its own, for a moment. Never rejects.
 */
export async function examine(environment: Environment): Promise<DoctorReport> {
  const examination = createExamination();
  const { REDIS_URL, RUNTIME_REDIS_URL, CENSUS_REDIS_URL } = environment;
  const asRuntime = { ...environment, REDIS_URL: RUNTIME_REDIS_URL || REDIS_URL };
  await examineVariables(examination, asRuntime);
  const redis = await examineRedis(examination, asRuntime);
  const database = await examineDatabase(examination, environment);
  let scanner: RedisConnection | undefined;
  await examination.check('instances', ['redis environment'], async () => {
    if (!redis) throw new Error('there is no connection');
    if (CENSUS_REDIS_URL) scanner = openScanner({ ...environment, REDIS_URL: CENSUS_REDIS_URL });
    const instances = await readInstances({ scanner: scanner ?? redis, reader: redis }).catch(
      (error: Error) => {
        if (scanner || !error.message.startsWith('NOPERM ')) throw error;
        return error;
      },
    );
    if (instances instanceof Error) {
      const { message } = instances;
      return notRun(
        `Redis refuses it to this user: ${message}`,
        'name in CENSUS_REDIS_URL a user who may SCAN',
      );
    }
    return judgeInstances(instances, environmentName(environment['NODE_ENV']));
  });
  for (const connection of [redis, scanner]) connection?.close();
  await database?.end();
  return { checks: examination.checks };
}

const PATIENCE_MS = 5000;

/** A connection that waits longer than a request would. @throws ConfigurationError for the variables. */
export function openScanner(environment: Environment): RedisConnection {
  const target = redisOptionsOf(environment);
  if (!target) throw new Error('REDIS_URL is not set');
  return connectRedis({
    ...{ ...target, name: 'cutover-doctor', anyRole: true, deadlineMs: PATIENCE_MS, maxAttempts: 3 },
  });
}
