import { afterEach, expect, test } from '@jest/globals';
import { freshDatabase } from '../../support/servers.ts';

const ENVIRONMENT = { ...process.env };

afterEach(() => {
  process.env = { ...ENVIRONMENT };
});

async function invoke(url: string) {
  process.env = { ...ENVIRONMENT, LOG_LEVEL: 'SILENT', DATABASE_URL: url };
  const { handler } = await import('../../../lambda/functions/migrate.ts');
  return handler();
}

test('answers what it applied, and the second time nothing', async () => {
  const { url } = await freshDatabase();
  expect(await invoke(url)).toEqual({
    applied: ['0001-collections', '0002-outbox', '0003-feature-flags'],
  });
  expect(await invoke(url)).toEqual({ applied: [] });
});

test('without a database it says which variable is missing', async () => {
  await expect(invoke('')).rejects.toMatchObject({
    name: 'ConfigurationError',
    message: expect.stringContaining('DATABASE_URL is not set'),
  });
});
