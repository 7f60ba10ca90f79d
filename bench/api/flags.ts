import { migrate } from '../../lambda/database/migrate.ts';
import { createPool } from '../../lambda/database/pool.ts';
import { insertFlag } from '../../lambda/flags/repository.ts';
import type { Servers } from '../servers.ts';
import { FLAGS, flagKeyOf } from './paths.ts';

const ENVIRONMENT = 'bench';

/** The environment of the deployed functions, silent. */
export const environmentOf = ({ redisUrl, databaseUrl }: Servers) => ({
  NODE_ENV: ENVIRONMENT,
  MIGRATION_MODE: 'true',
  LOG_LEVEL: 'SILENT',
  REDIS_URL: redisUrl,
  DATABASE_URL: databaseUrl,
});

/** Creates the schema and the flags. */
export async function seedFlags(databaseUrl: string): Promise<void> {
  await migrate(databaseUrl);
  const pool = createPool({ url: databaseUrl, applicationName: 'cutover-bench', patient: true });
  try {
    for (let index = 0; index < FLAGS; index += 1) {
      const fields = {
        key: flagKeyOf(index),
        description: 'Measured by the bench',
        enabled: true,
        value: { color: 'blue', percent: 25 },
      };
      await insertFlag(pool, ENVIRONMENT, { fields, by: 'bench' });
    }
    await pool.query('ANALYZE feature_flags');
  } finally {
    await pool.end();
  }
}
