import { ConfigurationError } from '../contract/errors.ts';
import { migrate } from '../database/migrate.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-migrate');

/** Brings the schema up to date; run by the deployment before the new version takes traffic. */
export async function handler(): Promise<{ applied: string[] }> {
  const { DATABASE_URL: url } = process.env;
  if (!url)
    throw new ConfigurationError(
      'migrate: DATABASE_URL is not set; it is postgresql://user:password@host:5432/name',
    );
  const applied = (await migrate(url)).map(({ migrationName }) => migrationName);
  logger.info('schema is up to date', { applied });
  return { applied };
}
