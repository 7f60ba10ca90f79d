import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createRuntimeMetrics } from '../../../lambda/http/runtime-metrics.ts';
import { type Figure, MAX_VALUES } from '../../../lambda/telemetry/metrics.ts';
import type { Handler } from '../../../rehearsal/host/host.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';
import { wiredApi } from '../../support/deployed.ts';
import { lookInto } from '../../support/redis.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';

describe('what a process records', () => {
  const lines: (readonly Figure[])[] = [];
  const byVersion: (readonly Figure[])[] = [];
  const reads = { hits: 0, misses: 0 };
  let nowMs = 1_800_000_000_000;
  const start = () =>
    createRuntimeMetrics({
      metrics: {
        record: (figures) => void lines.push(figures),
        recordByVersion: (figures) => void (figures.length > 0 && byVersion.push(figures)),
      },
      reads: () => reads,
      now: () => nowMs,
    });
  const valuesOf = (name: string) =>
    lines.map((line) => line.find((figure) => figure.name === name)?.values ?? []);

  beforeEach(() => {
    lines.length = 0;
    byVersion.length = 0;
    [reads.hits, reads.misses] = [0, 0];
  });

  test('is one line each 10 s at the most, with all that came between', () => {
    const runtime = start();
    for (let request = 0; request < 250; request += 1) {
      reads.hits += 3;
      if (request % 10 === 0) reads.misses += 1;
      runtime.databaseTook(request);
      runtime.requestEnded();
      nowMs += 100;
    }
    expect(lines).toHaveLength(3);
    expect(valuesOf('CacheHits')).toEqual([[3], [300], [300]]);
    expect(valuesOf('CacheMisses')).toEqual([[1], [10], [10]]);
    const [first, second = []] = valuesOf('DatabaseLatency');
    expect(first).toEqual([0]);
    expect(second).toHaveLength(MAX_VALUES);
    expect(second.every((ms) => ms >= 1 && ms <= 100)).toBe(true);
  });

  test('is a sample of the whole time, and not its beginning, where statements are many', () => {
    const runtime = start();
    for (let statement = 0; statement < 10_000; statement += 1) runtime.databaseTook(statement);
    runtime.requestEnded();
    const [sample = []] = valuesOf('DatabaseLatency');
    const mean = sample.reduce((sum, ms) => sum + ms, 0) / sample.length;
    // Ten standard errors of the mean are 2,900.
    expect(Math.abs(mean - 5000)).toBeLessThan(3000);
  });

  test('is nothing while there is nothing to say, and the next request is recorded at once', () => {
    const runtime = start();
    runtime.requestEnded();
    expect(lines).toEqual([]);
    reads.misses += 1;
    runtime.requestEnded();
    expect(lines).toHaveLength(1);
    expect(valuesOf('CacheHits')).toEqual([[0]]);
    expect(valuesOf('DatabaseLatency')).toEqual([[]]);
  });

  test('of failures is told at the end of the request, and once, by version', () => {
    const runtime = start();
    runtime.requestEnded();
    for (let failure = 0; failure < 3; failure += 1) runtime.redisFailed();
    runtime.serverFailed();
    runtime.requestEnded();
    runtime.requestEnded();
    runtime.redisFailed();
    runtime.requestEnded();
    expect(lines).toEqual([]);
    expect(byVersion).toEqual([
      [
        { name: 'ServerErrors', unit: 'Count', values: [1] },
        { name: 'RedisConnectionFailures', unit: 'Count', values: [3] },
      ],
      [{ name: 'RedisConnectionFailures', unit: 'Count', values: [1] }],
    ]);
  });
});

