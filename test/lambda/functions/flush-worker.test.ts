import { afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const ENVIRONMENT = { ...process.env };
const logged: string[] = [];

let url: string;
let redis: RedisConnection;

beforeAll(async () => {
  ({ url } = await ownRedis());
  redis = await lookInto(url);
});

beforeEach(async () => {
  await redis.send(['FLUSHALL']);
  logged.length = 0;
  // Powertools writes here in its default mode.
  for (const method of ['info', 'warn', 'error'] as const) {
    jest.spyOn(console, method).mockImplementation((line) => void logged.push(String(line)));
  }
});

afterEach(() => {
  process.env = { ...ENVIRONMENT };
  jest.restoreAllMocks();
});

/** Loads the function afresh, as a cold start does, and invokes it. */
async function invoke(environment: Record<string, string>) {
  process.env = { ...ENVIRONMENT, POWERTOOLS_DEV: 'true', LOG_LEVEL: 'INFO', ...environment };
  jest.resetModules();
  const { handler } = await import('../../../lambda/functions/flush-worker.ts');
  return handler();
}

const KEYS = ['mocs:user:alice:list', 'v2:mocs:user:alice:list', 'cw:test:albums:1', 'sessions:bob', 'other'];
const fill = () => Promise.all(KEYS.map((key) => redis.send(['SET', key, 'x'])));
const left = async () => ((await redis.send(['KEYS', '*'])) as string[]).sort();

test('flushes the families and says how much, without a key', async () => {
  await fill();
  const report = await invoke({ REDIS_URL: url, NODE_ENV: 'test' });
  expect(report).toMatchObject({ scanned: 5, flushed: 3, preserved: 1 });
  expect(await left()).toEqual(['other', 'sessions:bob']);
  expect(logged.join('\n')).toMatch(/flushed/);
  expect(logged.join('\n')).not.toMatch(/alice|bob/);
});

test.each(['true', '1'])('DRY_RUN=%s only counts', async (DRY_RUN) => {
  await fill();
  expect(await invoke({ REDIS_URL: url, NODE_ENV: 'test', DRY_RUN })).toMatchObject({ flushed: 3 });
  expect(await left()).toEqual([...KEYS].sort());
  expect(logged.join('\n')).toMatch(/dry run/);
});

test.each([
  ['REDIS_URL is not set', { REDIS_URL: '', NODE_ENV: 'test' }],
  ['NODE_ENV=a:b cannot name a namespace', { NODE_ENV: 'a:b' }],
  ['DRY_RUN=maybe is not a switch', { NODE_ENV: 'test', DRY_RUN: 'maybe' }],
])('%s: refused, and nothing is deleted', async (message, environment) => {
  await fill();
  await expect(invoke({ REDIS_URL: url, ...environment })).rejects.toMatchObject({
    name: 'ConfigurationError',
    message: expect.stringContaining(message),
  });
  expect(await left()).toEqual([...KEYS].sort());
});
