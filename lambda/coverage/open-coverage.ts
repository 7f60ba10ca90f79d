import { ConfigurationError } from '../contract/errors.ts';
import type { Environment } from '../contract/switches.ts';
import { databaseOptionsOf } from '../database/options.ts';
import { createPool } from '../database/pool.ts';
import { connectRedis } from '../redis/connection.ts';
import { redisOptionsOf } from '../redis/options.ts';
import { type CoverageReport, reportCoverage } from './report.ts';

const CONNECT_MS = 10_000;
const DEADLINE_MS = 5000;

/**
 * Reports on connections of its own. Reads what `redisOptionsOf` and `databaseOptionsOf` read.
 * @throws ConfigurationError naming the variable; as `reportCoverage`.
 */
export async function coverageOf(environment: Environment, sinceSeconds: number): Promise<CoverageReport> {
  const target = redisOptionsOf(environment);
  if (!target) throw new ConfigurationError('coverage: REDIS_URL is not set; it is redis://host:6379');
  const databaseOptions = databaseOptionsOf(environment, 'coverage');
  const redis = connectRedis({ ...target, name: 'cutover-coverage', deadlineMs: DEADLINE_MS });
  const database = createPool({
    ...{ ...databaseOptions, applicationName: 'cutover-coverage', maxConnections: 2 },
  });
  try {
    await redis.ready(CONNECT_MS);
    return await reportCoverage({ database, scanner: redis, reader: redis, sinceSeconds });
  } finally {
    redis.close();
    await database.end();
  }
}
