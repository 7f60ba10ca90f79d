import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../../lambda/database/pool.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { coldDispatcher } from '../../support/deployed.ts';
import { lookInto } from '../../support/redis.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';

const ENVIRONMENT = { ...process.env };
let urls: { REDIS_URL: string; DATABASE_URL: string };
let redis: RedisConnection;
let database: Database;

beforeAll(async () => {
  const [redisServer, { url }] = await Promise.all([ownRedis(), freshDatabase()]);
  await migrate(url);
  urls = { REDIS_URL: redisServer.url, DATABASE_URL: url };
  redis = await lookInto(redisServer.url);
  database = createPool({ url, applicationName: 'psql' });
});
afterEach(() => {
  process.env = { ...ENVIRONMENT };
});
afterAll(() => database.end());

const coldStart = (environment: Record<string, string>) =>
  coldDispatcher({ NODE_ENV: 'test', ...environment });

test('repeats what nobody has confirmed, and on its first connection what the outbox remembers', async () => {
  await redis.send(['MSET', 'v2:mocs:user:1:list', 'old', 'v2:mocs:user:2:list', 'old']);
  const insert = "INSERT INTO mocs (user_id, item_id, version, data) VALUES ($1, 'a', 1, '{}')";
  await database.query(insert, ['1']);
  const handler = await coldStart(urls);
  expect(await handler()).toEqual({ confirmed: 1, pending: false, pruned: 0 });
  while ((await redis.send(['GET', 'cutover:replayed'])) === null);
  expect(await redis.send(['EXISTS', 'v2:mocs:user:1:list'])).toBe(0);
  await database.query(insert, ['2']);
  expect(await handler()).toEqual({ confirmed: 1, pending: false, pruned: 0 });
  expect(await redis.send(['EXISTS', 'v2:mocs:user:2:list'])).toBe(0);
});

test('does not touch a Redis of another environment', async () => {
  const handler = await coldStart({ ...urls, NODE_ENV: 'production' });
  await expect(handler()).rejects.toThrow(/production.*test/);
});

test.each(['REDIS_URL', 'DATABASE_URL', 'NODE_ENV'])('does not start without %s', async (name) => {
  const handler = await coldStart({ ...urls, [name]: '' });
  await expect((async () => handler())()).rejects.toThrow(name);
});
