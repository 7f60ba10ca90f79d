/** The functions as they are deployed, on real servers: what they record, beside what alarms look at. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { METRIC_TYPES, METRICS_NAMESPACE, type MetricType } from '../../lambda/contract/metrics.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { freePort } from '../../rehearsal/servers/process.ts';
import { synthesize } from '../infra/support/synthesis.ts';
import { lookedAtBy } from '../support/alarm-states.ts';
import { awsEnvironment, startAws } from '../support/aws.ts';
import { complaintsAbout, type EmfDocument, type Point, pointsOf } from '../support/emf.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';
import { alarmsIn } from '../support/synthesized-alarms.ts';

const VERSION = '7';
const ARN = `arn:aws:lambda:eu-central-1:000000000000:function:api:${VERSION}`;
const COMMON = {
  ...{ NODE_ENV: 'test', LOG_LEVEL: 'ERROR', AWS_LAMBDA_FUNCTION_VERSION: VERSION },
  AWS_LAMBDA_FUNCTION_NAME: 'function',
};

const TYPES: Readonly<Record<string, MetricType>> = METRIC_TYPES;

let servers: { readonly REDIS_URL: string; readonly DATABASE_URL: string };

const requestOf = (method: string, path: string, body?: object) => ({
  ...{ version: '2.0', rawPath: path, rawQueryString: '', isBase64Encoded: false },
  headers: body ? { 'content-type': 'application/json' } : {},
  ...(body && { body: JSON.stringify(body) }),
  requestContext: { domainName: 'api.example.com', requestId: 'r-1', http: { method, path } },
});
const get = (path: string) => requestOf('GET', path);

/** The documents that a function has written when it ends. */
async function documentsOf(sandbox: Sandbox): Promise<EmfDocument[]> {
  return (await sandbox.end('SIGTERM')).filter((line) => '_aws' in line) as unknown as EmfDocument[];
}

/** Reads, writes, a miss, hits, flags; in the phase in which everything is counted. */
async function busyApi(): Promise<EmfDocument[]> {
  const api = startSandbox('api', {
    ...{ ...COMMON, ...servers, CACHE_MODE: 'redis' },
    ...{ CW_CACHE_PREFIX_ENABLED: '1', CW_CACHE_DUAL_WRITE: '1' },
  });
  const list = '/api/users/1/mocs';
  for (const [event, status] of [
    [get(list), 200],
    [get(list), 200],
    [requestOf('PUT', `${list}/a`, { data: { title: 'A' } }), 200],
    [get(list), 200],
    [get(list), 200],
    [get('/api/config/flags'), 200],
    [get('/health'), 200],
    [get('/nothing'), 404],
  ] as const) {
    expect(await api.invoke(event)).toMatchObject({ statusCode: status });
  }
  return documentsOf(api);
}

/** An API whose servers are away. */
async function lostApi(): Promise<EmfDocument[]> {
  const nobody = `127.0.0.1:${await freePort()}`;
  const api = startSandbox('api', {
    ...{ ...COMMON, LOG_LEVEL: 'CRITICAL', CACHE_MODE: 'redis' },
    ...{ REDIS_URL: `redis://${nobody}`, DATABASE_URL: `postgresql://${nobody}/none` },
  });
  expect(await api.invoke(get('/api/config/flags'))).toMatchObject({ statusCode: 503 });
  return documentsOf(api);
}

async function invoked(name: 'dispatcher' | 'auditor'): Promise<EmfDocument[]> {
  const sandbox = startSandbox(name, { ...COMMON, ...servers });
  await sandbox.invoke({});
  // Nothing of it is left to be written at its end.
  return (await sandbox.end()).filter((line) => '_aws' in line) as unknown as EmfDocument[];
}

const DRY_TURN = {
  ...{ command: 'flush', complete: true, positions: [], scanned: 5, flushed: 3, preserved: 2, seconds: 0.1 },
  keyspace: { before: { hits: 9, misses: 1 }, after: { hits: 19, misses: 11 } },
};

/** The functions that call AWS record there. */
async function recordedByAws(): Promise<Point[]> {
  const checks = { redis: { status: 'up' }, postgres: { status: 'up' } };
  const answer = { statusCode: 200, headers: { 'x-cache': 'hit' }, body: JSON.stringify({ checks }) };
  let dryRun = false;
  /** What the API had recorded in a minute before the flush, in one of it, and in one after it, which is two minutes' wait away. */
  const minutes = () => {
    const now = Math.floor(Date.now() / 60_000) * 60;
    const times = [now - 180, now, now + 120];
    return {
      MetricDataResults: Object.entries({ hits: 9, misses: 1, latencyMs: 8, latencies: 2 }).map(
        ([Id, value]) => ({
          ...{ Id, Label: Id, StatusCode: 'Complete' },
          ...{ Timestamps: times, Values: times.map(() => value) },
        }),
      ),
    };
  };
  const answers: Readonly<Record<string, () => object>> = {
    DescribeAlarms: () => ({ MetricAlarms: [] }),
    GetMetricData: minutes,
  };
  const aws = await startAws({
    functions: { [ARN]: async () => answer, operator: async () => ({ ...DRY_TURN, dryRun }) },
    services: {
      codedeploy: () => ({ body: '{}' }),
      monitoring({ headers }) {
        const answered = answers[String(headers['x-amz-target']).split('.').at(-1) ?? ''];
        return answered && { body: JSON.stringify(answered()) };
      },
    },
  });
  const environment = { ...awsEnvironment(aws), ...COMMON };
  await startSandbox('pre-traffic', {
    ...environment,
    ...{ NEW_VERSION: ARN, CACHE_MODE: 'redis', CANARY_MINUTES: '3', ROLLBACK_ALARMS: 'errors' },
  }).invoke({ DeploymentId: 'd-1', LifecycleEventHookExecutionId: 'e-1' });
  const flush = startSandbox('flush', { ...environment, OPERATOR_FUNCTION: 'operator' });
  for (dryRun of [true, false]) await flush.invoke({}, { timeLeftMs: 31_000 });
  return aws.data.map(({ namespace, name, dimensions, at, value, unit }) => ({
    ...{ namespace, name, unit, at, values: [value] },
    dimensions: Object.fromEntries(dimensions.split(', ').map((each) => each.split('=') as [string, string])),
  }));
}

