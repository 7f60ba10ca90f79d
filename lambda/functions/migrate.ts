import { migrate } from '../database/migrate.ts';
import { databaseOptionsOf } from '../database/options.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-migrate');

/**
 * Brings the schema up to date, and the role that the other functions are (DATABASE_APP_ROLE; none where it is not set); run by
 * the deployment before the new version takes traffic.
 */
export async function handler(): Promise<{ applied: string[] }> {
  const { DATABASE_APP_ROLE: appRole } = process.env;
  const results = await migrate({ ...databaseOptionsOf(process.env, 'migrate'), appRole });
  const applied = results.map(({ migrationName }) => migrationName);
  logger.info('schema is up to date', { applied });
  return { applied };
}
