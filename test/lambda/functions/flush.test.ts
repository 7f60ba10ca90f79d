import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { type Aws, awsEnvironment, startAws } from '../../support/aws.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

type Operator = typeof import('../../../lambda/functions/operator.ts');
type Flush = typeof import('../../../lambda/functions/flush.ts');

const ENVIRONMENT = { ...process.env };
const MINUTE_MS = 60_000;
const KEYS = 1000;
const OF_API = 'environment=test, service=cutover-api';
const logged: string[] = [];

let url: string;
let redis: RedisConnection;
let aws: Aws;
let flush: Flush['handler'];
/** What the operator was asked for. */
let asked: Record<string, unknown>[];
/** How long each turn of the operator has, in milliseconds; 90 s when there is none. */
let turnsMs: number[];

beforeAll(async () => {
  ({ url } = await ownRedis({ args: ['--enable-debug-command', 'local'] }));
  redis = await lookInto(url);
});

beforeEach(async () => {
  logged.length = 0;
  for (const method of ['info', 'warn', 'error'] as const) {
    jest.spyOn(console, method).mockImplementation((line) => void logged.push(String(line)));
  }
  await redis.send(['FLUSHALL']);
  await redis.send(['CONFIG', 'RESETSTAT']);
  [asked, turnsMs] = [[], []];
  aws = await startAws({ functions: { operator: operatorTurn } });
  process.env = {
    ...ENVIRONMENT,
    ...awsEnvironment(aws),
    ...{
      POWERTOOLS_DEV: 'true',
      LOG_LEVEL: 'INFO',
      NODE_ENV: 'test',
      REDIS_URL: url,
      OPERATOR_FUNCTION: 'operator',
    },
  };
  ({ handler: flush } = await import('../../../lambda/functions/flush.ts'));
});

afterEach(() => {
  process.env = { ...ENVIRONMENT };
  jest.restoreAllMocks();
});

async function operatorTurn(payload: unknown): Promise<unknown> {
  asked.push(payload as Record<string, unknown>);
  const { handler }: Operator = await import('../../../lambda/functions/operator.ts');
  const remainingMs = turnsMs.shift() ?? 90_000;
  return handler(payload, { getRemainingTimeInMillis: () => remainingMs });
}

/** With time for turns, and none to wait for the minutes afterwards. */
const forTurns = (turns: number) => ({
  getRemainingTimeInMillis: () => (asked.length < turns ? 900_000 : 30_000),
});
const atOnce = { getRemainingTimeInMillis: () => 30_000 };

/** What the API has recorded in a minute. */
const recordMinute = (at: number, [hits, misses, ...latencies]: readonly number[]) => {
  const common = { namespace: 'Cutover', dimensions: OF_API, at };
  aws.data.push({ ...common, name: 'CacheHits', value: hits ?? 0 });
  aws.data.push({ ...common, name: 'CacheMisses', value: misses ?? 0 });
  for (const value of latencies) aws.data.push({ ...common, name: 'DatabaseLatency', value });
};
const recorded = (name: string) => aws.data.filter((datum) => datum.name === name);

const populate = async () => {
  await redis.send(['DEBUG', 'POPULATE', String(KEYS), 'mocs:user', '10']);
  await redis.send(['SET', 'sessions:bob', 'x']);
};

test('flushes by the operator, and records what it was like', async () => {
  await populate();
  for (let read = 0; read < 3; read += 1) await redis.send(['GET', 'sessions:bob']);
  await redis.send(['GET', 'nobody']);
  const now = Date.now();
  recordMinute(now - 5 * MINUTE_MS, [90, 10, 2, 4]);
  recordMinute(now - 3 * MINUTE_MS, [85, 15, 6]);
  recordMinute(now, [1, 1, 30]);
  const report = await flush({}, atOnce);
  expect(report).toMatchObject({
    ...{ complete: true, dryRun: false, turns: 1, flushed: KEYS, preserved: 1, recorded: true },
    cacheHitPercent: { before: 87.5, after: undefined },
    databaseLatencyMs: { before: 4, during: 30 },
    // The flush itself asks for cutover:env, which is not there.
    keyspaceHitPercent: { before: 75, after: 0 },
  });
  expect(await redis.send(['KEYS', '*'])).toEqual(['sessions:bob']);
  const figures = aws.data.filter(
    ({ dimensions }) => dimensions === 'environment=test, service=cutover-flush',
  );
  expect(new Set(figures.map(({ namespace }) => namespace))).toEqual(new Set(['Cutover']));
  expect(
    Object.fromEntries(figures.map(({ name, value, unit }) => [name, `${value} ${unit}`])),
  ).toMatchObject({
    FlushedKeys: `${KEYS} Count`,
    FlushDuration: expect.stringMatching(/^[\d.]+ Seconds$/),
    CacheHitRateBefore: '87.5 Percent',
    CacheMissRateBefore: '12.5 Percent',
    KeyspaceHitRateBefore: '75 Percent',
    KeyspaceMissRateBefore: '25 Percent',
    KeyspaceHitRateAfter: '0 Percent',
    KeyspaceMissRateAfter: '100 Percent',
    DatabaseLatencyBefore: '4 Milliseconds',
    DatabaseLatencyDuring: '30 Milliseconds',
  });
  // What was not seen is not recorded as 0.
  expect([...recorded('CacheHitRateAfter'), ...recorded('DatabaseLatencyAfter')]).toEqual([]);
});

