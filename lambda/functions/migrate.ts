import { migrate } from '../database/migrate.ts';
import { databaseUrlOf } from '../database/url.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-migrate');

/** Brings the schema up to date; run by the deployment before the new version takes traffic. */
export async function handler(): Promise<{ applied: string[] }> {
  const url = databaseUrlOf(process.env, 'migrate');
  const applied = (await migrate(url)).map(({ migrationName }) => migrationName);
  logger.info('schema is up to date', { applied });
  return { applied };
}
