import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { createPool } from '../../../lambda/database/pool.ts';
import { freshDatabase } from '../../support/servers.ts';

const MIGRATIONS = path.resolve(import.meta.dirname, '../../../lambda/database/migrations');

const ENVIRONMENT = { ...process.env };

afterEach(() => {
  process.env = { ...ENVIRONMENT };
});

async function invoke(url: string, environment: Record<string, string> = {}) {
  process.env = { ...ENVIRONMENT, LOG_LEVEL: 'SILENT', DATABASE_URL: url, ...environment };
  const { handler } = await import('../../../lambda/functions/migrate.ts');
  return handler();
}

test('answers what it applied, and the second time nothing', async () => {
  const { url } = await freshDatabase();
  expect(await invoke(url)).toEqual({
    applied: readdirSync(MIGRATIONS)
      .map((file) => path.basename(file, '.ts'))
      .sort(),
  });
  expect(await invoke(url)).toEqual({ applied: [] });
});

test('makes the role that the functions are, where it is told one', async () => {
  const { url } = await freshDatabase();
  const role = `app_${randomBytes(6).toString('hex')}`;
  await invoke(url, { DATABASE_APP_ROLE: role });
  const database = createPool({ url, applicationName: 'test' });
  const { rows } = await database.query("SELECT has_table_privilege($1, 'mocs', 'INSERT') AS may", [role]);
  await database.end();
  expect(rows).toEqual([{ may: true }]);
});

test('without a database it says which variable is missing', async () => {
  await expect(invoke('')).rejects.toMatchObject({
    name: 'ConfigurationError',
    message: expect.stringContaining('DATABASE_URL is not set'),
  });
});