describe('the operator stops in the middle', () => {
  const ASKED = { maxLatencyMs: 2, preserve: ['mocs:user:7*'] };

  beforeEach(async () => {
    await populate();
    // Just the time that the end takes: one page is seen.
    turnsMs = [5000];
  });

  test('and is asked to go on there, until all is done', async () => {
    const report = await flush(ASKED, forTurns(2));
    expect(report).toMatchObject({ complete: true, turns: 2, flushed: KEYS - 111 });
    expect(await redis.send(['DBSIZE'])).toBe(112);
    const [, second, counting] = asked;
    expect(second).toEqual({
      ...{ command: 'flush', ...ASKED },
      positions: [{ runId: expect.any(String), cursor: expect.not.stringMatching(/^0$/) }],
    });
    // Nothing else is done by the last turn, which is there for what Redis has counted.
    expect(counting).toEqual({
      command: 'flush',
      dryRun: true,
      positions: [{ runId: expect.any(String), cursor: '0' }],
    });
    expect(asked).toHaveLength(3);
  });

  test('and there is no time for another turn: it says where to go on', async () => {
    const report = await flush(ASKED, atOnce);
    expect(report).toMatchObject({ complete: false, turns: 1, positions: [{ cursor: expect.any(String) }] });
    expect(asked).toHaveLength(1);
    const { positions } = report as { positions: unknown };
    const rest = await flush({ ...ASKED, positions }, atOnce);
    expect(rest).toMatchObject({ complete: true });
    expect(await redis.send(['DBSIZE'])).toBe(112);
  });

  test('and nobody reads in the log whose keys they are', async () => {
    await flush({ ...ASKED, patterns: ['mocs:user:*'] }, forTurns(2));
    expect(logged.join('\n')).toMatch(/flushed/);
    expect(logged.join('\n')).not.toMatch(/mocs:user/);
  });
});

test('DRY_RUN of the operator is the default: it counts, and records that', async () => {
  await populate();
  process.env['DRY_RUN'] = 'true';
  expect(await flush({}, atOnce)).toMatchObject({ dryRun: true, flushed: KEYS });
  expect(await redis.send(['DBSIZE'])).toBe(KEYS + 1);
  expect(recorded('KeysToFlush')).toMatchObject([{ value: KEYS }]);
  expect(recorded('FlushedKeys')).toEqual([]);
  expect(await flush({ dryRun: false }, atOnce)).toMatchObject({ dryRun: false, flushed: KEYS });
});

describe('what goes wrong', () => {
  test('in the operator is said, and nothing is recorded', async () => {
    await redis.send(['SET', 'cutover:env', 'production']);
    await expect(flush({}, atOnce)).rejects.toMatchObject({
      name: 'OperatorError',
      message: expect.stringMatching(
        /^operator: the function operator failed: ConfigurationError: .*NODE_ENV=test/,
      ),
    });
    expect(aws.data).toEqual([]);
  });

  test('on the way to it, too', async () => {
    process.env['OPERATOR_FUNCTION'] = 'nobody';
    await expect(flush({}, atOnce)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test.each(['PutMetricData', 'GetMetricData'])('with %s is no reason to flush again', async (action) => {
    await populate();
    aws.deny(action);
    const report = await flush({}, atOnce);
    expect(report).toMatchObject({ complete: true, flushed: KEYS, recorded: action === 'GetMetricData' });
    expect(logged.join('\n')).toMatch(/AccessDenied.*may not/);
  });

  test.each<[string, unknown, string]>([
    ['no OPERATOR_FUNCTION', {}, 'flush: OPERATOR_FUNCTION is not set'],
    ['a bad field', { patterns: 'mocs:*' }, 'flush: patterns of the event, "mocs:*", is not a list'],
    ['a time to come', { check: 'recovery', since: '2999-01-01T00:00:00Z' }, 'flush: since of the event'],
  ])('is refused before anything is done: %s', async (what, event, message) => {
    if (what === 'no OPERATOR_FUNCTION') delete process.env['OPERATOR_FUNCTION'];
    await expect(flush(event, atOnce)).rejects.toThrow(message);
    expect(aws.requests).toEqual([]);
  });
});

describe('the recovery check', () => {
  const since = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 30 * MINUTE_MS + 12_000;
  const check = () => flush({ check: 'recovery', since: new Date(since).toISOString() }, atOnce);
  const hitsByMinute = (from: number, hits: readonly number[]) =>
    hits.forEach(
      (each, index) => void recordMinute(since + (from + index) * MINUTE_MS, [each, 100 - each, 5]),
    );

  test('reads back that the hit rate fell and recovered', async () => {
    hitsByMinute(-5, [93, 95, 94, 92, 96]);
    hitsByMinute(0, [70, 41, 62, 79, 84, 90, 91, 92, 93, 94]);
    expect(await check()).toMatchObject({
      ...{ verdict: 'recovered', fell: true, recovered: true, beforePercent: 94, lowestPercent: 41 },
      // To the end of the fourth minute, of which 12 s were over.
      afterSeconds: 4 * 60 - 12,
    });
    expect(aws.requests.every((request) => request === 'cloudwatch GetMetricData')).toBe(true);
    expect(aws.requests.length).toBeGreaterThan(1);
  });

  test('reads nothing of another stage, nor of another function', async () => {
    hitsByMinute(0, [41, 42, 43]);
    for (const [index, datum] of aws.data.entries()) {
      const [here, elsewhere] = index % 2 ? ['=test', '=production'] : ['=cutover-api', '=cutover-warm'];
      aws.data[index] = { ...datum, dimensions: datum.dimensions.replace(here, elsewhere) };
    }
    expect(await check()).toMatchObject({ verdict: 'too few reads', beforePercent: undefined });
  });
});