let documents: EmfDocument[];
let points: Point[];

beforeAll(async () => {
  servers = { REDIS_URL: (await ownRedis()).url, DATABASE_URL: (await freshDatabase()).url };
  await migrate(servers.DATABASE_URL);
  const [busy, lost, fromAws] = await Promise.all([busyApi(), lostApi(), recordedByAws()]);
  documents = [...busy, ...lost, ...(await invoked('dispatcher')), ...(await invoked('auditor'))];
  points = [...documents.flatMap(pointsOf), ...fromAws];
}, 60_000);

describe('what the functions write', () => {
  it('is what CloudWatch’s published schema and its text demand', () => {
    expect(documents.length).toBeGreaterThan(10);
    expect(documents.flatMap(complaintsAbout)).toEqual([]);
  });

  it('is every metric of the contract, with its unit, as its service, in its sets of dimensions, and nothing else', () => {
    const shown = (
      name: string,
      unit: string | undefined,
      service: string | undefined,
      set: readonly string[],
    ) => `${name} in ${unit} of ${service} by ${set.join() || 'nothing'}`;
    const recorded = points.map(({ name, unit, dimensions }) => {
      const { service, environment: _environment, ...more } = dimensions;
      return shown(name, unit, service, Object.keys(more));
    });
    const promised = Object.entries(TYPES).flatMap(([name, { unit, service, sets }]) =>
      sets.map((set) => shown(name, unit, service, set)),
    );
    expect([...new Set(recorded)].sort()).toEqual(promised.sort());
    expect(new Set(points.map(({ namespace }) => namespace))).toEqual(new Set([METRICS_NAMESPACE]));
    expect(new Set(points.map(({ dimensions }) => dimensions['environment']))).toEqual(new Set(['test']));
  });

  it('adds up to what was asked for', () => {
    const sum = (name: string) =>
      documents
        .filter((document) => document['service'] === 'cutover-api' && name in document)
        .flatMap((document) => [document[name]].flat() as number[])
        .reduce((total, value) => total + value, 0);
    // Seven of users and one of nobody; and the one of the lost API.
    expect(sum('Requests')).toBe(7 + 1);
    expect(sum('ServerErrors')).toBe(1);
    expect(sum('CacheHits')).toBe(2);
    // Two of the list, one of the flags.
    expect(sum('CacheMisses')).toBe(3);
  });

  it('holds nothing of what users have named', () => {
    const text = JSON.stringify(documents);
    expect(text).not.toMatch(/mocs|users|title/);
    expect(text).not.toContain(new URL(servers.DATABASE_URL).pathname.slice(1));
  });
});

describe('the alarms', () => {
  it('look at metrics of ours that are recorded with this name, this unit and these dimensions', () => {
    // The stage that has all of them.
    const templates = synthesize('production', { change: (stage) => ({ ...stage, phase: 'dual' }) });
    const looked = alarmsIn(templates)
      .flatMap(({ properties }) => lookedAtBy(properties))
      .filter(({ namespace }) => namespace === METRICS_NAMESPACE);
    const shown = (name: string, unit: string | undefined, dimensions: Readonly<Record<string, unknown>>) => {
      // What a stage and a deployment decide is any; the rest is what it is.
      const any = { environment: '*', version: '*' };
      const entries = Object.entries({
        ...dimensions,
        ...Object.fromEntries(Object.entries(any).filter(([key]) => key in dimensions)),
      });
      return `${name} in ${unit} of ${entries
        .map((each) => each.join('='))
        .sort()
        .join(', ')}`;
    };
    const recorded = new Set(points.map(({ name, unit, dimensions }) => shown(name, unit, dimensions)));
    const wanted = [...new Set(looked.map(({ name, unit, dimensions }) => shown(name, unit, dimensions)))];
    expect(wanted).toContain('ServerErrors in Count of environment=*, service=cutover-api, version=*');
    expect(wanted).toContain('LegacyFallbacks in Count of environment=*, namespace=cw, service=cutover-api');
    expect(wanted.length).toBeGreaterThan(9);
    expect(wanted.filter((metric) => !recorded.has(metric))).toEqual([]);
  });
});