describe('the API', () => {
  const ENVIRONMENT = { ...process.env };
  let printed: string[];

  beforeEach(() => {
    printed = [];
    // Powertools' way to write to the console, which disables metrics unless told not to.
    Object.assign(process.env, { POWERTOOLS_DEV: 'true', POWERTOOLS_METRICS_DISABLED: 'false' });
    jest.spyOn(console, 'log').mockImplementation((line) => void printed.push(String(line)));
  });

  afterEach(() => {
    process.env = { ...ENVIRONMENT };
    jest.restoreAllMocks();
  });

  const read = async (handler: Handler, path = '/api/config/flags/none') => {
    const http = { method: 'GET', path };
    const event = { version: '2.0', rawPath: http.path, rawQueryString: '', headers: {} };
    const requestContext = { domainName: 'api.example.com', http };
    return handler({ ...event, requestContext } as unknown as Parameters<Handler>[0]);
  };

  /** The failures in each line that has any. */
  const failures = () =>
    printed.flatMap((text) => {
      const { ServerErrors, RedisConnectionFailures } = JSON.parse(text);
      const told = { ServerErrors, RedisConnectionFailures };
      return Object.values(told).some(Boolean) ? [JSON.parse(JSON.stringify(told))] : [];
    });

  test('writes them, where it is deployed, at the end of a request in the embedded format', async () => {
    process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'api';
    const { url: DATABASE_URL } = await freshDatabase();
    await migrate(DATABASE_URL);
    const handler = await wiredApi({ NODE_ENV: 'test', DATABASE_URL });
    for (let request = 0; request < 3; request += 1) await read(handler);
    expect(printed).toHaveLength(1);
    const line = JSON.parse(printed[0] ?? '');
    expect(line).toMatchObject({ service: 'cutover-api', environment: 'test', CacheHits: 0, CacheMisses: 1 });
    expect(line.DatabaseLatency).toBeGreaterThan(0);
    expect(line._aws.CloudWatchMetrics).toEqual([
      {
        Namespace: 'Cutover',
        Dimensions: [['service', 'environment']],
        Metrics: [
          { Name: 'CacheHits', Unit: 'Count' },
          { Name: 'CacheMisses', Unit: 'Count' },
          { Name: 'DatabaseLatency', Unit: 'Milliseconds' },
        ],
      },
    ]);
  });

  test('writes its failures at once, of the service and of its version; those of its readiness are none of its own', async () => {
    Object.assign(process.env, { AWS_LAMBDA_FUNCTION_NAME: 'api', AWS_LAMBDA_FUNCTION_VERSION: '7' });
    const nobody = `127.0.0.1:${await freePort()}`;
    const handler = await wiredApi({ NODE_ENV: 'test', DATABASE_URL: `postgresql://${nobody}/none` });
    expect(await read(handler, '/ready')).toMatchObject({ statusCode: 503 });
    expect(await read(handler, '/nothing')).toMatchObject({ statusCode: 404 });
    expect(failures()).toEqual([]);
    for (let request = 0; request < 2; request += 1) {
      expect(await read(handler)).toMatchObject({ statusCode: 503 });
    }
    expect(failures()).toEqual([{ ServerErrors: 1 }, { ServerErrors: 1 }]);
    const line = printed.map((text) => JSON.parse(text)).find((each) => 'ServerErrors' in each);
    expect(line).toMatchObject({ service: 'cutover-api', environment: 'test', version: '7' });
    expect(line._aws.CloudWatchMetrics).toEqual([
      {
        Namespace: 'Cutover',
        Dimensions: [
          ['service', 'environment'],
          ['service', 'environment', 'version'],
        ],
        Metrics: [{ Name: 'ServerErrors', Unit: 'Count' }],
      },
    ]);
  });

  test('counts connections to Redis that fail, and commands that fail not', async () => {
    process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'api';
    const [{ url: DATABASE_URL }, redis] = await Promise.all([freshDatabase(), ownRedis()]);
    await migrate(DATABASE_URL);
    const look = await lookInto(redis.url);
    await look.send(['HSET', 'v2:flag:none', 'not', 'a string']);
    const handler = await wiredApi({
      ...{ NODE_ENV: 'test', MIGRATION_MODE: '1', DATABASE_URL, REDIS_URL: redis.url },
    });
    await read(handler);
    expect(failures()).toEqual([]);
    await redis.kill('SIGKILL');
    while (failures().length === 0) await read(handler);
    expect(failures()[0]).toEqual({ RedisConnectionFailures: expect.any(Number) });
  });

  test('writes nothing elsewhere', async () => {
    const { url: DATABASE_URL } = await freshDatabase();
    await read(await wiredApi({ NODE_ENV: 'test', DATABASE_URL }));
    expect(printed).toEqual([]);
  });
});
