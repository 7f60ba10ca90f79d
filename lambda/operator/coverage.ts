import { ConfigurationError } from '../contract/errors.ts';
import type { Environment } from '../contract/switches.ts';
import { type CoverageReport, reportCoverage } from '../coverage/report.ts';
import { databaseOptionsOf } from '../database/options.ts';
import { openDatabase } from '../doctor/database.ts';
import { openScanner } from '../doctor/doctor.ts';

const PATIENCE_MS = 5000;

/**
 * Who changes rows without an invalidation, as the operator can tell: it looks through the keys as CENSUS_REDIS_URL's user, and reads
 * those of who is there as RUNTIME_REDIS_URL's. @throws ConfigurationError; what Redis and the database throw.
 */
export async function coverageHere(environment: Environment, sinceSeconds: number): Promise<CoverageReport> {
  const { REDIS_URL, RUNTIME_REDIS_URL, CENSUS_REDIS_URL } = environment;
  if (!REDIS_URL) throw new ConfigurationError('coverage: REDIS_URL is not set; it is redis://host:6379');
  const database = openDatabase(databaseOptionsOf(environment, 'coverage'));
  if (!database)
    throw new ConfigurationError('coverage: DATABASE_URL is not set; the coverage is in the database');
  const reader = openScanner({ ...environment, REDIS_URL: RUNTIME_REDIS_URL || REDIS_URL });
  const scanner = openScanner({ ...environment, REDIS_URL: CENSUS_REDIS_URL || REDIS_URL });
  try {
    await Promise.all([reader.ready(PATIENCE_MS), scanner.ready(PATIENCE_MS)]);
    return await reportCoverage({ database, scanner, reader, sinceSeconds });
  } finally {
    reader.close();
    scanner.close();
    await database.end();
  }
}
