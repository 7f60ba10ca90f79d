import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type CacheMetrics, noCounts } from '../../../lambda/cache/metrics.ts';
import type { Phase } from '../../../lambda/contract/environment.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createRuntimeMetrics } from '../../../lambda/http/runtime-metrics.ts';
import { type Figure, MAX_VALUES } from '../../../lambda/telemetry/metrics.ts';
import type { Handler } from '../../../rehearsal/host/host.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';
import { wiredApi } from '../../support/deployed.ts';
import { lookInto } from '../../support/redis.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';

describe('what a process records', () => {
  let lines: { readonly figures: readonly Figure[]; readonly sets: readonly object[] }[];
  let counts: { -readonly [Name in keyof CacheMetrics]: CacheMetrics[Name] };
  let nowMs: number;
  const start = (phase: Phase = 'isolated') =>
    createRuntimeMetrics({
      ...{ phase, cache: () => ({ ...counts }), now: () => nowMs },
      metrics: { version: '7', record: (figures, sets = [{}]) => void lines.push({ figures, sets }) },
    });
  /** Each value of a metric, line by line, with the dimensions that it has beside the usual ones. */
  const recorded = (name: string) =>
    lines.flatMap(({ figures, sets }) =>
      figures.filter((figure) => figure.name === name).map(({ values }) => ({ values, sets })),
    );
  const valuesOf = (name: string) => recorded(name).map(({ values }) => values);
  const request = { path: '/api/users/1/mocs', status: 200, ms: 12 };

  beforeEach(() => {
    lines = [];
    counts = { ...noCounts(), inFlight: 0, connections: 1 };
    nowMs = 1_800_000_000_000;
  });

  test('are lines each 10 s at the most, with all that came between', () => {
    const runtime = start();
    for (let sent = 0; sent < 250; sent += 1) {
      counts.hits += 3;
      if (sent % 10 === 0) counts.misses += 1;
      if (sent % 50 === 0) counts.errors += 1;
      if (sent % 25 === 0) counts.fencedFills += 1;
      runtime.databaseTook(sent);
      runtime.redisTook(2 * sent);
      runtime.requestEnded(request);
      nowMs += 100;
    }
    // The process, its reads, and its one route.
    expect(lines).toHaveLength(3 * 3);
    expect(valuesOf('Requests')).toEqual([[1], [100], [100]]);
    expect(valuesOf('CacheHits')).toEqual([[3], [300], [300]]);
    expect(valuesOf('CacheMisses')).toEqual([[1], [10], [10]]);
    expect(valuesOf('CacheErrors')).toEqual([[1], [2], [2]]);
    expect(valuesOf('FencedFills')).toEqual([[1], [4], [4]]);
    expect(valuesOf('RedisConnections')).toEqual([[1], [1], [1]]);
    const [first, second = []] = valuesOf('DatabaseLatency');
    expect(first).toEqual([0]);
    expect(second).toHaveLength(MAX_VALUES);
    expect(second.every((ms) => ms >= 1 && ms <= 100)).toBe(true);
    const [firstMs, [secondMs = 0] = []] = valuesOf('RedisLatency');
    expect(firstMs).toEqual([0]);
    expect(secondMs).toBeGreaterThan(150);
    expect(secondMs).toBeLessThanOrEqual(200);
  });

  test('are reads of all and by namespace, latency by route, and failures by route and by version', () => {
    const runtime = start();
    counts.hits = 5;
    runtime.requestEnded({ path: '/api/users/7/gallery', status: 503, ms: 3.459 });
    nowMs += 10_000;
    runtime.requestEnded({ path: '/api/config/flags', status: 200, ms: 2 });
    expect(recorded('CacheHits')).toEqual([{ values: [5], sets: [{}, { namespace: 'v2' }] }]);
    expect(recorded('RequestLatency')).toEqual([
      { values: [3.46], sets: [{ route: 'collections' }] },
      { values: [2], sets: [{ route: 'flags' }] },
    ]);
    expect(recorded('ServerErrors')).toEqual([
      { values: [1], sets: [{ route: 'collections' }, { version: '7' }] },
    ]);
    expect(valuesOf('LegacyFallbacks')).toEqual([]);
  });

  test('are fallbacks in the phase dual alone, zeros too: they have to be seen to fade', () => {
    const runtime = start('dual');
    counts.hits = 4;
    counts.legacyFallbacks = 2;
    runtime.requestEnded(request);
    nowMs += 10_000;
    counts.hits = 9;
    runtime.requestEnded(request);
    expect(recorded('LegacyFallbacks')).toEqual([
      { values: [2], sets: [{ namespace: 'cw' }] },
      { values: [0], sets: [{ namespace: 'cw' }] },
    ]);
  });

  test('says that the breaker was open, though it is closed again', () => {
    const runtime = start();
    const passes = () => {
      nowMs += 10_000;
      runtime.requestEnded(request);
    };
    passes();
    runtime.breakerChanged('open');
    runtime.breakerChanged('closed');
    passes();
    passes();
    runtime.breakerChanged('open');
    passes();
    passes();
    expect(valuesOf('BreakerOpen')).toEqual([[0], [1], [0], [1], [1]]);
  });

  test('is a sample of the whole time, and not its beginning, where statements are many', () => {
    const runtime = start();
    for (let statement = 0; statement < 10_000; statement += 1) runtime.databaseTook(statement);
    runtime.requestEnded(request);
    const [sample = []] = valuesOf('DatabaseLatency');
    const mean = sample.reduce((sum, ms) => sum + ms, 0) / sample.length;
    // Ten standard errors of the mean are 2,900.
    expect(Math.abs(mean - 5000)).toBeLessThan(3000);
  });

  test('is nothing while there is nothing to say, and the next request is recorded at once', () => {
    const runtime = start();
    runtime.requestEnded();
    expect(lines).toEqual([]);
    runtime.requestEnded(request);
    expect(valuesOf('Requests')).toEqual([[1]]);
    expect(valuesOf('CacheHits')).toEqual([]);
    expect(valuesOf('DatabaseLatency')).toEqual([]);
  });

  test('of failures is told at the end of the request, and once', () => {
    const runtime = start();
    for (let failure = 0; failure < 3; failure += 1) runtime.redisFailed();
    runtime.requestEnded();
    runtime.requestEnded();
    runtime.redisFailed();
    runtime.requestEnded();
    expect(recorded('RedisConnectionFailures')).toEqual([
      { values: [3], sets: [{}, { version: '7' }] },
      { values: [1], sets: [{}, { version: '7' }] },
    ]);
    expect(lines).toHaveLength(2);
  });

  test('at the end is what is left, and nothing twice', () => {
    const runtime = start();
    runtime.requestEnded(request);
    runtime.requestEnded(request);
    counts.misses = 1;
    runtime.end();
    runtime.end();
    expect(valuesOf('Requests')).toEqual([[1], [1]]);
    expect(valuesOf('CacheMisses')).toEqual([[1]]);
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
    const written = printed.map((text) => JSON.parse(text));
    expect(written).toHaveLength(3);
    const common = { service: 'cutover-api', environment: 'test' };
    expect(written).toEqual([
      expect.objectContaining({ ...common, Requests: 1, FencedFills: 0, CacheErrors: 0, BreakerOpen: 0 }),
      expect.objectContaining({ ...common, CacheHits: 0, CacheMisses: 1, namespace: 'legacy' }),
      expect.objectContaining({ ...common, RequestLatency: expect.any(Number), route: 'flags' }),
    ]);
    expect(written[0].DatabaseLatency).toBeGreaterThan(0);
    expect(written[1]._aws.CloudWatchMetrics).toEqual([
      {
        Namespace: 'Cutover',
        Dimensions: [
          ['service', 'environment'],
          ['service', 'environment', 'namespace'],
        ],
        Metrics: [
          { Name: 'CacheHits', Unit: 'Count' },
          { Name: 'CacheMisses', Unit: 'Count' },
        ],
      },
    ]);
  });

  test('writes its failures at once, by route and by version; those of its readiness are none of its own', async () => {
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
          ['service', 'environment', 'route'],
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
