import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { TurnReport } from '../../../lambda/operator/operate.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const ENVIRONMENT = { ...process.env };
const logged: string[] = [];

let server: RedisServer;
let url: string;
let redis: RedisConnection;

beforeAll(async () => {
  server = await ownRedis({ args: ['--enable-debug-command', 'local'] });
  ({ url } = server);
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

type FlushReport = Extract<TurnReport, { command: 'flush' }>;

/** Loads the function afresh, as a cold start does, and has it flush. */
async function invoke(environment: Record<string, string>, event: object = {}, remainingMs = 90_000) {
  return invokeWith(environment, { command: 'flush', ...event }, remainingMs) as Promise<FlushReport>;
}

async function invokeWith(
  environment: Record<string, string>,
  event: unknown,
  remainingMs = 90_000,
): Promise<TurnReport> {
  process.env = { ...ENVIRONMENT, POWERTOOLS_DEV: 'true', LOG_LEVEL: 'INFO', ...environment };
  jest.resetModules();
  const { handler } = await import('../../../lambda/functions/operator.ts');
  const report = await handler(event, { getRemainingTimeInMillis: () => remainingMs });
  if ('positions' in report) return report;
  throw new Error(`no turn: ${report.command}`);
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

describe('an event', () => {
  const HERE = { NODE_ENV: 'test', DRY_RUN: 'true' };

  test('selects patterns, preserves more, and decides whether it is a dry run', async () => {
    await fill();
    const event = { dryRun: false, patterns: ['mocs:*', 'other'], preserve: ['other'], maxLatencyMs: 0 };
    expect(await invoke({ REDIS_URL: url, ...HERE }, event)).toMatchObject({ dryRun: false, flushed: 2 });
    expect(await left()).toEqual(['cw:test:albums:1', 'other', 'sessions:bob']);
    expect(logged.join('\n')).not.toMatch(/mocs|other/);
  });

  test.each<[string, object]>([
    ['dryRun of the event, "false", is neither true nor false', { dryRun: 'false' }],
    ['patterns of the event, ["*"], match every key', { patterns: ['*'] }],
  ])('that is bad is refused, and nothing is deleted: %s', async (message, event) => {
    await fill();
    await expect(invoke({ REDIS_URL: url, NODE_ENV: 'test' }, event)).rejects.toMatchObject({
      name: 'FlushEventError',
      message: expect.stringContaining(`flush: ${message}`),
    });
    expect(await left()).toEqual([...KEYS].sort());
  });
});

describe('in turns', () => {
  const DUE = 2000;
  const HERE = { NODE_ENV: 'test' };

  beforeEach(async () => {
    await redis.send(['DEBUG', 'POPULATE', String(DUE), 'mocs:user', '10']);
    await redis.send(['SET', 'sessions:bob', 'x']);
  });

  /** There is just the time that the end takes: one page is seen. */
  const stopInTheMiddle = async () => {
    const report = await invoke({ REDIS_URL: url, ...HERE }, {}, 5000);
    expect(report).toMatchObject({
      complete: false,
      positions: [{ cursor: expect.stringMatching(/^[1-9]/) }],
    });
    return report;
  };

  test('it stops before its deadline, and goes on where it has stopped', async () => {
    const first = await stopInTheMiddle();
    const second = await invoke({ REDIS_URL: url, ...HERE }, { positions: first.positions });
    expect(second.complete).toBe(true);
    expect(first.flushed + second.flushed).toBe(DUE);
    expect(await left()).toEqual(['sessions:bob']);
    // Where all was seen, nobody looks again.
    await redis.send(['DEBUG', 'POPULATE', String(DUE), 'mocs:user', '10']);
    const third = await invoke({ REDIS_URL: url, ...HERE }, { positions: second.positions });
    expect(third).toMatchObject({ complete: true, scanned: 0, flushed: 0 });
  });

  test('it begins at the beginning on a server that was restarted', async () => {
    const { positions, flushed } = await stopInTheMiddle();
    await redis.send(['SAVE']);
    await server.restart();
    await redis.ready(10_000);
    const report = await invoke({ REDIS_URL: url, ...HERE }, { positions });
    expect(report).toMatchObject({ complete: true, scanned: DUE + 1 - flushed });
    expect(await left()).toEqual(['sessions:bob']);
  });

  test('it says how Redis was read, before and after', async () => {
    await redis.send(['CONFIG', 'RESETSTAT']);
    for (const key of ['sessions:bob', 'sessions:bob', 'nobody']) await redis.send(['GET', key]);
    const { keyspace } = await invoke({ REDIS_URL: url, ...HERE });
    // The flush itself looks for cutover:env.
    expect(keyspace).toEqual({ before: { hits: 2, misses: 1 }, after: { hits: 2, misses: 2 } });
  });
});
