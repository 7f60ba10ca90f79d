import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool } from '../../../lambda/database/pool.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';
import { coldWarming, wiredApi } from '../../support/deployed.ts';
import { lookInto } from '../../support/redis.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';

const ENVIRONMENT = { ...process.env };
const logged: Record<string, unknown>[] = [];
let urls: { REDIS_URL: string; DATABASE_URL: string };
let redis: RedisConnection;

beforeAll(async () => {
  const [{ url: REDIS_URL }, { url: DATABASE_URL }] = await Promise.all([ownRedis(), freshDatabase()]);
  urls = { REDIS_URL, DATABASE_URL };
  await migrate(DATABASE_URL);
  redis = await lookInto(REDIS_URL);
  const database = createPool({ url: DATABASE_URL, applicationName: 'psql' });
  const insert =
    "INSERT INTO feature_flags (environment, flag_key, enabled, updated_by) VALUES ($1, $2, true, 'test')";
  for (const [environment, key] of [
    ['test', 'a'],
    ['test', 'secret-plan'],
    ['production', 'a'],
  ]) {
    await database.query(insert, [environment, key]);
  }
  await database.end();
});

beforeEach(async () => {
  logged.length = 0;
  // Powertools writes here in its development mode.
  for (const method of ['info', 'warn', 'error'] as const) {
    jest.spyOn(console, method).mockImplementation((line) => void logged.push(JSON.parse(String(line))));
  }
  await redis.send(['FLUSHALL']);
});

afterEach(() => {
  process.env = { ...ENVIRONMENT };
  jest.restoreAllMocks();
});

const coldStart = (environment: Record<string, string>) =>
  coldWarming({ NODE_ENV: 'test', POWERTOOLS_DEV: 'true', LOG_LEVEL: 'INFO', ...environment });

const stored = async () => (await redis.send(['KEYS', '*feature_flags*'])) as string[];

describe('the whole set', () => {
  test.each([
    ['legacy', {}, ['feature_flags:test']],
    ['isolated', { MIGRATION_MODE: 'true' }, ['v2:feature_flags:test']],
  ] as const)('is filled where the phase %s reads it, once', async (_phase, phase, keys) => {
    const handler = await coldStart({ ...urls, ...phase });
    expect(await handler()).toEqual({ outcome: 'miss', count: 2 });
    expect(await stored()).toEqual(keys);
    expect(await handler()).toEqual({ outcome: 'hit', count: 2 });
  });

  test('is what the API’s first reader finds', async () => {
    await (await coldStart({ ...urls, MIGRATION_MODE: 'true' }))();
    const api = await wiredApi({ ...urls, NODE_ENV: 'test', MIGRATION_MODE: 'true' });
    const http = { method: 'GET', path: '/api/config/flags' };
    const event = { version: '2.0', rawPath: http.path, rawQueryString: '', headers: {} };
    const requestContext = { domainName: 'api.example.com', http };
    const { headers, body } = await api({ ...event, requestContext } as unknown as Parameters<typeof api>[0]);
    expect(headers).toMatchObject({ 'x-cache': 'hit' });
    expect(body).toContain('secret-plan');
  });

  test('is logged by its count, and not by what is in it', async () => {
    await (await coldStart(urls))();
    expect(logged).toContainEqual(
      expect.objectContaining({
        message: 'flags warmed',
        outcome: 'miss',
        count: 2,
        service: 'cutover-warm',
      }),
    );
    expect(JSON.stringify(logged)).not.toContain('secret-plan');
  });

  test('waits until the outbox is replayed to a Redis that was restarted', async () => {
    await redis.send(['SET', 'cutover:replayed', 'another-life:of-it']);
    expect(await (await coldStart(urls))()).toEqual({ outcome: 'miss', count: 2 });
    expect(await stored()).toEqual(['feature_flags:test']);
  });
});

describe('no deployment fails because', () => {
  const nowhere = async () => `127.0.0.1:${await freePort()}`;

  test('Redis is away', async () => {
    const handler = await coldStart({ ...urls, REDIS_URL: `redis://${await nowhere()}` });
    expect(await handler()).toEqual({ outcome: 'bypass', count: 2 });
  });

  test('PostgreSQL is', async () => {
    const handler = await coldStart({ ...urls, DATABASE_URL: `postgresql://nobody@${await nowhere()}/none` });
    expect(await handler()).toEqual({ outcome: 'failed', count: 0 });
  });
});

test.each([
  ['DATABASE_URL is not set', { DATABASE_URL: '' }],
  ['NODE_ENV= cannot name a namespace', { NODE_ENV: '' }],
  ['MIGRATION_MODE=maybe is not a switch', { MIGRATION_MODE: 'maybe' }],
])('but because of a configuration: %s', async (message, environment) => {
  const handler = await coldStart({ ...urls, ...environment });
  await expect(handler()).rejects.toMatchObject({
    name: 'ConfigurationError',
    message: expect.stringContaining(message),
  });
});
